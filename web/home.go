package web

import (
	"net/http"

	"parley/social"
)

// timelinePage is a list of posts, for members with the composer above.
type timelinePage struct {
	*frame
	Intro    string
	Lists    []checklist
	Topic    *topic    // of a page of one; nil for others, and for who is signed out
	Edit     string    // where to say whose posts they are; "" for none
	Composer *composer // nil when signed out
	Posts    []card
	Older    string       // address of the next page; "" at the end
	Empty    string       // what to say and do when there is nothing
	EmptyTo  string       // address of that next step
	Prompt   string       // what to write of
	People   []suggestion // to fill an empty home with
	Groups   []community
}

func (timelinePage) file() string { return "timeline.html" }

// welcomePage tells how to set the instance up.
type welcomePage struct{ *frame }

func (welcomePage) file() string { return "welcome.html" }

func (w *Web) home(p *page) error {
	if p.Me == nil {
		done, err := w.Social.SetUp(p.ctx())
		if err != nil {
			return err
		}
		if !done {
			return w.show(p, http.StatusOK, welcomePage{p.titled("welcome")})
		}
		return w.public(p)
	}
	views, err := w.Social.Home(p.ctx(), p.reader, p.cursor())
	if err != nil {
		return err
	}
	p.hear("home")
	t := timelinePage{frame: p.titled("home"), Empty: p.T("home_empty"), EmptyTo: "/find"}
	if p.cursor().Max == 0 {
		if t.Lists, err = w.checklists(p); err != nil {
			return err
		}
	}
	if len(views) == 0 && p.cursor().Max == 0 {
		t.Prompt = p.T("home_prompt")
		if t.People, err = w.suggestions(p, suggestedPeople); err != nil {
			return err
		}
		if t.Groups, err = w.suggestedGroups(p); err != nil {
			return err
		}
	}
	return w.timeline(p, t, views)
}

func (w *Web) public(p *page) error {
	views, err := w.Social.Public(p.ctx(), p.reader, p.cursor(), false, false, social.PostFilter{})
	if err != nil {
		return err
	}
	p.hear("all")
	p.Feed = w.Links.PublicURL + "/public"
	t := timelinePage{frame: p.titled("all_posts"), Intro: p.T("all_posts_intro"), Empty: p.T("public_empty")}
	if p.Me == nil {
		t.frame, t.Intro, t.Empty, t.EmptyTo = p.titled("public_posts"), p.T("signed_out_intro"), p.T("signed_out_empty"), "/sign-in"
	}
	return w.timeline(p, t, views)
}

func (w *Web) company(p *page) error {
	views, err := w.Social.Company(p.ctx(), p.reader, p.cursor())
	if err != nil {
		return err
	}
	p.hear("company")
	t := timelinePage{frame: p.titled("company"), Intro: p.T("company_intro"), Empty: p.T("company_empty")}
	t.Title = p.audience(social.AudienceCompany, "")
	return w.timeline(p, t, views)
}

// here lists what was written on this server.
func (w *Web) here(p *page) error {
	views, err := w.Social.Public(p.ctx(), p.reader, p.cursor(), true, false, social.PostFilter{})
	if err != nil {
		return err
	}
	p.hear("here")
	t := timelinePage{frame: p.titled("here"), Intro: p.T("here_intro", p.Org.Name), Empty: p.T("here_empty"), EmptyTo: "/compose"}
	t.Title = p.Org.Name
	return w.timeline(p, t, views)
}

// menuPage has all ways on; small screens show few of them.
type menuPage struct{ *frame }

func (menuPage) file() string { return "menu.html" }

func (w *Web) menu(p *page) error { return w.show(p, http.StatusOK, menuPage{p.titled("menu")}) }

func (w *Web) tag(p *page) error {
	tag := p.part("tag")
	views, err := w.Social.TagPosts(p.ctx(), p.reader, tag, p.cursor())
	if err != nil {
		return err
	}
	p.hear("tag", "tag", tag)
	t := timelinePage{frame: p.titled("hashtag"), Empty: p.T("tag_empty"), EmptyTo: "/"}
	folded := w.Social.Text.FoldTag(tag)
	t.Title = "#" + folded
	if folded != "" { // the same whether anybody uses it or not
		t.Feed = w.Links.Tag(folded)
		t.Preview = &preview{Kind: "website", Address: t.Feed, Title: t.Title, Text: p.T("tag_preview", p.Org.Name)}
	}
	if t.Topic, err = w.topicOf(p, w.Social.Text.FoldTag(tag)); err != nil {
		return err
	}
	return w.timeline(p, t, views)
}

// timeline shows a list with the composer for members.
func (w *Web) timeline(p *page, t timelinePage, views []*social.PostView) (err error) {
	if p.Me != nil {
		if t.Composer, err = w.composer(p, nil); err != nil {
			return err
		}
	}
	return w.posts(p, t, views)
}

func (w *Web) posts(p *page, t timelinePage, views []*social.PostView) error {
	t.Posts, t.Older = p.Cards(views), p.older(views)
	if p.Me == nil || p.cursor().Max != 0 {
		t.Fresh = ""
	}
	return w.show(p, http.StatusOK, t)
}

// older is the address of the next page.
func (p *page) older(views []*social.PostView) string {
	if len(views) < pageSize {
		return ""
	}
	return p.r.URL.EscapedPath() + "?older=" + views[len(views)-1].Cursor.String()
}
