package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"parley/social"
)

func (w *Web) home(p *page) error {
	if p.Me == nil {
		done, err := w.Social.SetUp(p.Context())
		if err != nil {
			return err
		}
		if !done {
			return w.show(p, "welcome.html", "welcome", nil)
		}
		return w.public(p)
	}
	views, err := w.Social.Home(p.Context(), p.reader, p.cursor())
	if err != nil {
		return err
	}
	return w.timeline(p, "home", views)
}

func (w *Web) public(p *page) error {
	views, err := w.Social.Public(p.Context(), p.reader, p.cursor(), false, false, social.PostFilter{})
	if err != nil {
		return err
	}
	return w.timeline(p, "company", views)
}

func (w *Web) tag(p *page) error {
	views, err := w.Social.TagPosts(p.Context(), p.reader, mux.Vars(p.Request)["tag"], p.cursor())
	if err != nil {
		return err
	}
	return w.timeline(p, "hashtag", views)
}

func (w *Web) timeline(p *page, title string, views []*social.PostView) (err error) {
	p.paged(views)
	if p.Me != nil {
		if p.Choices, err = w.Social.Audiences(p.Context(), p.reader, 0); err != nil {
			return err
		}
	}
	return w.show(p, "timeline.html", title, views)
}

func (w *Web) thread(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	v, err := w.Social.Post(p.Context(), p.reader, id)
	if err != nil {
		return err
	}
	above, below, err := w.Social.Thread(p.Context(), p.reader, id)
	if err != nil {
		return err
	}
	if p.Me != nil {
		p.ReplyTo = v
		if p.Choices, err = w.Social.Audiences(p.Context(), p.reader, id); err != nil {
			return err
		}
		for _, m := range v.Post.Mentions {
			if m.AccountID != p.Me.ID && m.AccountID != v.Post.AuthorID {
				p.Draft += "@" + m.Acct + " "
			}
		}
		if v.Author.ID != p.Me.ID {
			p.Draft = "@" + v.Author.Acct() + " " + p.Draft
		}
	}
	return w.show(p, "thread.html", "thread", append(append(above, v), below...))
}

// profileData is the profile page's own part.
type profileData struct {
	Account *social.Account
	Rel     *social.Relationship
	Posts   []*social.PostView
}

func (w *Web) byID(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	a, err := w.Social.Account(p.Context(), p.reader, id)
	if err != nil {
		return err
	}
	http.Redirect(p.w, p.Request, "/@"+a.Acct(), http.StatusSeeOther)
	return nil
}

func (w *Web) profile(p *page) error {
	a, err := w.Social.AccountByHandle(p.Context(), p.reader, mux.Vars(p.Request)["name"])
	if err != nil {
		return err
	}
	d := profileData{Account: a}
	if d.Posts, err = w.Social.AccountPosts(p.Context(), p.reader, a.ID, p.cursor(), social.PostFilter{}); err != nil {
		return err
	}
	p.paged(d.Posts)
	if p.Me != nil && p.Me.ID != a.ID {
		rels, err := w.Social.Relationships(p.Context(), p.reader, []social.ID{a.ID})
		if err != nil {
			return err
		}
		if len(rels) == 1 {
			d.Rel = &rels[0]
		}
	}
	return w.show(p, "profile.html", "profile", d)
}

func (w *Web) find(p *page) error {
	if p.Me == nil {
		return social.Errorf(social.Unauthenticated, "sign in first")
	}
	res, err := w.Social.Search(p.Context(), p.reader, p.URL.Query().Get("q"), social.SearchOptions{Resolve: true})
	if err != nil {
		return err
	}
	return w.show(p, "find.html", "find", res)
}

func (w *Web) notifications(p *page) error {
	list, err := w.Social.Notifications(p.Context(), p.reader, social.Page{Limit: 40}, nil, nil)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		if err := w.Social.MarkRead(p.Context(), p.reader, list[0].Notification.ID); err != nil {
			return err
		}
	}
	return w.show(p, "notifications.html", "notifications", list)
}

func (w *Web) publish(p *page) error {
	d := social.Draft{Text: p.FormValue("text"), Summary: p.FormValue("summary"), Audience: p.FormValue("audience"), IdempotencyKey: p.FormValue("once")}
	if s := p.FormValue("reply_to"); s != "" {
		id, err := social.ParseID(s)
		if err != nil {
			return err
		}
		d.InReplyTo = id
	}
	if f, head, err := p.FormFile("file"); err == nil {
		defer f.Close() //nolint:errcheck // only read
		m, err := w.Social.Upload(p.Context(), p.reader, social.Upload{Body: f, Name: head.Filename, Description: p.FormValue("description")})
		if err != nil {
			return err
		}
		d.MediaIDs = []social.ID{m.ID}
	}
	for _, o := range strings.Split(p.FormValue("poll"), "\n") {
		if o = strings.TrimSpace(o); o != "" {
			if d.Poll == nil {
				d.Poll = &social.PollDraft{ExpiresIn: 3 * 24 * time.Hour}
			}
			d.Poll.Options = append(d.Poll.Options, o)
		}
	}
	v, err := w.Social.Publish(p.Context(), p.reader, d)
	if err != nil {
		return err
	}
	if d.InReplyTo != 0 {
		return w.back(p, "/@"+v.Author.Username+"/"+v.Post.ID.String())
	}
	return w.back(p, "/")
}

