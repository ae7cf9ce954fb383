package web

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"parley/social"
)

// card is one post on a page.
type card struct {
	*frame
	V      *social.PostView
	By     *social.Account // who shared it; nil when it stands here by itself
	Anchor string          // id of the element; "" when the post stands on the page already
	Place  int             // in a list, from 1; 0 elsewhere
	Depth  int             // in a thread
	Orphan bool            // in a thread: what it answers is not here
	Main   bool            // the post that the page is about
	Pin    string          // the act that puts it on top here; "" where the reader may not
	OnTop  bool            // it stands on top here
}

// Card pairs the page with one post.
func (f *frame) Card(v *social.PostView) card {
	c := card{frame: f, V: v}
	if v.Boost != nil {
		c.V, c.By = v.Boost, v.Author
		v = v.Boost
	}
	if !f.shown[v.Post.ID] {
		f.shown[v.Post.ID] = true
		c.Anchor = "p" + v.Post.ID.String()
	}
	return c
}

// Cards pairs the page with a list of posts.
func (f *frame) Cards(views []*social.PostView) []card {
	out := make([]card, len(views))
	for i, v := range views {
		out[i] = f.Card(v)
		out[i].Place = i + 1
	}
	return out
}

// From is the company of an author who is not of this server, where its name is known.
func (c card) From() string {
	if a := c.V.Author; !a.Local() && c.NameOf(a.Authority) != a.Authority {
		return c.NameOf(a.Authority)
	}
	return ""
}

// Own says that the reader wrote the post.
func (c card) Own() bool { return c.Me != nil && c.V.Post.AuthorID == c.Me.ID }

// Seen says in words who sees the post, and in which group it stands.
func (c card) Seen() string {
	g := c.V.Group
	switch {
	case g == nil:
		return c.Who(c.V.Post, c.V.Author)
	case c.V.Post.Audience.Everybody():
		return c.T("aud_group_public", g.Name())
	}
	return c.community(g)
}

// Reach is how far the post goes, as a style.
func (c card) Reach() string { return c.reach(c.V.Post.Audience.Kind, c.V.Group) }

// reach is how far an audience goes, as a style: inside the company, to a partner, or out.
// That of a community is decided by whom it lets in, and by whose server it is on.
func (f *frame) reach(kind social.AudienceKind, group *social.Account) string {
	if kind == social.AudienceGroup && group != nil {
		zone := social.ZoneCompany
		if !group.Local() {
			zone = f.zone(group.Authority)
		}
		kind = group.Group.Reach(zone)
	}
	switch {
	case social.Audience{Kind: kind}.Everybody():
		return "outside"
	case kind == social.AudiencePartner:
		return "partner"
	}
	return "inside"
}

// Link is the post's page here.
func (c card) Link() string { return "/@" + c.V.Author.Acct() + "/" + c.V.Post.ID.String() }

// Next is where to come back to after a form of this post.
func (c card) Next() string { return c.Path + "#p" + c.V.Post.ID.String() }

// Edited says that the post was changed.
func (c card) Edited() bool { return !c.V.Post.EditedAt.IsZero() }

// lateAfter is more than a delivery takes while both servers are up.
const lateAfter = time.Hour

// Late says that the post was written some time before it came here. What was written
// before its author was known here was not awaited.
func (c card) Late() bool {
	p := c.V.Post
	return !p.Local && p.ArrivedAt.Sub(p.PublishedAt) > lateAfter && !p.PublishedAt.Before(c.V.Author.ID.Time())
}

// Covered is the text on the lid of a sensitive post; "" for an open one.
func (c card) Covered() string {
	switch {
	case c.V.Post.Summary != "":
		return c.V.Post.Summary
	case c.V.Post.Sensitive:
		return c.T("sensitive")
	}
	return ""
}

// CanShare says that the post's audience lets it be shared.
func (c card) CanShare() bool {
	switch c.V.Post.Audience.Kind {
	case social.AudienceDirect:
		return false
	case social.AudienceFollowers:
		return c.Own()
	}
	return true
}

// Open says that the reader may vote.
func (c card) Open() bool {
	return c.Me != nil && !c.V.Voted && !c.Own() && !c.V.Post.Poll.Closed(c.now)
}

// answer is one line of a poll.
type answer struct {
	Index   int
	Title   string
	Votes   int
	Percent int
	Own     bool
}

// Answers lists a poll's lines with their share of the votes.
func (c card) Answers() []answer {
	all := 0
	for _, o := range c.V.Post.Poll.Options {
		all += o.Votes
	}
	own := map[int]bool{}
	for _, i := range c.V.OwnVotes {
		own[i] = true
	}
	var out []answer
	for i, o := range c.V.Post.Poll.Options {
		a := answer{Index: i, Title: o.Title, Votes: o.Votes, Own: own[i]}
		if all > 0 {
			a.Percent = (100*o.Votes + all/2) / all
		}
		out = append(out, a)
	}
	return out
}

