package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"strings"
	"time"

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
	ID        string      `xml:"id"`
	Title     string      `xml:"title"`
	Author    *atomPerson `xml:"author"` // nil for the feed's
	Published string      `xml:"published"`
	Updated   string      `xml:"updated"`
	Links     []atomLink  `xml:"link"`
	Content   atomText    `xml:"content"`
}

type atomPerson struct {
	Name string `xml:"name"`
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

// news is what a feed is made of, the same for all and in no language of ours: a feed reader
// signs in nowhere, and caches give one copy to everybody.
type news struct {
	ID, Title, Author string
	Page, Self        string // addresses of the page that it belongs to, and of itself without its ending
	Named             string // what of this may change while the posts stay
	Posts             []*social.PostView
	Since             time.Time // of a feed without posts
}

// ofMember is what a member published for everybody.
func (w *Web) ofMember(p *page) (n news, err error) {
	nobody := social.Nobody(w.Links.Home())
	a, err := w.Social.AccountByHandle(p.ctx(), nobody, p.part("name"))
	if err != nil {
		return n, err
	}
	if !a.Local() {
		return n, social.NotFoundError()
	}
	n = news{ID: a.URI, Title: a.Name(), Author: a.Name(), Page: a.URL, Self: w.Links.AccountPage(a.Username), Named: a.Name(), Since: a.CreatedAt}
	n.Posts, err = w.Social.AccountPosts(p.ctx(), nobody, a.ID, social.Page{Limit: feedEntries}, social.PostFilter{Everybody: true, ExcludeReplies: true, ExcludeBoosts: true})
	return n, err
}

// ofAll and ofTopic are the public posts that the pages show to who is signed out.
func (w *Web) ofAll(p *page) (n news, err error) {
	page := w.Links.PublicURL + "/public"
	n = news{ID: page, Title: p.Org.Name, Author: p.Org.Name, Page: page, Self: page, Named: p.Org.Name}
	n.Posts, err = w.Social.Public(p.ctx(), social.Nobody(w.Links.Home()), social.Page{Limit: feedEntries}, false, false, social.PostFilter{Audience: social.AudiencePublic})
	return n, err
}

func (w *Web) ofTopic(p *page) (n news, err error) {
	tag := w.Social.Text.FoldTag(p.part("tag"))
	if tag == "" {
		return n, social.NotFoundError()
	}
	page := w.Links.Tag(tag)
	n = news{ID: page, Title: "#" + tag, Author: p.Org.Name, Page: page, Self: page, Named: p.Org.Name}
	n.Posts, err = w.Social.Public(p.ctx(), social.Nobody(w.Links.Home()), social.Page{Limit: feedEntries}, false, false, social.PostFilter{Audience: social.AudiencePublic, Tag: tag})
	return n, err
}

// feed answers with what some posts make, in the form that the address asks for.
func (w *Web) feed(of func(*page) (news, error)) handler {
	return func(p *page) error {
		n, err := of(p)
		if err != nil {
			return err
		}
		if strings.HasSuffix(p.r.URL.Path, ".rss") {
			return w.rss(p, n)
		}
		return w.atom(p, n)
	}
}

func (w *Web) atom(p *page, n news) error {
	f := atomFeed{ID: n.ID, Title: n.Title, Updated: n.Since.UTC().Format(time.RFC3339), Author: n.Author,
		Links: []atomLink{{Rel: "self", Type: "application/atom+xml", Href: n.Self + ".atom"}, {Rel: "alternate", Type: "text/html", Href: n.Page}}}
	for _, v := range n.Posts {
		e := w.entry(v.Post)
		if v.Author.Name() != n.Author {
			e.Author = &atomPerson{v.Author.Name()}
		}
		f.Entries = append(f.Entries, e)
		f.Updated = max(f.Updated, e.Updated)
	}
	return n.write(p, "application/atom+xml", f, f.Entries)
}

func (w *Web) rss(p *page, n news) error {
	f := rssFeed{Version: "2.0", Title: n.Title, Link: n.Page, About: n.Title}
	for _, v := range n.Posts {
		e := w.entry(v.Post)
		f.Items = append(f.Items, rssItem{rssID{false, e.ID}, e.Title, v.Post.URL, v.Post.PublishedAt.UTC().Format(time.RFC1123Z), e.Content.Text})
	}
	return n.write(p, "application/rss+xml", f, f.Items)
}

// write answers with a feed, or says that it has not changed. Its tag is made of what is in
// it and not of how it was asked for; the time of the newest post alone says nothing of
// one that was deleted, so no reader is put off by it.
func (n news) write(p *page, kind string, feed, entries any) error {
	body, err := xml.Marshal(feed)
	if err != nil {
		return err
	}
	seed, err := xml.Marshal(entries)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(append(seed, n.Named...))
	h := p.w.Header()
	h.Set("Content-Type", kind+"; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("ETag", `W/"`+hex.EncodeToString(sum[:16])+`"`)
	var newest time.Time
	for _, v := range n.Posts {
		for _, at := range []time.Time{v.Post.PublishedAt, v.Post.EditedAt} {
			if at.After(newest) {
				newest = at
			}
		}
	}
	r := p.r.Clone(p.ctx())
	r.Header.Del("If-Modified-Since")
	r.Header.Del("Range")
	http.ServeContent(p.w, r, "", newest, bytes.NewReader(append([]byte(xml.Header), body...)))
	return nil
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
	e.Title = clipped(title, feedTitle)
	for _, m := range p.Attachments {
		if m.MediaID != 0 {
			e.Links = append(e.Links, atomLink{Rel: "enclosure", Type: m.MediaType, Href: w.Links.Media(m.MediaID, false)})
		}
	}
	return e
}