func (w *Web) act(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	act := mux.Vars(p.Request)["act"]
	on := !strings.HasPrefix(act, "un")
	switch strings.TrimPrefix(act, "un") {
	case "like":
		_, err = w.Social.Favourite(p.Context(), p.reader, id, on)
	case "share":
		_, err = w.Social.Boost(p.Context(), p.reader, id, on)
	case "bookmark":
		_, err = w.Social.Bookmark(p.Context(), p.reader, id, on)
	case "delete":
		_, err = w.Social.Delete(p.Context(), p.reader, id)
	case "vote":
		var choices []int
		if err := p.ParseForm(); err != nil {
			return social.Errorf(social.Invalid, "the form cannot be read")
		}
		for _, s := range p.PostForm["choice"] {
			n, err := strconv.Atoi(s)
			if err != nil {
				return social.Errorf(social.Invalid, "choose one answer")
			}
			choices = append(choices, n)
		}
		_, err = w.Social.Vote(p.Context(), p.reader, id, choices)
	}
	if err != nil {
		return err
	}
	return w.back(p, "/")
}

func (w *Web) relate(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	switch mux.Vars(p.Request)["act"] {
	case "follow":
		_, err = w.Social.Follow(p.Context(), p.reader, id, social.FollowOptions{})
	case "unfollow":
		_, err = w.Social.Unfollow(p.Context(), p.reader, id)
	case "accept":
		_, err = w.Social.AnswerFollow(p.Context(), p.reader, id, true)
	case "reject":
		_, err = w.Social.AnswerFollow(p.Context(), p.reader, id, false)
	}
	if err != nil {
		return err
	}
	return w.back(p, "/users/"+id.String())
}

func (w *Web) language(p *page) error {
	l := p.FormValue("language")
	if l != "de" && l != "en" {
		return social.Errorf(social.Invalid, "choose de or en")
	}
	http.SetCookie(p.w, &http.Cookie{Name: "parley_language", Value: l, Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode})
	if p.Me != nil {
		if _, err := w.Social.UpdateProfile(p.Context(), p.reader, social.ProfileChange{Language: &l}); err != nil {
			return err
		}
	}
	return w.back(p, "/")
}

func (w *Web) signInForm(p *page) error {
	p.Code = p.URL.Query().Get("next")
	return w.show(p, "sign_in.html", "sign_in", nil)
}

func (w *Web) signIn(p *page) error {
	text, _, err := w.Auth.SignIn(p.Context(), p.FormValue("name"), p.FormValue("password"), p.UserAgent())
	if social.KindOf(err) == social.Unauthenticated {
		p.Error, p.Code = p.T("wrong_password"), p.FormValue("next")
		p.w.WriteHeader(http.StatusUnauthorized)
		return w.show(p, "sign_in.html", "sign_in", nil)
	}
	if err != nil {
		return err
	}
	w.setCookie(p, text, 30*24*3600)
	return w.back(p, "/")
}

func (w *Web) signOut(p *page) error {
	if c, err := p.Cookie(w.cookie); err == nil {
		if err := w.Auth.SignOut(p.Context(), c.Value); err != nil {
			return err
		}
	}
	w.setCookie(p, "", -1)
	return w.back(p, "/sign-in")
}

func (w *Web) setupForm(p *page) error {
	p.Code = p.URL.Query().Get("code")
	if _, err := w.Auth.CheckLink(p.Context(), "setup", p.Code); err != nil {
		return err
	}
	return w.show(p, "setup.html", "setup", nil)
}

// setup makes the first administrator; the link is used up only when all is well.
func (w *Web) setup(p *page) error {
	code, password := p.FormValue("code"), p.FormValue("password")
	if _, err := w.Auth.CheckLink(p.Context(), "setup", code); err != nil {
		return err
	}
	if len([]rune(password)) < 10 {
		p.Error, p.Code = p.T("short_password"), code
		p.w.WriteHeader(http.StatusUnprocessableEntity)
		return w.show(p, "setup.html", "setup", nil)
	}
	if err := w.Social.SetOrganisation(p.Context(), social.Organisation{Name: p.FormValue("organisation"), Group: p.FormValue("group"), Contact: p.FormValue("name")}); err != nil {
		return err
	}
	a, err := w.Social.CreateAccount(p.Context(), social.NewAccount{Username: p.FormValue("name"), DisplayName: p.FormValue("display_name"), Role: social.RoleAdmin, Language: p.Language})
	if err != nil {
		return err
	}
	if err := w.Auth.SetPassword(p.Context(), a.ID, password); err != nil {
		return err
	}
	if err := w.Social.FinishSetUp(p.Context()); err != nil {
		return err
	}
	if _, err := w.Auth.TakeLink(p.Context(), "setup", code); err != nil {
		return err
	}
	text, err := w.Auth.Begin(p.Context(), a.ID, p.UserAgent())
	if err != nil {
		return err
	}
	w.setCookie(p, text, 30*24*3600)
	return w.back(p, "/")
}

func (w *Web) resetForm(p *page) error {
	p.Code = p.URL.Query().Get("code")
	if _, err := w.Auth.CheckLink(p.Context(), "reset", p.Code); err != nil {
		return err
	}
	return w.show(p, "reset.html", "new_password", nil)
}

func (w *Web) reset(p *page) error {
	code := p.FormValue("code")
	link, err := w.Auth.CheckLink(p.Context(), "reset", code)
	if err != nil {
		return err
	}
	if err := w.Auth.SetPassword(p.Context(), link.AccountID, p.FormValue("password")); err != nil {
		return err // setting one ends all links, also this; a refused one leaves it
	}
	return w.back(p, "/sign-in")
}
