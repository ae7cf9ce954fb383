package federation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// followedBy makes a member whom mallory of the remote follows, and lets nothing wait.
func followedBy(t *testing.T, in *instance.Instance, r *remote, net *instancetest.Network) social.Reader {
	t.Helper()
	alice := net.Member(in, "alice")
	follow := map[string]any{"id": r.url("/follows/1"), "type": "Follow", "actor": r.actor("mallory"), "object": alice.Account.URI}
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", follow); got != 202 {
		t.Fatalf("answered %d", got)
	}
	net.Settle()
	return alice
}

// Whatever waits for a server goes nowhere once it is blocked: its members are told
// nothing about people either.
func TestABlockedServerIsToldNothing(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := followedBy(t, in, r, net)
	w := r.wire()
	says := func(name string) bool {
		t.Helper()
		if _, err := in.Social.UpdateProfile(t.Context(), alice, social.ProfileChange{DisplayName: &name}); err != nil {
			t.Fatal(err)
		}
		if name == "canary" {
			inZone(t, in, r, social.Zone{Kind: social.ZoneBlocked})
		}
		net.Settle()
		return w.says(name)
	}
	if !says("Alice Meier") || says("canary") {
		t.Errorf("told: %v", w.of("Update", "Person"))
	}
}

// T20: a redirected delivery is a failure and waits; its body goes to nobody else.
func TestRedirectedDeliveryGoesNowhere(t *testing.T) {
	for status, zone := range map[int]social.ZoneKind{301: social.ZonePublic, 302: social.ZonePartner, 303: social.ZonePartner,
		307: social.ZonePublic, 308: social.ZonePartner} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			in, r, net := admitted(t, zone)
			elsewhere := second(t, in, zone)
			moved := false
			var mu sync.Mutex
			var asked []string
			r.special(func(w http.ResponseWriter, q *http.Request) bool {
				if !strings.HasSuffix(q.URL.Path, "/inbox") {
					return false
				}
				mu.Lock()
				defer mu.Unlock()
				if moved {
					asked = append(asked, q.Method+" "+q.URL.Path)
					http.Redirect(w, q, elsewhere.url("/users/mallory/inbox"), status)
				}
				return true
			})
			alice := followedBy(t, in, r, net)
			mu.Lock()
			moved = true
			before := elsewhere.fetches.Load()
			mu.Unlock()
			if _, err := in.Social.Publish(t.Context(), alice, social.Draft{Text: "canary", Audience: "public"}); err != nil {
				t.Fatal(err)
			}
			net.Settle()
			jobs, err := in.DB.Jobs(context.Background(), "deliver", r.host(), 10)
			if err != nil || len(jobs) != 1 || jobs[0].Attempts != 1 || !strings.Contains(jobs[0].LastError, "answered 3") {
				t.Errorf("%v %+v", err, jobs)
			}
			if n := elsewhere.fetches.Load() - before; n != 0 || len(asked) != 1 || !strings.HasPrefix(asked[0], http.MethodPost) {
				t.Errorf("%d requests elsewhere, asked %v", n, asked)
			}
		})
	}
}

// An inbox at an address that is refused gets nothing; the delivery waits, for the
// refusal may be the fault of a resolver or of the configuration (B1).
func TestRefusedAddressKeepsTheDelivery(t *testing.T) {
	in, _, net := admitted(t, social.ZonePublic)
	ctx, alice, now := t.Context(), net.Member(in, "alice"), time.Now()
	f := &social.Account{Kind: social.KindPerson, Username: "f", Host: "10.0.0.1", Authority: "10.0.0.1", URI: "http://10.0.0.1/f",
		InboxURI: "http://10.0.0.1/inbox", CreatedAt: now}
	if err := in.DB.Tx(ctx, func(tx social.Tx) error {
		if err := tx.SetZone(ctx, f.Authority, social.Zone{Kind: social.ZonePublic}, "test", now); err != nil {
			return err
		}
		if err := tx.InsertAccount(ctx, f); err != nil {
			return err
		}
		return tx.PutFollow(ctx, &social.Follow{ID: social.NewID(now), FollowerID: f.ID, TargetID: alice.Account.ID, State: social.FollowAccepted, CreatedAt: now})
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Publish(ctx, alice, social.Draft{Text: "hello", Audience: "public"}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	hosts, err := in.DB.Hosts(ctx)
	if err != nil || len(hosts) != 1 || hosts[0].Queued != 1 || !strings.Contains(hosts[0].LastError, "federation.allowed_networks") {
		t.Errorf("%v %+v", err, hosts)
	}
}

// A post whose creation was let pass by its edit still arrives as it is now: others
// know no edit of what they never had.
func TestALateCreationCarriesThePresentState(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	ctx := context.Background()
	var mu sync.Mutex
	sick := true
	var came []string
	r.special(func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.HasSuffix(q.URL.Path, "/inbox") {
			return false
		}
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		var o struct {
			Type   string
			Object struct{ Content string }
		}
		_ = json.Unmarshal(body, &o) // other activities have an address as object
		mu.Lock()
		defer mu.Unlock()
		if sick && o.Type == "Create" {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
		came = append(came, o.Type+" "+o.Object.Content)
		w.WriteHeader(http.StatusAccepted)
		return true
	})
	alice := followedBy(t, in, r, net)
	p := publish(t, in, alice, social.Draft{Text: "first", Audience: "public"})
	again := func() {
		t.Helper()
		if _, err := in.DB.RetryNow(ctx, r.host(), time.Now()); err != nil {
			t.Fatal(err)
		}
		net.Settle()
	}
	for range 4 {
		again()
	}
	if _, err := in.Social.Edit(ctx, alice, p.ID, social.Draft{Text: "second"}); err != nil {
		t.Fatal(err)
	}
	again()
	mu.Lock()
	sick = false
	mu.Unlock()
	again()
	got := strings.Join(came, "\n")
	if want := "Accept \nUpdate <p>second</p>\nCreate <p>second</p>"; got != want {
		t.Errorf("what came:\n%s\nwant\n%s", got, want)
	}
}
