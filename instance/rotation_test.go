package instance_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

func pairingAt(t *testing.T, in, other *instance.Instance) (p social.Pairing) {
	t.Helper()
	if err := in.DB.View(context.Background(), func(tx social.Tx) (err error) {
		p, err = tx.Pairing(context.Background(), other.Social.HomeAuthority())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return p
}

func termsOf(t *testing.T, in *instance.Instance) (own social.Terms) {
	t.Helper()
	if err := in.DB.View(context.Background(), func(tx social.Tx) (err error) {
		own, err = in.Social.OwnTerms(context.Background(), tx)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return own
}

// refusals are the pairings that were parked and the deliveries that failed.
func refusals(t *testing.T, net *instancetest.Network) (all []string) {
	t.Helper()
	for _, in := range net.Instances {
		if err := in.DB.LinkAudit(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := in.DB.View(context.Background(), func(tx social.Tx) error {
			rows, err := tx.Audit(context.Background(), social.Page{Limit: 1000})
			for _, r := range rows {
				if r.Result == social.AuditRefused || r.Result == string(social.PairingParked) {
					all = append(all, fmt.Sprintf("%s at %s: %+v", r.Result, in.Config.Domain, r))
				}
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		hosts, err := in.DB.Hosts(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hosts {
			if h.Failures != 0 || h.Queued != 0 {
				all = append(all, fmt.Sprintf("%d failures, %d wait for %s at %s: %s", h.Failures, h.Queued, h.Name, in.Config.Domain, h.LastError))
			}
		}
	}
	return all
}

// Keys are changed on every instance in turn, with deliveries on their way in both
// directions: none fails, and a week later the former keys are good for nothing.
func TestKeysChangeWithoutAFailedDelivery(t *testing.T) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 3, instancetest.Options{Now: clock.Now})
	people := []social.Reader{net.Member(net.Instances[0], "alice"), net.Member(net.Instances[1], "bob"), net.Member(net.Instances[2], "carol")}
	everybodySays := func(text string) (posts []*social.Post) {
		for i, in := range net.Instances {
			posts = append(posts, says(t, in, people[i], text, "company"))
		}
		return posts
	}
	arrived := func(when string, posts []*social.Post) {
		t.Helper()
		for i, in := range net.Instances {
			for j, p := range posts {
				if i != j && !has(t, in, people[i], p.URI) {
					t.Errorf("%s: what %d said is not at %d", when, j, i)
				}
			}
		}
	}
	for i, in := range net.Instances {
		before := termsOf(t, in)
		queued := everybodySays(fmt.Sprintf("before the change %d", i))
		told, err := in.Social.RotateKeys(ctx, "test")
		if err != nil || len(told) != 2 {
			t.Fatalf("told %v: %v", told, err)
		}
		later := everybodySays(fmt.Sprintf("after the change %d", i))
		net.Settle()
		arrived("queued before", queued)
		arrived("said after", later)
		now := termsOf(t, in)
		if bytes.Equal(now.SigningKey, before.SigningKey) || bytes.Equal(now.SealingKey, before.SealingKey) {
			t.Error("the keys are the old ones")
		}
		for j, other := range net.Instances {
			if i == j {
				continue
			}
			if p := pairingAt(t, other, in); !bytes.Equal(p.SigningKey, now.SigningKey) || !bytes.Equal(p.SealingKey, now.SealingKey) || !p.Speaks(before.SigningKey, clock.Now()) || p.Speaks(before.SigningKey, clock.Now().Add(8*24*time.Hour)) {
				t.Errorf("%d has pinned %+v", j, p)
			}
		}
		if _, err := in.Social.RotateKeys(ctx, "test"); err == nil || !strings.Contains(err.Error(), "7 days") {
			t.Errorf("changed again at once: %v", err)
		}
	}
	if all := refusals(t, net); len(all) != 0 {
		t.Errorf("refused: %s", strings.Join(all, "\n"))
	}
	clock.Advance(8 * 24 * time.Hour)
	for _, in := range net.Instances {
		if err := in.Social.DropFormerKeys(ctx); err != nil {
			t.Fatal(err)
		}
	}
	posts := everybodySays("a week later")
	net.Settle()
	arrived("a week later", posts)
	if all := refusals(t, net); len(all) != 0 {
		t.Errorf("refused: %s", strings.Join(all, "\n"))
	}
	// The next company pins the new ones.
	fourth := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Now: clock.Now})
	net.Instances = append(net.Instances, fourth)
	accept(t, fourth, invite(t, net.Instances[0], fourth, companyZone), social.Zone{})
	net.Settle()
	sisters(t, net.Instances, net.Instances...)
	people = append(people, net.Member(fourth, "dora"))
	posts = everybodySays("all four")
	net.Settle()
	arrived("with the fourth", posts)
}

// Who was down during the change hears of it within the week, and goes on.
func TestAChangeOfKeysIsHeardLate(t *testing.T) {
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 2, instancetest.Options{Now: clock.Now})
	a, b := net.Instances[0], net.Instances[1]
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	net.Stop(1)
	if _, err := a.Social.RotateKeys(context.Background(), "test"); err != nil {
		t.Fatal(err)
	}
	p := says(t, a, alice, "while it was down", "company")
	net.Settle()
	clock.Advance(6 * 24 * time.Hour)
	b = net.Restart(1)
	net.Settle()
	clock.Advance(13 * time.Hour)
	net.Settle()
	q := says(t, b, bob, "back again", "company")
	net.Settle()
	if !has(t, b, bob, p.URI) || !has(t, a, alice, q.URI) || pairingAt(t, a, b).State != social.PairingActive || pairingAt(t, b, a).State != social.PairingActive {
		t.Errorf("%+v %+v", pairingAt(t, a, b), pairingAt(t, b, a))
	}
}

// A sister that was down for longer than the keys are good beside each other hears of
// the change when it is back, and gets all that it missed.
func TestKeysChangedWhileASisterWasDown(t *testing.T) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 3, instancetest.Options{Now: clock.Now})
	a := net.Instances[0]
	alice, bob := net.Member(a, "alice"), net.Member(net.Instances[1], "bob")
	net.Settle()
	net.Stop(1)
	if _, err := a.Social.RotateKeys(ctx, "test"); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	p := says(t, a, alice, "while you were away", "company")
	for range 30 {
		clock.Advance(24 * time.Hour)
		if err := a.Social.DropFormerKeys(ctx); err != nil {
			t.Fatal(err)
		}
	}
	b := net.Restart(1)
	for range 5 {
		clock.Advance(13 * time.Hour)
		if err := b.Federation.CatchUpNow(ctx, ""); err != nil {
			t.Log(err)
		}
		net.Settle()
		if err := b.Federation.Recheck(ctx); err != nil { // as it does each minute
			t.Log(err)
		}
	}
	if !has(t, b, bob, p.URI) {
		list, err := b.Social.Pairings(ctx)
		t.Errorf("it gets nothing any more: %+v %v", list, err)
	}
	clock.Advance(8 * 24 * time.Hour)
	if err := a.Social.DropFormerKeys(ctx); err != nil {
		t.Fatal(err)
	}
	if err := a.DB.View(ctx, func(tx social.Tx) error {
		_, err := a.Social.FormerKey(ctx, tx)
		return err
	}); social.KindOf(err) != social.NotFound {
		t.Errorf("all have heard, and the former key is still there: %v", err)
	}
}
