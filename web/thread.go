package web

import (
	"net/http"
	"slices"

	"parley/social"
)

// threadPage is a post with what it answers and what answers it.
type threadPage struct {
	*frame
	Posts    []stretch
	Arrived  []arrival // of the reader's own post; nil when it went nowhere
	Composer *composer
	V        *social.PostView // the post that the page is about
	Orphan   bool             // what the first post answers is not here
	Gap      string           // that there are answers elsewhere which are not here; "" for none
}

// stretch is a post of a thread with what stands folded up below it, and the way to what
// comes there and does not stand on the page.
type stretch struct {
	card
	Folded []card
	Rest   rest
}

// rest is how much of a thread does not stand on the page at some place, and the way there.
type rest struct {
	Posts string // their ids
	Text  string
	Link  string
}

// arrival is one server that a post was for, and what became of it there.
type arrival struct {
	Server, State string
	Has           bool
}

// Reached says at how many of the servers that the post was for it has arrived.
func (t threadPage) Reached() string {
	all, reached := map[string]bool{}, map[string]bool{}
	for _, a := range t.Arrived {
		if all[a.Server] = true; a.Has {
			reached[a.Server] = true
		}
	}
	return t.T("delivered_to", len(reached), len(all))
}

func (threadPage) file() string { return "thread.html" }

func (w *Web) thread(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	v, err := w.Social.Post(p.ctx(), p.reader, id)
	if err != nil {
		return err
	}
	if v.Boost != nil { // a share has no conversation of its own
		v, id = v.Boost, v.Boost.Post.ID
	}
	above, below, err := w.Social.Thread(p.ctx(), p.reader, id)
	if err != nil {
		return err
	}
	t := threadPage{frame: p.titled("thread"), V: v}
	t.Posts = p.lay(above, v, below)
	t.Tab = v.Author.Name() + ": " + clipped(firstOf(p.Card(v).Covered(), w.Social.Text.ToPlain(v.Post.Content)), tabLength)
	first := t.Posts[0].V.Post
	t.Orphan = first.InReplyToURI != "" || first.InReplyToID != 0
	if n := v.Post.RepliesMissing; n > 0 {
		t.Gap = p.T("gap", p.N("more_replies", n), p.NameOf(v.Author.Authority))
	}
	if t.Preview, err = w.preview(p, id); err != nil {
		return err
	}
	if t.Arrived, err = w.arrivals(p, v); err != nil {
		return err
	}
	if p.Me != nil {
		p.hear("thread", "post", id.String())
		if t.Composer, err = w.composer(p, v); err != nil {
			return err
		}
		t.Composer.Text.Value = p.named(v)
		if err := w.readTalk(p, v); err != nil {
			return err
		}
	}
	return w.show(p, http.StatusOK, t)
}

// tabLength is how much of a post names its window among others, in characters.
const tabLength = 60

// arrived says what became of a delivery.
func (p *page) arrived(d social.DeliveryState) arrival {
	switch d.State {
	case "waiting":
		return arrival{p.NameOf(d.Peer), p.T("arrives_later"), false}
	case "held":
		return arrival{p.NameOf(d.Peer), p.T("arrives_held"), false}
	case string(social.StateRefused):
		return arrival{p.NameOf(d.Peer), p.T("arrival_refused"), false}
	case string(social.StateDropped):
		return arrival{p.NameOf(d.Peer), p.T("arrival_dropped"), false}
	}
	return arrival{p.NameOf(d.Peer), p.T("arrived"), true}
}

// arrivals tells an author where the post has arrived, each server and state once.
func (w *Web) arrivals(p *page, v *social.PostView) ([]arrival, error) {
	if p.Me == nil || v.Post.AuthorID != p.Me.ID {
		return nil, nil
	}
	found, err := w.Social.Deliveries(p.ctx(), p.reader, v.Post.ID)
	var out []arrival
	for _, d := range found {
		if a := p.arrived(d); !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out, err
}

// named begins a reply with the handles of those who are in the conversation. A
// browser puts the cursor before them, so they stand apart from what is typed there.
func (p *page) named(v *social.PostView) string {
	text := ""
	if v.Author.ID != p.Me.ID {
		text = "@" + v.Author.Acct() + " "
	}
	for _, m := range v.Post.Told() {
		if m.AccountID != p.Me.ID && m.AccountID != v.Author.ID {
			text += "@" + m.Acct + " "
		}
	}
	if text != "" {
		text = " " + text
	}
	return text
}
