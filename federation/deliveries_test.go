package federation_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// moody is another server that answers deliveries as it is told to.
type moody struct {
	*remote
	t       *testing.T
	in      *instance.Instance
	net     *instancetest.Network
	alice   social.Reader
	answers atomic.Int64
	deletes atomic.Int64
	clock   *instancetest.Clock
}

func newMoody(t *testing.T, z social.ZoneKind) *moody {
	m := &moody{t: t, clock: instancetest.NewClock()}
	m.net = instancetest.NewWith(t, 1, instancetest.Options{Now: m.clock.Now})
	m.in, m.remote = m.net.Instances[0], newRemote(t)
	m.now = m.clock.Now
	m.stands(m.in, z)
	m.answers.Store(202)
	m.special(func(w http.ResponseWriter, q *http.Request) bool {
		if q.Method != http.MethodPost {
			return false
		}
		body := new(strings.Builder)
		_ = q.Write(body)
		if strings.Contains(body.String(), `"Delete"`) {
			m.deletes.Add(1)
		}
		w.WriteHeader(int(m.answers.Load()))
		return true
	})
	m.alice = m.net.Member(m.in, "alice")
	befriend(t, m.net, m.in, m.remote, m.alice)
	return m
}

// states tells the author where a post has arrived.
func (m *moody) states(p *social.Post) []social.DeliveryState {
	m.t.Helper()
	states, err := m.in.Social.Deliveries(context.Background(), m.alice, p.ID)
	if err != nil {
		m.t.Fatal(err)
	}
	return states
}

func (m *moody) want(when string, p *social.Post, state, reason string) {
	m.t.Helper()
	s := m.states(p)
	if len(s) != 1 || s[0].State != state || s[0].Peer != m.host() || !strings.Contains(s[0].LastError, reason) {
		m.t.Errorf("%s: %+v, want %s %q", when, s, state, reason)
	}
}

// What a server refused for good is not shown as delivered. It may have it all the
// same: its deletion still goes there.
func TestAuthorSeesARefusal(t *testing.T) {
	m := newMoody(t, social.ZonePublic)
	ctx := context.Background()
	for _, status := range []int{400, 403, 404, 410} {
		m.answers.Store(int64(status))
		p := publish(t, m.in, m.alice, social.Draft{Text: "hi", Audience: "public"})
		m.net.Settle()
		m.want("refused", p, "refused", fmt.Sprintf("answered %d", status))
		if _, err := m.in.Social.Edit(ctx, m.alice, p.ID, social.Draft{Text: "again"}); err != nil {
			t.Fatal(err)
		}
		m.net.Settle()
		m.want("refused with its edit", p, "refused", "answered 4")
		m.answers.Store(202)
		before := m.deletes.Load() // one that is refused may be tried in another dialect
		if _, err := m.in.Social.Edit(ctx, m.alice, p.ID, social.Draft{Text: "and again"}); err != nil {
			t.Fatal(err)
		}
		m.net.Settle()
		m.want("the next edit was taken", p, "delivered", "")
		m.answers.Store(int64(status))
		if _, err := m.in.Social.Delete(ctx, m.alice, p.ID); err != nil {
			t.Fatal(err)
		}
		m.net.Settle()
		if m.deletes.Load() == before {
			t.Errorf("%d: the deletion did not go", status)
		}
	}
}

// What was given up, or dropped by an administrator, is not shown as delivered.
func TestAuthorSeesWhatWasDropped(t *testing.T) {
	m := newMoody(t, social.ZonePublic)
	ctx := context.Background()
	m.answers.Store(500)
	p := publish(t, m.in, m.alice, social.Draft{Text: "hi", Audience: "public"})
	m.net.Settle()
	m.want("it fails", p, "waiting", "answered 500")
	m.clock.Advance(31 * 24 * time.Hour)
	m.net.Settle()
	m.want("30 days", p, "dropped", "given up: answered 500")

	tried := publish(t, m.in, m.alice, social.Draft{Text: "hi", Audience: "public"})
	m.net.Settle()
	if _, err := m.in.DB.Hold(ctx, m.host(), true, m.clock.Now()); err != nil {
		t.Fatal(err)
	}
	m.want("held", tried, "held", "answered 500")
	fresh := publish(t, m.in, m.alice, social.Draft{Text: "hi", Audience: "public"})
	m.net.Settle()
	m.want("held", fresh, "held", "")
	if n, err := m.in.DB.Drop(ctx, "deliver", m.host()); err != nil || n != 2 {
		t.Fatalf("%d dropped, %v", n, err)
	}
	for _, p := range []*social.Post{tried, fresh} {
		m.want("dropped", p, "dropped", "an administrator dropped it")
	}
	// Only what may be there is taken back there.
	if _, err := m.in.DB.Hold(ctx, m.host(), false, m.clock.Now()); err != nil {
		t.Fatal(err)
	}
	m.answers.Store(202)
	for want, p := range []*social.Post{fresh, tried} {
		if _, err := m.in.Social.Delete(ctx, m.alice, p.ID); err != nil {
			t.Fatal(err)
		}
		m.net.Settle()
		if got := int(m.deletes.Load()); got != want {
			t.Errorf("%d deletions were sent, want %d", got, want)
		}
	}
}

// What waits for a server that was blocked meanwhile has not arrived.
func TestAuthorSeesThatAServerWasBlocked(t *testing.T) {
	m := newMoody(t, social.ZonePublic)
	m.answers.Store(500)
	p := publish(t, m.in, m.alice, social.Draft{Text: "hi", Audience: "public"})
	m.net.Settle()
	if err := m.in.Social.SetZone(context.Background(), m.host(), social.Zone{Kind: social.ZoneBlocked}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	m.clock.Advance(time.Hour)
	m.net.Settle()
	m.want("blocked", p, "dropped", "does not allow it")
}

// A server that could not be reached and sends something is evidently back: what
// waits for it goes at once.
func TestServerThatSendsGetsWhatWaits(t *testing.T) {
	m := newMoody(t, social.ZonePartner)
	m.answers.Store(503)
	p := publish(t, m.in, m.alice, social.Draft{Text: "hi", Audience: "partner:acme"})
	for range 8 {
		m.net.Settle()
		m.clock.Advance(time.Hour)
	}
	m.net.Settle()
	m.want("it is down", p, "waiting", "answered 503")
	m.answers.Store(202)
	if m.net.Settle(); len(m.states(p)) != 1 || m.states(p)[0].State != "waiting" {
		t.Fatalf("it went by itself: %+v", m.states(p))
	}
	if got := m.sendJSON(m.in.Config.PublicURL+"/inbox", m.create(1)); got != 202 {
		t.Fatalf("answered %d", got)
	}
	m.net.Settle()
	m.want("it is back", p, "delivered", "")
}
