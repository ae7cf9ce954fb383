// Package live is the streaming hub: what was committed goes to the members who
// look on. It is fed after the commit only, and it asks the one audience function
// for each event and reader, at the moment of showing. It knows no wire shapes.
package live

import (
	"context"
	"slices"
	"sync"
	"time"

	"parley/social"
)

const (
	// backlog is how many events may wait for one reader. Whoever is slower is let
	// go, and reads what it missed as a list.
	backlog = 64
	// asksEvery is how often a stream finds out whether its reader still may read.
	asksEvery = 5 * time.Second
)

// Hub passes events on.
type Hub struct {
	social *social.Service

	mu     sync.Mutex
	subs   map[*subscription]bool
	closed bool
}

// New makes a Hub. Use tells it the network, which itself needs the hub.
func New() *Hub { return &Hub{subs: map[*subscription]bool{}} }

// Use gives the hub the network it shows; called once, before any event.
func (h *Hub) Use(s *social.Service) { h.social = s }

// subscription is one open stream.
type subscription struct {
	events chan social.Event
	over   chan struct{} // closed when the reader is too slow or the hub closes
	once   sync.Once
}

func (s *subscription) end() { s.once.Do(func() { close(s.over) }) }

// Happened implements social.Listener.
func (h *Hub) Happened(e social.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		select {
		case s.events <- e:
		default:
			s.end()
		}
	}
}

// Close ends all streams, so that the server can stop.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for s := range h.subs {
		s.end()
	}
}

func (h *Hub) add() *subscription {
	s := &subscription{events: make(chan social.Event, backlog), over: make(chan struct{})}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		s.end()
		return s
	}
	h.subs[s] = true
	return s
}

func (h *Hub) remove(s *subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs, s)
}

// Stream says which events a reader wants.
type Stream struct {
	Name Name
	Tag  string // folded; of a hashtag stream
}

// Name of a kind of stream.
type Name string

const (
	User    Name = "user"         // home timeline and notifications
	Public  Name = "public"       // what the public timeline lists
	Local   Name = "public:local" // of it, what was written here
	Company Name = "company"      // posts for the whole company
	Hashtag Name = "hashtag"
	Direct  Name = "direct"
)

// Message is one event as its reader may see it.
type Message struct {
	Kind         social.EventKind
	Post         *social.PostView         // posted, edited
	Notification *social.NotificationView // notified
	Deleted      social.ID
}

// Follow shows a stream until the context ends, the reader may not read any more
// (who answers an error), show fails or the hub closes. Every five seconds who is
// asked anew, and still tells whether anybody is there; it runs before the first
// event too, and from then on nothing is missed.
func (h *Hub) Follow(ctx context.Context, st Stream, who func() (social.Reader, error), show func(Message) error, still func() error) error {
	reader, err := who()
	if err != nil {
		return err
	}
	sub := h.add()
	defer h.remove(sub)
	if err := still(); err != nil {
		return err
	}
	tick := time.NewTicker(asksEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-sub.over:
			return nil
		case <-tick.C:
			if reader, err = who(); err == nil {
				err = still()
			}
		case e := <-sub.events:
			err = h.one(ctx, st, reader, e, show)
		}
		if err != nil {
			return err
		}
	}
}

// one shows an event if it belongs to the stream and the reader may see it now.
func (h *Hub) one(ctx context.Context, st Stream, r social.Reader, e social.Event, show func(Message) error) error {
	m := Message{Kind: e.Kind}
	var err error
	switch e.Kind {
	case social.EventNotified:
		if st.Name != User || e.To != r.AccountID() {
			return nil
		}
		m.Notification, err = h.social.Notification(ctx, r, e.Notification)
	case social.EventDeleted:
		m.Deleted = e.Post
		if ok, err := h.social.CouldSeePost(ctx, r, e.Post); err != nil || !ok {
			return err
		}
	case social.EventPosted:
		if st.Name == User && !slices.Contains(e.Owners, r.AccountID()) {
			return nil
		}
		fallthrough
	default:
		if m.Post, err = h.social.Post(ctx, r, e.Post); err == nil && !st.holds(m.Post.Post) {
			return nil
		}
	}
	if social.KindOf(err) == social.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	return show(m)
}

// holds says that a post that the reader may see belongs to a stream.
func (st Stream) holds(p *social.Post) bool {
	switch st.Name {
	case User:
		return p.Audience.Kind != social.AudienceDirect
	case Direct:
		return p.Audience.Kind == social.AudienceDirect
	case Hashtag:
		return slices.Contains(p.Tags, st.Tag) && p.Kind != social.PostBoost
	case Company:
		return p.Audience.Kind == social.AudienceCompany && p.Listed()
	case Local:
		return p.Local && p.Listed()
	}
	return p.Listed()
}
