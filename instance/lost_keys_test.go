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
	t.Run("of a company", func(t *testing.T) { keysLostByARestore(t, 1) })
	t.Run("of the keeper of the list", func(t *testing.T) { keysLostByARestore(t, 0) })
}

func keysLostByARestore(t *testing.T, who int) {
	ctx := context.Background()
	clock := instancetest.NewClock()
	clock.Advance(-9 * 24 * time.Hour) // so that it is right when the doctor looks
	net := instancetest.NewWith(t, 3, instancetest.Options{Now: clock.Now})
	s := &scene{T: t, net: net, ctx: ctx}
	people := []social.Reader{net.Member(net.Instances[0], "alice"), net.Member(net.Instances[1], "bob"), net.Member(net.Instances[2], "carol")}
	if keeper := rosterOf(t, net.Instances[1]).Keeper; keeper != net.Instances[0].Social.HomeAuthority() {
		t.Fatalf("the list is kept by %s", keeper)
	}
	for _, in := range net.Instances {
		caughtUp(t, net, clock, in)
	}
	loser, other := net.Instances[who], net.Instances[1-who]
	file := filepath.Join(t.TempDir(), "backup")
	s.ok(loser.Backup(ctx, file))
	_, err := loser.Social.RotateKeys(ctx, "test")
	s.ok(err)
	net.Settle()
	given := says(t, loser, people[who], "since the backup", "company")
	net.Settle()
	clock.Advance(time.Since(clock.Now()))
	s.ok(loser.Social.DropFormerKeys(ctx))
	net.Settle()

	loser = net.Restore(who, file, "")
	to, from := says(t, other, people[1-who], "to whom it was", "company"), says(t, loser, people[who], "with keys of old", "company")
	net.Settle()
	if has(t, loser, people[who], to.URI) || has(t, other, people[1-who], from.URI) {
		t.Error("who shows former keys is taken for itself")
	}
	doctorTells(t, other, loser, "it answers with other keys", clock.Now)
	doctorTells(t, loser, other, "it refuses the keys of this server", clock.Now)

	keeper := net.Instances[0]
	for _, in := range net.Instances[1:] {
		if keeper == loser || in == loser {
			accept(t, in, invite(t, keeper, in, companyZone), social.Zone{})
		}
	}
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
	again := says(t, loser, people[who], "again one of us", "company")
	net.Settle()
	for i, in := range net.Instances {
		for _, p := range []*social.Post{given, to, from, again} {
			if !has(t, in, people[i], p.URI) {
				t.Errorf("%q is not at %d", p.Content, i)
			}
		}
		for _, of := range net.Instances {
			if in == of {
				continue
			}
			if d, err := in.Federation.Compare(ctx, of.Config.Domain); err != nil || !d.Equal() {
				t.Errorf("%s holds of %s: %+v %v", in.Config.Domain, of.Config.Domain, d, err)
			}
		}
	}
}

// doctorTells wants the doctor of an instance to say so about another, and to name a new
// code as what helps.
func doctorTells(t *testing.T, in, of *instance.Instance, what string, now func() time.Time) {
	t.Helper()
	told := ""
	for _, f := range instance.Diagnose(context.Background(), in.Config, in.Social.Log, now) {
		if f.Check == "paired" && f.State != instance.StateOK && strings.Contains(f.Text, of.Social.HomeAuthority()) {
			told = f.Text + " -> " + f.Remedy
		}
	}
	if !strings.Contains(told, what) || !strings.Contains(told, "a new code") {
		t.Errorf("%s says of %s: %q", in.Config.Domain, of.Config.Domain, told)
	}
}
