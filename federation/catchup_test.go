package federation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// This file is the other side of catching up: a partner whose change log lies.

// liar is a partner that answers for its change log as a test says.
type liar struct {
	*remote
	t     *testing.T
	in    *instance.Instance
	net   *instancetest.Network
	clock *instancetest.Clock
	asked []url.Values
	page  func(q url.Values) (status int, header, page map[string]any)
}

func newLiar(t *testing.T) *liar {
	t.Helper()
	l := &liar{t: t, clock: instancetest.NewClock()}
	l.net = instancetest.NewWith(t, 1, instancetest.Options{Now: l.clock.Now})
	l.in = l.net.Instances[0]
	l.remote = newRemote(t).speaks()
	l.special(func(w http.ResponseWriter, q *http.Request) bool {
		if q.URL.Path != "/actor/outbox" {
			return false
		}
		l.asked = append(l.asked, q.URL.Query())
		status, header, page := l.page(q.URL.Query())
		for k, v := range header {
			w.Header().Set(k, fmt.Sprint(v))
		}
		w.Header().Set("Content-Type", "application/activity+json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(page)
		return true
	})
	if err := l.in.Social.SetZone(context.Background(), l.host(), social.Zone{Kind: social.ZonePartner, Name: "acme"}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	return l
}

// run lets the instance read the log once, and answers what it notes of it.
func (l *liar) run() social.CatchUp {
	l.t.Helper()
	l.asked = nil
	if err := l.in.Federation.CatchUpNow(context.Background(), l.host()); err != nil {
		l.t.Fatal(err)
	}
	l.net.Settle()
	var c social.CatchUp
	if err := l.in.DB.View(context.Background(), func(tx social.Tx) (err error) {
		c, err = tx.CatchUp(context.Background(), l.host())
		return err
	}); err != nil {
		l.t.Fatal(err)
	}
	return c
}

// tells is a page of a log.
func (l *liar) tells(head, next string, items ...any) map[string]any {
	page := map[string]any{"id": l.url("/actor/outbox?page=true"), "type": "OrderedCollectionPage", "epoch": "1", "head": head, "orderedItems": items}
	if next != "" {
		page["next"] = l.url("/actor/outbox?page=true&after=&upto=" + next)
	}
	return page
}

// always answers the same page.
func (l *liar) always(page map[string]any) {
	l.page = func(url.Values) (int, map[string]any, map[string]any) { return 200, nil, page }
}

// T13: pages that lead to each other, or to themselves, are read once.
func TestLogThatLoopsIsLeft(t *testing.T) {
	l := newLiar(t)
	l.page = func(q url.Values) (int, map[string]any, map[string]any) {
		next := map[string]string{"": "a", "a": "b", "b": "a"}[q.Get("upto")]
		return 200, nil, l.tells("top", next, l.create(1))
	}
	c := l.run()
	if len(l.asked) != 3 || !strings.Contains(c.LastError, "circles") || c.NextAt.Before(l.clock.Now().Add(59*time.Minute)) {
		t.Errorf("%d requests, %+v", len(l.asked), c)
	}
	if c = l.run(); len(l.asked) > 4 {
		t.Errorf("%d requests the second time, %+v", len(l.asked), c)
	}
	if !known(t, l.in, l.url("/notes/1")) {
		t.Error("what was true in it did not come")
	}
}

// C2: a log that never ends costs a bounded number of requests, and none in a hurry
// when it says nothing new.
func TestEndlessLogIsReadInParts(t *testing.T) {
	l := newLiar(t)
	n := 0
	l.page = func(url.Values) (int, map[string]any, map[string]any) {
		n++
		return 200, nil, l.tells("top", fmt.Sprint("page", n), l.create(1))
	}
	c := l.run()
	if len(l.asked) != 100 || len(c.Gaps) != 1 {
		t.Errorf("%d requests, %+v", len(l.asked), c)
	}
	if c = l.run(); len(l.asked) != 100 || c.NextAt.Before(l.clock.Now().Add(59*time.Minute)) {
		t.Errorf("%d requests with nothing new, due %s", len(l.asked), c.NextAt.Sub(l.clock.Now()))
	}
	if len(c.Gaps) > 16 {
		t.Errorf("%d gaps", len(c.Gaps))
	}
}

// What a log says of others, or without a right to, is dropped, and the rest taken.
func TestLogSpeaksForItsOwnOnly(t *testing.T) {
	l := newLiar(t)
	alice := l.net.Member(l.in, "alice")
	p := publish(t, l.in, alice, social.Draft{Text: "ours", Audience: "public"})
	other := second(t, l.in, social.ZonePublic)
	foreign := other.create(3)
	foreign["actor"] = other.actor("mallory")
	wrapped := l.create(4)
	wrapped["object"] = map[string]any{"id": l.url("/notes/4"), "type": "Note", "attributedTo": l.actor("victim"), "content": "not mine", "to": wrapped["to"]}
	forged := l.create(5)
	forged["proof"] = map[string]any{"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod",
		"verificationMethod": l.actor("mallory") + "#ed25519", "created": time.Now().UTC().Format(time.RFC3339), "proofValue": "z" + strings.Repeat("2", 87)}
	deep := any("x")
	for range 100 {
		deep = map[string]any{"a": deep}
	}
	good := l.create(9)
	l.always(l.tells("top", "", good, foreign, wrapped, forged,
		map[string]any{"id": l.url("/d/1"), "type": "Delete", "actor": l.actor("mallory"), "object": p.URI},
		map[string]any{"id": l.in.Config.PublicURL + "/x", "type": "Create", "actor": alice.Account.URI, "object": map[string]any{"id": p.URI + "1", "type": "Note", "attributedTo": alice.Account.URI, "content": "forged"}},
		map[string]any{"id": l.url("/deep"), "type": "Create", "actor": l.actor("mallory"), "object": deep},
		map[string]any{"id": l.actor("mallory") + "/featured", "type": "OrderedCollection", "attributedTo": l.actor("mallory"), "orderedItems": []string{p.URI}},
		"nothing", 7, nil))
	c := l.run()
	if !known(t, l.in, l.url("/notes/9")) || c.LastError != "" || len(c.Gaps) != 0 {
		t.Errorf("the good one did not come: %+v", c)
	}
	for _, uri := range []string{other.url("/notes/3"), l.url("/notes/4"), p.URI + "1"} {
		if known(t, l.in, uri) {
			t.Errorf("%s was taken", uri)
		}
	}
	if _, err := l.in.Social.Post(t.Context(), alice, p.ID); err != nil {
		t.Error("our post was deleted by another server")
	}
	if c.Refused < 6 {
		t.Errorf("%d items refused", c.Refused)
	}
	taken, refused := 0, 0
	if err := l.in.DB.LinkAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.in.DB.View(t.Context(), func(tx social.Tx) error {
		rows, err := tx.Audit(t.Context(), social.Page{Limit: 40})
		for _, r := range rows {
			switch {
			case r.Rule != "change log":
			case r.Result == social.AuditAllowed && r.Subject == good["id"] && r.Peer == l.host():
				taken++
			case r.Result == social.AuditRefused && r.Cause != "":
				refused++
			}
		}
		return err
	}); err != nil || taken != 1 || refused < 4 {
		t.Errorf("%d rows of what was taken and %d of what was not, %v", taken, refused, err)
	}
}

// A log that begins anew all the time is read from its start now and then.
func TestFlappingEpochCostsLittle(t *testing.T) {
	l := newLiar(t)
	n := 0
	l.page = func(url.Values) (int, map[string]any, map[string]any) {
		n++
		page := l.tells("top", "", l.create(1))
		page["epoch"] = fmt.Sprint(n)
		return 200, nil, page
	}
	l.run()
	requests := 0
	var c social.CatchUp
	for range 50 {
		c = l.run()
		requests += len(l.asked)
	}
	if requests > 55 || !strings.Contains(c.LastError, "anew") {
		t.Errorf("%d requests, %+v", requests, c)
	}
	if c.NextAt.Before(l.clock.Now().Add(59 * time.Minute)) {
		t.Errorf("due again in %s", c.NextAt.Sub(l.clock.Now()))
	}
}

// Pages and items that are too large or no pages end the run; nothing of them stays.
func TestAbsurdPagesAreRefused(t *testing.T) {
	many := make([]any, 201)
	for i := range many {
		many[i] = map[string]any{"id": i}
	}
	for name, page := range map[string]func(l *liar) map[string]any{
		"too many items":  func(l *liar) map[string]any { return l.tells("top", "", many...) },
		"too large":       func(l *liar) map[string]any { return l.tells("top", "", strings.Repeat("x", 1<<20)) },
		"an endless head": func(l *liar) map[string]any { return l.tells(strings.Repeat("x", 300), "") },
		"items in words":  func(l *liar) map[string]any { return map[string]any{"epoch": "1", "orderedItems": "none"} },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLiar(t)
			l.always(page(l))
			c := l.run()
			if len(l.asked) != 1 || c.LastError == "" || c.Top != "" || c.Items != 0 || c.Failures != 1 {
				t.Errorf("%d requests, %+v", len(l.asked), c)
			}
			for range 7 {
				c = l.run()
			}
			if wait := c.NextAt.Sub(l.clock.Now()); wait < time.Hour || wait > 16*time.Hour {
				t.Errorf("after eight failures it is due in %s", wait)
			}
		})
	}
}

