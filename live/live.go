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
	// most is how many streams of one member may be open.
	most = 100
)

// Hub passes events on.
type Hub struct {
	social *social.Service

	mu     sync.Mutex
	subs   map[*subscription]bool
	open   map[social.ID]int // streams of a member
	last   int64             // place of the newest event
	past   []*moment         // the newest events, the oldest first
	from   int64             // what happened after this place is in past
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
	h := &Hub{subs: map[*subscription]bool{}, open: map[social.ID]int{}}
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
	events chan *moment
	over   chan struct{} // closed when the reader is too slow or the hub closes
	once   sync.Once
}

func (s *subscription) end() { s.once.Do(func() { close(s.over) }) }

// Happened implements social.Listener.
func (h *Hub) Happened(e social.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = max(h.last+1, h.Now())
	m := &moment{h.last, e}
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

// Streams counts the open ones.
func (h *Hub) Streams() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subs)
}

// add begins a subscription, with what happened since a place, and whether all of that
// is still known.
func (h *Hub) add(since int64) (s *subscription, past []*moment, all bool) {
	s = &subscription{events: make(chan *moment, backlog), over: make(chan struct{})}
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
	n, _ := slices.BinarySearchFunc(h.past, since+1, func(m *moment, place int64) int { return cmp.Compare(m.place, place) })
	return s, slices.Clone(h.past[n:]), true
}

// begin counts a stream of a member, if there may be one more.
func (h *Hub) begin(member social.ID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open[member] >= most {
		return false
	}
	h.open[member]++
	return true
}

func (h *Hub) end(member social.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open[member]--; h.open[member] <= 0 {
		delete(h.open, member)
	}
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
	List   social.ID // the reader's; of a list's stream
	Group  social.ID // of a group's stream
	Media  bool      // only posts with files
	Here   bool      // only posts that were written here
	Begins bool      // only posts that begin a conversation
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
	List    Name = "list"   // a part of the home timeline
	Group   Name = "group"  // what stands in a community

	Notifications Name = "user:notification"
	Remote        Name = "public:remote" // of the public timeline, what was written elsewhere
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
	var reader social.Reader
	var err error
	ask := func() { reader, err = who() }
	if apart(ask); err != nil {
		return err
	}
	if !h.begin(reader.AccountID()) {
		return social.Errorf(social.Limited, "too many streams are open; close some")
	}
	defer h.end(reader.AccountID())
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
			if apart(ask); err == nil {
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
func (h *Hub) one(ctx context.Context, st Stream, r social.Reader, what *moment, show func(Message) error) (err error) {
	var m *Message
	if apart(func() { m, err = h.message(ctx, st, r, what) }); err != nil || m == nil {
		return err
	}
	return show(*m)
}

// apart runs what goes deep, such as a question to the database, on a stack that is given
// back: thousands of streams that wait keep small ones.
func apart(f func()) {
	broke := make(chan any)
	go func() {
		defer func() { broke <- recover() }()
		f()
	}()
	if p := <-broke; p != nil {
		panic(p) // where it is known what it belongs to
	}
}

// message is an event as its reader may see it now; nil if the stream does not show it.
func (h *Hub) message(ctx context.Context, st Stream, r social.Reader, what *moment) (*Message, error) {
	e := what.event
	m := &Message{Place: what.place, Kind: e.Kind}
	var err error
	switch e.Kind {
	case social.EventNotified:
		if st.Name != User && st.Name != Notifications && !st.Told || e.To != r.AccountID() {
			return nil, nil
		}
		m.Notification, err = h.social.Notification(ctx, r, e.Notification)
	case social.EventDeleted:
		if m.Deleted = e.Post; st.Name == "" || st.Name == Notifications {
			return nil, nil
		}
		if ok, err := h.social.CouldSeePost(ctx, r, e.Post); err != nil || !ok {
			return nil, err
		}
	case social.EventPosted:
		if (st.Name == User || st.Name == List) && !slices.Contains(e.Owners, r.AccountID()) {
			return nil, nil
		}
		fallthrough
	default:
		r.Place = st.place()
		if m.Post, err = h.social.Post(ctx, r, e.Post); err == nil && !st.holds(m.Post.Post) {
			return nil, nil
		}
		if err == nil && (st.Name == List || st.Name == User && e.Kind == social.EventPosted) {
			if in, err := h.social.ComesIn(ctx, r, st.List, m.Post.Post); err != nil || !in {
				return nil, err
			}
		}
	}
	if social.KindOf(err) == social.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// place is where the reader's filters look at what comes, as in the list that it comes to.
func (st Stream) place() social.FilterPlace {
	switch st.Name {
	case User, List:
		return social.InHome
	case Thread:
		return social.InThread
	case Public, Local, Remote, Company, Hashtag:
		return social.InPublic
	}
	return ""
}

// holds says that a post that the reader may see belongs to a stream.
func (st Stream) holds(p *social.Post) bool {
	if st.Media && len(p.Attachments) == 0 || st.Here && !p.Local || st.Begins && p.InReplyToURI != "" {
		return false
	}
	switch st.Name {
	case "", Notifications:
		return false
	case User, List:
		return p.Audience.Kind != social.AudienceDirect
	case Group:
		return p.GroupID == st.Group && p.Kind != social.PostBoost
	case Remote:
		return !p.Local && p.Listed()
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
