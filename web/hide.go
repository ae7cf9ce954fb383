package web

import (
	"context"
	"net/http"
	"strings"

	"parley/activitypub"
	"parley/social"
)

// hiddenPage lists whom the reader has muted and blocked, and which servers are kept away;
// nobody else sees it.
type hiddenPage struct {
	*frame
	Muted, Blocked         []person
	MoreMuted, MoreBlocked string // addresses of the next pages
	Servers                []social.DomainBlock
	Form                   *form
}

func (hiddenPage) file() string { return "hidden.html" }

func (w *Web) hiddenPage(p *page) (d hiddenPage, err error) {
	d = hiddenPage{frame: p.titled("hidden"), Form: &form{Action: "/settings/hidden", Submit: p.T("hide_server"), Fields: []field{
		{Name: "domain", Label: p.T("hide_server_name"), Kind: "text", Required: true, MaxLength: 260}}}}
	if d.Muted, d.MoreMuted, err = w.listed(p, "muted", w.Social.Muted); err != nil {
		return d, err
	}
	if d.Blocked, d.MoreBlocked, err = w.listed(p, "blocked", w.Social.Blocked); err != nil {
		return d, err
	}
	d.Servers, err = w.Social.DomainBlocks(p.ctx(), p.reader, social.Page{Limit: 200})
	return d, err
}

func (w *Web) hidden(p *page) error {
	d, err := w.hiddenPage(p)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, d)
}

// hideServer keeps a server away from the reader, or shows it again.
func (w *Web) hideServer(p *page) error {
	typed, problem := strings.TrimSpace(p.r.PostFormValue("domain")), p.T("hide_server_bad")
	shown := p.r.PostFormValue("shown")
	domain, err := activitypub.HostPort(typed + shown)
	if err == nil {
		err = w.Social.BlockDomain(p.ctx(), p.reader, domain, shown == "")
		if err == nil {
			return w.redirect(p, "/settings/hidden", "saved")
		}
		if !mistake(err) {
			return err
		}
		problem = p.say(err)
	}
	d, fault := w.hiddenPage(p)
	if fault != nil {
		return fault
	}
	d.Form.refill(p.r)
	d.Form.mark("domain", problem)
	d.Problem = p.T("check_form")
	return w.show(p, http.StatusUnprocessableEntity, d)
}

// listed reads a page of people from the place that a parameter of the address names.
func (w *Web) listed(p *page, param string, list func(context.Context, social.Reader, social.Page) ([]*social.Account, []social.ID, error)) ([]person, string, error) {
	at, err := social.ParseID(p.r.URL.Query().Get(param))
	if err != nil {
		at = 0
	}
	accounts, cursors, err := list(p.ctx(), p.reader, social.Page{Max: at, Limit: pageSize})
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(cursors) == pageSize {
		next = "?" + param + "=" + cursors[pageSize-1].String()
	}
	people, err := w.people(p, accounts)
	return people, next, err
}

// circlePage lists who follows somebody, or whom they follow.
type circlePage struct {
	*frame
	Of     *social.Account
	People []person
	More   string
}

func (circlePage) file() string { return "circle.html" }

func (w *Web) followers(p *page) error {
	return w.circle(p, func(name string) string { return p.T("followers_of", name) }, w.Social.Followers)
}

func (w *Web) following(p *page) error {
	return w.circle(p, func(name string) string { return p.T("following_of", name) }, w.Social.Following)
}

func (w *Web) circle(p *page, title func(name string) string, list func(context.Context, social.Reader, social.ID, social.Page) ([]*social.Account, []social.ID, error)) error {
	a, err := w.named(p)
	if err != nil {
		return err
	}
	d := circlePage{frame: p.frame, Of: a}
	d.Title = title(a.Name())
	d.People, d.More, err = w.listed(p, "older", func(ctx context.Context, r social.Reader, at social.Page) ([]*social.Account, []social.ID, error) {
		return list(ctx, r, a.ID, at)
	})
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, d)
}

// named is the account that an address names, for members alone.
func (w *Web) named(p *page) (*social.Account, error) {
	if p.Me == nil {
		return nil, social.Errorf(social.Unauthenticated, "sign in first")
	}
	id, err := p.id("id")
	if err != nil {
		return nil, err
	}
	return w.Social.Account(p.ctx(), p.reader, id)
}

func (w *Web) reportForm(p *page) error {
	a, err := w.named(p)
	if err != nil {
		return err
	}
	f := &form{Action: "/accounts/" + a.ID.String() + "/report", Submit: p.T("report_send"), Hidden: map[string]string{}, Fields: []field{
		{Name: "comment", Label: p.T("report_comment"), Hint: p.T("report_hint"), Kind: "textarea", Rows: 5, MaxLength: 1000, Language: p.Language}}}
	if !a.Local() {
		f.Fields = append(f.Fields, field{Name: "forward", Label: p.T("report_forward", a.Authority), Hint: p.T("report_forward_hint"), Kind: "checkbox"})
	}
	d := formPage{frame: p.frame, Form: f}
	d.Title = p.T("report_of", a.Name())
	if id, err := social.ParseID(p.r.URL.Query().Get("post")); err == nil {
		v, err := w.Social.Post(p.ctx(), p.reader, id)
		if err != nil {
			return err
		}
		f.Hidden["post"] = id.String()
		d.Intro = []string{p.T("report_post", clipped(w.Social.Text.ToPlain(v.Post.Content), excerptLength))}
	}
	return w.show(p, http.StatusOK, d)
}

func (w *Web) report(p *page) error {
	a, err := w.named(p)
	if err != nil {
		return err
	}
	var posts []social.ID
	if id, err := social.ParseID(p.r.PostFormValue("post")); err == nil {
		posts = append(posts, id)
	}
	if _, err := w.Social.Report(p.ctx(), p.reader, a.ID, posts, p.r.PostFormValue("comment"), p.r.PostFormValue("forward") != ""); err != nil {
		return err
	}
	return w.redirect(p, "/@"+a.Acct(), "reported")
}