// Whoever asks for patience gets it, and a server without a log is left alone for longer
// and longer, at most a day.
func TestLogIsAskedForAsItWishes(t *testing.T) {
	l := newLiar(t)
	l.page = func(url.Values) (int, map[string]any, map[string]any) {
		return 429, map[string]any{"Retry-After": "7200"}, nil
	}
	if c := l.run(); c.NextAt.Before(l.clock.Now().Add(2 * time.Hour)) {
		t.Errorf("due in %s", c.NextAt.Sub(l.clock.Now()))
	}
	l.clock.Advance(time.Hour)
	l.asked = nil
	if err := l.in.Federation.OrderCatchUps(t.Context()); err != nil {
		t.Fatal(err)
	}
	if l.net.Settle(); len(l.asked) != 0 {
		t.Error("asked before its time")
	}
	l.page = func(url.Values) (int, map[string]any, map[string]any) { return 404, nil, nil }
	var c social.CatchUp
	for range 9 {
		c = l.run()
	}
	if wait := c.NextAt.Sub(l.clock.Now()); wait != 24*time.Hour || !strings.Contains(c.LastError, "no change log") {
		t.Errorf("due in %s, %+v", wait, c)
	}
	l.always(map[string]any{"id": l.url("/actor/outbox"), "type": "OrderedCollection", "orderedItems": []any{l.create(1)}})
	if c := l.run(); !strings.Contains(c.LastError, "no change log") || known(t, l.in, l.url("/notes/1")) {
		t.Errorf("the outbox of another kind of server was taken for a log: %+v", c)
	}
}

