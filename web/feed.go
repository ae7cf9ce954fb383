package web

import (
	"encoding/xml"
	"net/http"
	"time"
	"unicode/utf8"

	"parley/social"
)

const (
	feedEntries = 20
	feedTitle   = 80 // characters
)

// atomFeed is what feed readers subscribe to (RFC 4287).
type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  string      `xml:"author>name"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID        string     `xml:"id"`
	Title     string     `xml:"title"`
	Published string     `xml:"published"`
	Updated   string     `xml:"updated"`
	Links     []atomLink `xml:"link"`
	Content   atomText   `xml:"content"`
}

type atomText struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

// rssFeed is the same for readers that know RSS 2.0 alone.
type rssFeed struct {
	XMLName xml.Name  `xml:"rss"`
	Version string    `xml:"version,attr"`
	Title   string    `xml:"channel>title"`
	Link    string    `xml:"channel>link"`
	About   string    `xml:"channel>description"`
	Items   []rssItem `xml:"channel>item"`
}

type rssItem struct {
	GUID        rssID  `xml:"guid"`
	Title       string `xml:"title"`
	Link        string `xml:"link"`
	Date        string `xml:"pubDate"`
	Description string `xml:"description"`
}

// rssID names an item; it leads nowhere.
type rssID struct {
	Link bool   `xml:"isPermaLink,attr"`
	ID   string `xml:",chardata"`
}

// feedOf is the address of a member's feed.
func (w *Web) feedOf(a *social.Account) string { return w.Links.AccountPage(a.Username) + ".atom" }

// forFeed reads what a member published for everybody. It is the same for all: a feed
// reader signs in nowhere.
func (w *Web) forFeed(p *page) (*social.Account, []*social.PostView, error) {
	nobody := social.Nobody(w.Links.Home())
	a, err := w.Social.AccountByHandle(p.ctx(), nobody, p.part("name"))
	if err != nil {
		return nil, nil, err
	}
	if !a.Local() {
		return nil, nil, social.NotFoundError()
	}
	views, err := w.Social.AccountPosts(p.ctx(), nobody, a.ID, social.Page{Limit: feedEntries}, social.PostFilter{Everybody: true, ExcludeReplies: true, ExcludeBoosts: true})
	return a, views, err
}

func (w *Web) atom(p *page) error {
	a, views, err := w.forFeed(p)
	if err != nil {
		return err
	}
	f := atomFeed{ID: a.URI, Title: a.Name(), Author: a.Name(), Updated: a.CreatedAt.UTC().Format(time.RFC3339),
		Links: []atomLink{{Rel: "self", Type: "application/atom+xml", Href: w.feedOf(a)}, {Rel: "alternate", Type: "text/html", Href: a.URL}}}
	for i, v := range views {
		f.Entries = append(f.Entries, w.entry(v.Post))
		if i == 0 {
			f.Updated = f.Entries[0].Updated
		}
	}
	return p.writeFeed("application/atom+xml", f)
}

func (w *Web) rss(p *page) error {
	a, views, err := w.forFeed(p)
	if err != nil {
		return err
	}
	f := rssFeed{Version: "2.0", Title: a.Name(), Link: a.URL, About: a.Name()}
	for _, v := range views {
		e := w.entry(v.Post)
		f.Items = append(f.Items, rssItem{rssID{false, e.ID}, e.Title, v.Post.URL, v.Post.PublishedAt.UTC().Format(time.RFC1123Z), e.Content.Text})
	}
	return p.writeFeed("application/rss+xml", f)
}

func (p *page) writeFeed(kind string, feed any) error {
	p.w.Header().Set("Content-Type", kind+"; charset=utf-8")
	p.w.Header().Set("Cache-Control", "public, max-age=300")
	p.w.WriteHeader(http.StatusOK)
	_, _ = p.w.Write([]byte(xml.Header)) // the connection may be gone; nobody is left to tell
	return xml.NewEncoder(p.w).Encode(feed)
}

func (w *Web) entry(p *social.Post) atomEntry {
	e := atomEntry{ID: p.URI, Published: p.PublishedAt.UTC().Format(time.RFC3339), Updated: p.PublishedAt.UTC().Format(time.RFC3339),
		Links: []atomLink{{Rel: "alternate", Type: "text/html", Href: p.URL}}, Content: atomText{Type: "html", Text: p.Content}}
	if !p.EditedAt.IsZero() {
		e.Updated = p.EditedAt.UTC().Format(time.RFC3339)
	}
	title := p.Title
	if title == "" {
		title = p.Summary
	}
	if title == "" {
		title = w.Social.Text.ToPlain(p.Content)
	}
	if e.Title = title; utf8.RuneCountInString(title) > feedTitle {
		e.Title = string([]rune(title)[:feedTitle]) + "…"
	}
	for _, m := range p.Attachments {
		if m.MediaID != 0 {
			e.Links = append(e.Links, atomLink{Rel: "enclosure", Type: m.MediaType, Href: w.Links.Media(m.MediaID, false)})
		}
	}
	return e
}
