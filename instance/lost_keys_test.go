package instance_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// An instance comes back from a backup that is older than a change of its keys, and the
// former ones are good no more: nobody takes it for itself. Its own doctor and those of
// its sisters say so and what waits, and after a new code all goes on and nothing is lost.
func TestKeysLostByARestore(t *testing.T) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	clock.Advance(-9 * 24 * time.Hour) // so that it is right when the doctor looks
	net := instancetest.NewWith(t, 3, instancetest.Options{Now: clock.Now})
	a, b, c := net.Instances[0], net.Instances[1], net.Instances[2]
	s := &scene{T: t, net: net, ctx: ctx}
	alice, bob, carol := net.Member(a, "alice"), net.Member(b, "bob"), net.Member(c, "carol")
	for _, in := range net.Instances {
		caughtUp(t, net, clock, in)
	}
	file := filepath.Join(t.TempDir(), "backup")
	s.ok(b.Backup(ctx, file))
	_, err := b.Social.RotateKeys(ctx, "test")
	s.ok(err)
	net.Settle()
	given := says(t, b, bob, "since the backup", "company")
	net.Settle()
	clock.Advance(time.Since(clock.Now()))
	s.ok(b.Social.DropFormerKeys(ctx))
	net.Settle()

	b = net.Restore(1, file, "")
	toB, fromB := says(t, a, alice, "to whom it was", "company"), says(t, b, bob, "with keys of old", "company")
	net.Settle()
	if has(t, b, bob, toB.URI) || has(t, a, alice, fromB.URI) {
		t.Error("who shows former keys is taken for itself")
	}
	for _, one := range []struct {
		here, there *instance.Instance
		want        string
	}{{a, b, "it answers with other keys"}, {b, a, "it refuses the keys of this server"}} {
		told := ""
		for _, f := range instance.Diagnose(ctx, one.here.Config, one.here.Social.Log, clock.Now) {
			if f.Check == "paired" && strings.Contains(f.Text, one.there.Social.HomeAuthority()) && f.State != instance.StateOK {
				told = f.Text + " -> " + f.Remedy
			}
		}
		if !strings.Contains(told, one.want) || !strings.Contains(told, "a new code") {
			t.Errorf("%s says of %s: %q", one.here.Social.HomeAuthority(), one.there.Social.HomeAuthority(), told)
		}
	}

	accept(t, b, invite(t, a, b, companyZone), social.Zone{})
	net.Settle()
	for range 3 {
		clock.Advance(13 * time.Hour)
		for _, in := range net.Instances {
			s.ok(in.Federation.Recheck(ctx))
		}
		for _, in := range net.Instances {
			caughtUp(t, net, clock, in)
		}
	}
	sisters(t, net.Instances, net.Instances...)
	for i, who := range []social.Reader{alice, bob, carol} {
		for _, p := range []*social.Post{given, toB, fromB, says(t, net.Instances[1], bob, "again one of us", "company")} {
			net.Settle()
			if !has(t, net.Instances[i], who, p.URI) {
				t.Errorf("%s is not at %d", p.URI, i)
			}
		}
	}
	for _, one := range []struct{ here, there *instance.Instance }{{a, b}, {b, a}, {c, b}, {b, c}} {
		if d, err := one.here.Federation.Compare(ctx, one.there.Config.Domain); err != nil || !d.Equal() {
			t.Errorf("%s holds of %s: %+v %v", one.here.Config.Domain, one.there.Config.Domain, d, err)
		}
	}
}