// Until says when a poll ends or that it has.
func (c card) Until() string {
	p := c.V.Post.Poll
	switch {
	case p.Closed(c.now):
		return c.T("poll_closed")
	case p.ExpiresAt.IsZero():
		return ""
	}
	return c.T("poll_until", c.When(p.ExpiresAt))
}

// picture is a file with a post. Pages load nothing from other servers: a file from
// there is shown through our copy, to members, and else a link.
type picture struct {
	social.Attachment
	Shown bool
	Href  string
	Src   string // of the picture
	Text  string // of the link, or instead of the picture
}

// Files lists what hangs on the post.
func (c card) Files() []picture {
	var out []picture
	for i, a := range c.V.Post.Attachments {
		if a.MediaID == 0 && !strings.HasPrefix(a.URL, "https://") && !strings.HasPrefix(a.URL, "http://") {
			continue // no address that a browser should follow
		}
		p := picture{Attachment: a, Href: a.URL}
		here := a.MediaID != 0 || c.Me != nil && a.Copied()
		switch {
		case a.MediaID != 0:
			p.Href, p.Src = "/media/"+a.MediaID.String()+"/original", "/media/"+a.MediaID.String()+"/small"
		case here:
			p.Href = "/media/remote/" + c.V.Post.ID.String() + "/" + strconv.Itoa(i)
			p.Src = p.Href
		}
		p.Shown, p.Text = here && a.Kind == "image", c.fileText(a, here)
		out = append(out, p)
	}
	return out
}

func (c card) fileText(a social.Attachment, here bool) string {
	switch {
	case a.Kind == "image" && here:
		if a.Description != "" {
			return a.Description
		}
		return c.T("picture")
	case here:
		return firstOf(a.Name, a.Description, c.T("file"))
	}
	host := a.URL
	if u, err := url.Parse(a.URL); err == nil {
		host = u.Host
	}
	return c.T("elsewhere", firstOf(a.Description, a.Name, c.T("file")), host)
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if strings.TrimSpace(t) != "" {
			return t
		}
	}
	return ""
}

// act is one small form under a post: a switch with its count.
type act struct {
	card
	Verb, Label string
	Icon        string
	Done        bool
	Count       int
}

func (c card) act(verb string, done bool, count int) act {
	a := act{card: c, Verb: verb, Icon: verb, Label: c.T(verb), Done: done, Count: count}
	if done {
		a.Verb = "un" + verb
	}
	return a
}

// Acts are what a member can do with a post by one click.
func (c card) Acts() []act {
	p := c.V.Post
	acts := []act{c.act("like", c.V.Favourited, p.FavouritesCount)}
	if c.CanShare() {
		acts = append(acts, c.act("share", c.V.Boosted, p.BoostsCount))
	}
	if c.Keeping() == nil { // what is kept with a bookmark is not lost by one click
		acts = append(acts, c.act("bookmark", c.V.Bookmarked, 0))
	}
	if c.Pin != "" {
		pin := c.act(c.Pin, c.OnTop, 0)
		pin.Icon, pin.Label = "pin", c.T("pin")
		acts = append(acts, pin)
	}
	return acts
}

// onTop takes the posts that stand on top of a page out of its list, and lets the reader
// put others there by the act, if it is not "".
func (f *frame) onTop(pinned, views []*social.PostView, act string) (top, rest []card) {
	up := map[social.ID]bool{}
	for _, v := range pinned {
		up[v.Post.ID] = true
		c := f.Card(v)
		c.Pin, c.OnTop = act, true
		top = append(top, c)
	}
	for _, v := range views {
		if !up[v.Post.ID] {
			c := f.Card(v)
			if v.Boost == nil && v.Post.InReplyToURI == "" && v.Post.Audience.Kind != social.AudienceDirect {
				c.Pin = act
			}
			rest = append(rest, c)
			rest[len(rest)-1].Place = len(rest)
		}
	}
	return top, rest
}

// face is a person's picture: their own when it is here, else their initials.
type face struct {
	Picture  string
	Copy     string // our copy of a picture elsewhere, before the initials
	Initials string
	Tint     int
}

// Face of an account.
func (f *frame) Face(a *social.Account) face {
	if a.Local() && a.AvatarID != 0 {
		return face{Picture: "/media/" + a.AvatarID.String() + "/small"}
	}
	out := face{Tint: int(uint64(a.ID)%6) + 1}
	for _, word := range strings.Fields(a.Name()) {
		if r := []rune(word)[0]; (unicode.IsLetter(r) || unicode.IsDigit(r)) && len([]rune(out.Initials)) < 2 {
			out.Initials += string(unicode.ToUpper(r))
		}
	}
	if f.Me != nil && a.Face.File != "" && f.zone(a.Authority) != social.ZoneBlocked {
		out.Copy = social.Links{}.Face(a)
	}
	return out
}

// moment is a time for people and for programs.
type moment struct{ ISO, Text string }

// At is when a post was published.
func (f *frame) At(t time.Time) moment {
	return moment{t.UTC().Format(time.RFC3339), f.When(t)}
}