// An item that fails for a reason that may pass holds the log up for a while, not for
// ever; one that shares a post of a dead server holds up nothing.
func TestOneItemStopsNoLog(t *testing.T) {
	l := newLiar(t)
	share := map[string]any{"id": l.url("/shares/1"), "type": "Announce", "actor": l.actor("mallory"), "object": "http://127.0.0.1:9/notes/1",
		"to": "https://www.w3.org/ns/activitystreams#Public", "published": l.clock.Now().Format(time.RFC3339)}
	if err := l.in.Social.SetZone(t.Context(), "127.0.0.1:9", social.Zone{Kind: social.ZonePublic}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	l.always(l.tells("top", "", l.create(1), share))
	if c := l.run(); c.LastError != "" || c.Items != 2 || c.DoneAt.IsZero() {
		t.Errorf("%+v", c)
	}
	// Nobody can be asked who "nobody" is: its server answers with a failure.
	l.special(func(w http.ResponseWriter, q *http.Request) bool {
		if q.URL.Path == "/users/nobody" {
			w.WriteHeader(http.StatusBadGateway)
		}
		return q.URL.Path == "/users/nobody"
	})
	lost := l.create(2)
	lost["actor"] = l.actor("nobody")
	l.always(l.tells("next", "", l.create(3), lost, l.create(4)))
	var c social.CatchUp
	for range 9 {
		c = l.run()
		l.clock.Advance(time.Minute) // so that its server is tried again
	}
	if !known(t, l.in, l.url("/notes/3")) || !known(t, l.in, l.url("/notes/4")) || c.Refused == 0 || c.LastError != "" {
		t.Errorf("%+v", c)
	}
}

// Nobody makes us take back what we did not write: without a restore nothing is asked,
// and after one only what a key of ours proves counts.
func TestOnlyOurProofBringsAPostBack(t *testing.T) {
	l := newLiar(t)
	alice := l.net.Member(l.in, "alice")
	p := publish(t, l.in, alice, social.Draft{Text: "ours", Audience: "public"})
	invented := alice.Account.URI + "/statuses/" + social.NewID(time.Now()).String()
	note := map[string]any{"id": invented, "type": "Note", "attributedTo": alice.Account.URI, "content": "never said", "to": "https://www.w3.org/ns/activitystreams#Public"}
	key := l.proves("mallory")
	foreign := json.RawMessage(proven(t, note, key, time.Now()))
	key.ID = l.in.Social.Links.EdKey(alice.Account.URI)
	renamed := json.RawMessage(proven(t, note, key, time.Now()))
	gone := json.RawMessage(proven(t, map[string]any{"id": l.url("/d/2"), "type": "Delete", "actor": alice.Account.URI, "object": p.URI,
		"published": time.Now().UTC().Add(time.Hour).Format(time.RFC3339)}, key, time.Now()))
	l.page = func(q url.Values) (int, map[string]any, map[string]any) {
		if q.Has("of") {
			return 200, nil, l.tells("", "", note, foreign, renamed, gone, map[string]any{"id": l.url("/d/1"), "type": "Delete", "actor": alice.Account.URI, "object": alice.Account.URI})
		}
		return 200, nil, l.tells("top", "")
	}
	if l.run(); len(l.asked) != 1 || l.asked[0].Has("of") {
		t.Errorf("asked %v without a restore", l.asked)
	}
	if _, err := l.in.Social.Restored(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := l.run()
	if !l.asked[0].Has("of") || c.Reclaimed != 0 || c.Refused < 4 {
		t.Errorf("asked %v, %+v", l.asked, c)
	}
	if known(t, l.in, invented) {
		t.Error("a post was put into a member's mouth")
	}
	if _, err := l.in.Social.Post(t.Context(), alice, p.ID); err != nil {
		t.Errorf("a post was deleted by a stranger: %v", err)
	}
	if a, err := l.in.Social.Account(t.Context(), alice, alice.Account.ID); err != nil || !a.Active() {
		t.Error("a member was deleted by a stranger")
	}
}

// A run that breaks off anywhere goes on where it was: also after a crash, and newest
// first when more has come since. Nothing is read again but the page that was lost.
func TestReadingGoesOnAfterACrash(t *testing.T) {
	l := newLiar(t)
	const pages = 12
	newest, broken := pages, 5 // the log grows at its top; the page below broken cannot be had
	l.page = func(q url.Values) (int, map[string]any, map[string]any) {
		at, bottom := newest, 0
		_, _ = fmt.Sscan(q.Get("upto"), &at)
		_, _ = fmt.Sscan(q.Get("after"), &bottom)
		if at == broken {
			return 503, nil, nil
		}
		if at <= bottom {
			return 200, nil, l.tells("", "")
		}
		next := ""
		if at-1 > bottom {
			next = fmt.Sprint(at - 1)
		}
		return 200, nil, l.tells(fmt.Sprint(at), next, l.create(10*at), l.create(10*at+1))
	}
	places := func() (out []string) {
		for _, q := range l.asked {
			out = append(out, q.Get("upto"))
		}
		return out
	}
	c := l.run()
	if got, want := fmt.Sprint(places()), "[ 11 10 9 8 7 6 5]"; got != want || len(c.Gaps) != 1 || c.Gaps[0].UpTo != "5" || c.Top != "12" {
		t.Fatalf("read %s, want %s; %+v", got, want, c)
	}
	l.net.Stop(0)
	l.in = l.net.Restart(0)
	newest = pages + 3
	l.clock.Advance(time.Minute)
	c = l.run()
	if got, want := fmt.Sprint(places()), "[ 14 13 5]"; got != want || c.Gaps[0].UpTo != "5" || c.Top != "15" {
		t.Fatalf("read %s, want %s; %+v", got, want, c)
	}
	broken = 0
	l.clock.Advance(time.Minute)
	if c = l.run(); fmt.Sprint(places()) != "[ 5 4 3 2 1]" || len(c.Gaps) != 0 || c.DoneAt.IsZero() || c.LastError != "" {
		t.Errorf("read %s; %+v", places(), c)
	}
	for at := 1; at <= newest; at++ {
		if !known(t, l.in, l.url(fmt.Sprintf("/notes/%d", 10*at))) || !known(t, l.in, l.url(fmt.Sprintf("/notes/%d", 10*at+1))) {
			t.Errorf("what page %d said is not there", at)
		}
	}
}

// C1: when many are due at once, few are asked at the same time, and each by one alone.
func TestManyLogsAreNoStorm(t *testing.T) {
	l := newLiar(t)
	l.always(l.tells("", ""))
	var now, most, all atomic.Int64
	for range 10 {
		r := newRemote(t).speaks()
		var busy atomic.Int64
		r.special(func(w http.ResponseWriter, q *http.Request) bool {
			if q.URL.Path != "/actor/outbox" {
				return false
			}
			all.Add(1)
			for n := now.Add(1); n > most.Load(); n = now.Load() {
				most.Store(n)
			}
			defer now.Add(-1)
			if busy.Add(1) > 1 {
				t.Errorf("%s is asked twice at once", r.host())
			}
			defer busy.Add(-1)
			time.Sleep(20 * time.Millisecond) // long enough for others to come meanwhile
			w.Header().Set("Content-Type", "application/activity+json")
			_ = json.NewEncoder(w).Encode(map[string]any{"id": r.url("/actor/outbox?page=true"), "epoch": "1", "orderedItems": []any{}})
			return true
		})
		if err := l.in.Social.SetZone(t.Context(), r.host(), social.Zone{Kind: social.ZonePartner, Name: "acme"}, "test", "test"); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 { // whoever asks, and however often
		if err := l.in.Federation.CatchUpNow(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	}
	l.net.Settle()
	if all.Load() != 10 || most.Load() > 4 || most.Load() < 2 {
		t.Errorf("%d requests, %d at once", all.Load(), most.Load())
	}
}

// Between paired instances catching up, comparing and giving back is sealed as all else:
// nothing of it can be read on the wire.
func TestCatchingUpIsSealed(t *testing.T) {
	net, wire := sisters(t, instancetest.Options{})
	a, b := net.Instances[0], net.Instances[1]
	alice, carol := net.Member(a, "alice"), net.Member(b, "carol")
	// Nobody there was ever met, so nothing of this was delivered.
	p := publish(t, a, alice, social.Draft{Text: "canary company", Audience: "company"})
	ctx := context.Background()
	catchUp := func(in *instance.Instance) {
		t.Helper()
		if err := in.Federation.CatchUpNow(ctx, ""); err != nil {
			t.Fatal(err)
		}
		net.Settle()
	}
	catchUp(b)
	if v, err := b.Social.PostByURI(ctx, carol, p.URI); err != nil || !strings.Contains(v.Post.Content, "canary company") {
		t.Fatalf("it did not come: %v", err)
	}
	if _, err := a.Social.Restored(ctx); err != nil {
		t.Fatal(err)
	}
	catchUp(a) // b gives back what it holds
	c, err := b.Federation.Compare(ctx, a.Config.Domain)
	if err != nil || !c.Equal() || c.Here != 1 {
		t.Errorf("%+v %v", c, err)
	}
	n := 0
	for _, e := range wire.All() {
		if strings.Contains(e.Target, "/actor/outbox") {
			n++
		}
		if strings.Contains(string(e.Response()), "canary") || strings.Contains(string(e.Response()), p.URI) {
			t.Errorf("readable on the wire: %s", e.Target)
		}
	}
	if n < 4 {
		t.Errorf("%d requests for the logs", n)
	}
}
