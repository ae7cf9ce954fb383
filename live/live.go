// Package live is the streaming hub: what was committed goes to the members who
// look on. It is fed after the commit only, and it asks the one audience function
// for each event and reader, at the moment of showing. It knows no wire shapes.
package live

import (
	"cmp"
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
	// kept is how many past events a reader can still hear who comes back, or whose page
	// was made a moment before it listened.
	kept = 1024
	// asksEvery is how often a stream finds out whether its reader still may read.
	asksEvery = 5 * time.Second
)

// Hub passes events on.
type Hub struct {
	social *social.Service

	mu     sync.Mutex
	subs   map[*subscription]bool
	last   int64    // place of the newest event
	past   []moment // the newest events, the oldest first
	from   int64    // what happened after this place is in past
	closed bool
}

// moment is an event with its place in time: nanoseconds, and no two alike. A place that
// counted events would tell how much happens that one may not see.
type moment struct {
	place int64
	event social.Event
}

// New makes a Hub. Use tells it the network, which itself needs the hub.
func New() *Hub {
	h := &Hub{subs: map[*subscription]bool{}}
	h.last = h.Now()
	h.from = h.last
	return h
}

// Now is a place in time: of what is read from here on, a stream since then misses
// nothing.
func (h *Hub) Now() int64 { return time.Now().UnixNano() }

// Use gives the hub the network it shows; called once, before any event.
func (h *Hub) Use(s *social.Service) { h.social = s }

// subscription is one open stream.
type subscription struct {
	events chan moment
	over   chan struct{} // closed when the reader is too slow or the hub closes
	once   sync.Once
}

func (s *subscription) end() { s.once.Do(func() { close(s.over) }) }

// Happened implements social.Listener.
func (h *Hub) Happened(e social.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = max(h.last+1, h.Now())
	m := moment{h.last, e}
	if len(h.past) == kept {
		h.from = h.past[kept/2-1].place
		h.past = slices.Delete(h.past, 0, kept/2)
	}
	h.past = append(h.past, m)
	for s := range h.subs {
		select {
		case s.events <- m:
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

// add begins a subscription, with what happened since a place, and whether all of that
// is still known.
func (h *Hub) add(since int64) (s *subscription, past []moment, all bool) {
	s = &subscription{events: make(chan moment, backlog), over: make(chan struct{})}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		s.end()
		return s, nil, true
	}
	h.subs[s] = true
	if since == 0 {
		return s, nil, true
	}
	if since < h.from {
		return s, nil, false
	}
	n, _ := slices.BinarySearchFunc(h.past, since+1, func(m moment, place int64) int { return cmp.Compare(m.place, place) })
	return s, slices.Clone(h.past[n:]), true
}

func (h *Hub) remove(s *subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs, s)
}

// Stream says which events a reader wants.
type Stream struct {
	Name   Name      // "" for no posts
	Tag    string    // folded; of a hashtag stream
	Thread social.ID // its root post; of a thread's stream
	Told   bool      // notifications too, which a User stream has anyway
	Since  int64     // begin after this place in time; 0 for now
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
	Thread  Name = "thread" // a conversation
)

// Message is one event as its reader may see it.
type Message struct {
	Place        int64 // in time; where a stream can be taken up again
	Missed       bool  // what happened since the place asked for is no longer known; nothing else is set
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
	sub, past, all := h.add(st.Since)
	defer h.remove(sub)
	if err := still(); err != nil {
		return err
	}
	if !all {
		if err := show(Message{Place: h.Now(), Missed: true}); err != nil {
			return err
		}
	}
	for _, m := range past {
		if err := h.one(ctx, st, reader, m, show); err != nil {
			return err
		}
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
		case m := <-sub.events:
			err = h.one(ctx, st, reader, m, show)
		}
		if err != nil {
			return err
		}
	}
}

// one shows an event if it belongs to the stream and the reader may see it now.
func (h *Hub) one(ctx context.Context, st Stream, r social.Reader, what moment, show func(Message) error) error {
	e := what.event
	m := Message{Place: what.place, Kind: e.Kind}
	var err error
	switch e.Kind {
	case social.EventNotified:
		if st.Name != User && !st.Told || e.To != r.AccountID() {
			return nil
		}
		m.Notification, err = h.social.Notification(ctx, r, e.Notification)
	case social.EventDeleted:
		if m.Deleted = e.Post; st.Name == "" {
			return nil
		}
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
	case "":
		return false
	case User:
		return p.Audience.Kind != social.AudienceDirect
	case Thread:
		return p.ThreadID == st.Thread && p.Kind != social.PostBoost
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
