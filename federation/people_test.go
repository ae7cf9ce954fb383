package federation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// person is an entry of the directory as a scripted server tells it.
func (r *remote) entry(n, version int, more map[string]any) map[string]any {
	uri := r.url(fmt.Sprintf("/users/%d", n))
	e := map[string]any{"type": "DirectoryEntry", "id": uri + "#directory", "describes": uri, "version": version,
		"preferredUsername": fmt.Sprintf("p%d", n), "name": fmt.Sprintf("Person %d", n)}
	for k, v := range more {
		e[k] = v
	}
	return e
}

// tell sends entries as the instance actor.
func (r *remote) tell(t *testing.T, in *instance.Instance, net *instancetest.Network, entries ...any) {
	t.Helper()
	r.n++
	r.arrive(t, net, in.Config.PublicURL+"/inbox", map[string]any{"id": r.url(fmt.Sprintf("/tells/%d", r.n)), "type": "Update",
		"actor": r.url("/actor"), "object": entries})
}

// inDirectory says in words whom a member finds, with the title.
func inDirectory(t *testing.T, in *instance.Instance, r social.Reader, q string) string {
	t.Helper()
	entries, err := in.Social.Directory(context.Background(), r, social.DirectoryQuery{Text: q, Limit: 40})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSpace(e.Name+" "+e.Title))
	}
	return strings.Join(out, ", ")
}

// refusedCauses are the causes of what was dropped after it had been taken.
func refusedCauses(t *testing.T, in *instance.Instance) (causes []string) {
	t.Helper()
	for _, r := range audited(t, in, ofKind(social.AuditReceive, social.AuditRefused)) {
		causes = append(causes, r.Cause)
	}
	return causes
}

// Entries count from an instance about its own people alone; all else is refused as a
// whole, written down, and shows nothing.
func TestDirectoryIsToldByItsOwnInstance(t *testing.T) {
	in, r, net := admitted(t, social.ZoneCompany)
	r.speaks()
	alice := net.Member(in, "alice")
	r.tell(t, in, net, r.entry(1, 5, map[string]any{"jobTitle": "Boss"}))
	if got := inDirectory(t, in, alice, "person"); got != "Person 1 Boss" {
		t.Fatalf("%q", got)
	}
	third := second(t, in, social.ZoneCompany)
	many := []any{}
	for n := range 501 {
		many = append(many, r.entry(1000+n, 1, nil))
	}
	for cause, entries := range map[string][]any{
		"is about somebody of another server": {r.entry(2, 1, nil), r.entry(3, 1, map[string]any{"describes": alice.Account.URI, "id": alice.Account.URI + "#directory", "name": "Alice is gone"})},
		"another server":                      {r.entry(2, 1, nil), third.entry(3, 1, nil)},
		"somebody of another server":          {map[string]any{"type": "Tombstone", "formerType": "DirectoryEntry", "version": 9e12, "describes": alice.Account.URI, "id": alice.Account.URI + "#directory"}},
		"about somebody":                      {r.entry(2, 1, map[string]any{"id": r.url("/users/9#directory")})},
		"has no version":                      {r.entry(2, 0, nil)},
		"no version":                          {r.entry(2, -5, nil)},
		"of the directory has no version":     {r.entry(2, 1, map[string]any{"version": "7"})},
		"told from others":                    {r.entry(2, 1, map[string]any{"preferredUsername": "ali\u202ece"})},
		"has no name that can be told":        {r.entry(2, 1, map[string]any{"preferredUsername": ""})},
		"more than 500 people":                many,
	} {
		before := len(refusedCauses(t, in))
		r.tell(t, in, net, entries...)
		if causes := refusedCauses(t, in); len(causes) != before+1 || !strings.Contains(causes[before], cause) {
			t.Errorf("%s: written down as %q", cause, causes[before:])
		}
	}
	// Somebody there speaks for nobody, and another server passes nothing on.
	before := len(refusedCauses(t, in))
	r.key.ID = r.actor("mallory") + "#main-key"
	r.arrive(t, net, in.Config.PublicURL+"/inbox", map[string]any{"id": r.url("/tells/member"), "type": "Update", "actor": r.actor("mallory"), "object": []any{r.entry(2, 1, nil)}})
	r.arrive(t, net, in.Config.PublicURL+"/inbox", map[string]any{"id": r.url("/forgets/member"), "type": "Delete", "actor": r.actor("mallory"), "object": r.url("/actor#directory")})
	if causes := refusedCauses(t, in); len(causes) == before || !strings.Contains(causes[before], "its own instance alone") {
		t.Errorf("a member there: %q", causes[before:])
	}
	if got := inDirectory(t, in, alice, ""); got != "alice, Person 1 Boss" {
		t.Errorf("in the directory: %q", got)
	}
}

// A newer entry replaces the whole, an older one nothing, and who is gone comes back by
// a newer one alone.
func TestOlderEntryReplacesNothing(t *testing.T) {
	in, r, net := admitted(t, social.ZoneCompany)
	r.speaks()
	alice := net.Member(in, "alice")
	gone := func(version int) any {
		e := r.entry(1, version, nil)
		return map[string]any{"type": "Tombstone", "formerType": "DirectoryEntry", "id": e["id"], "describes": e["describes"], "version": version}
	}
	for _, step := range []struct {
		entry any
		want  string
	}{
		{r.entry(1, 5, map[string]any{"jobTitle": "Five", "skills": []any{"Kites"}}), "Person 1 Five"},
		{r.entry(1, 4, map[string]any{"jobTitle": "Four"}), "Person 1 Five"},
		{r.entry(1, 6, map[string]any{"jobTitle": "Six"}), "Person 1 Six"},
		{r.entry(1, 6, map[string]any{"jobTitle": "Narrowed"}), "Person 1 Narrowed"},
		{gone(5), "Person 1 Narrowed"}, {gone(7), ""}, {r.entry(1, 6, nil), ""}, {r.entry(1, 8, nil), "Person 1"},
		{[]any{}, "Person 1"}, {map[string]any{"type": "DirectoryUnit", "name": "of tomorrow"}, "Person 1"},
	} {
		r.tell(t, in, net, step.entry)
		if got := inDirectory(t, in, alice, "person"); got != step.want {
			t.Errorf("%v: %q, want %q", step.entry, got, step.want)
		}
	}
	if got := inDirectory(t, in, alice, "kites"); got != "" {
		t.Errorf("what a newer entry has not: %q", got)
	}
	r.arrive(t, net, in.Config.PublicURL+"/inbox", map[string]any{"id": r.url("/forgets/1"), "type": "Delete", "actor": r.url("/actor"), "object": r.url("/actor#directory")})
	if got := inDirectory(t, in, alice, "person"); got != "" {
		t.Errorf("taken back: %q", got)
	}
}

// What others write is cleaned and cut, and their number is bounded.
func TestHostileDirectory(t *testing.T) {
	in, r, net := admitted(t, social.ZoneCompany)
	r.speaks()
	alice := net.Member(in, "alice")
	in.Social.Limits.People = 5
	long := strings.Repeat("x", 5000)
	skills := []any{7, nil, "<b>Go</b>"}
	for n := range 100 {
		skills = append(skills, fmt.Sprint("skill ", n, long))
	}
	r.tell(t, in, net, r.entry(1, 1, map[string]any{"name": "Eve\u202e\x00\nBoss <script>" + long, "jobTitle": long, "department": []any{long}, "workLocation": map[string]any{"x": 1},
		"skills": skills, "manager": "javascript:alert(1)", "icon": map[string]any{"type": "Image", "url": "javascript:alert(1)"}, "pronouns": 7, "shown": map[string]any{"name": "partners"}, "Imported": true}))
	entries, err := in.Social.Directory(t.Context(), alice, social.DirectoryQuery{Text: "eve"})
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	e := entries[0]
	if len([]rune(e.Name)) != 200 || strings.ContainsAny(e.Name, "\u202e\x00\n") || len(e.Title) != 200 || len(e.Skills) != 30 || len(e.Skills[1]) > 60 || e.Manager != "" || e.Photo != "" || e.Imported || e.Shown != nil {
		t.Errorf("%+v", e.Person)
	}
	var page []any
	for n := range 4 {
		page = append(page, r.entry(10+n, 1, nil))
	}
	r.tell(t, in, net, page...)
	before := len(refusedCauses(t, in))
	for n := range 3 {
		r.tell(t, in, net, r.entry(100+n, 1, nil), r.entry(10, 2, map[string]any{"jobTitle": "not taken either"}))
	}
	if causes := refusedCauses(t, in); len(causes) != before+3 || !strings.Contains(causes[before], "has 5 people in the directory already") {
		t.Errorf("%q", causes[before:])
	}
	r.tell(t, in, net, r.entry(10, 2, map[string]any{"jobTitle": "of the known"}))
	if got := inDirectory(t, in, alice, "person"); got != "Person 10 of the known, Person 11, Person 12, Person 13" {
		t.Errorf("%q", got)
	}
}

// Only sisters and partners have a place in the directory.
func TestPublicServersHaveNoPlaceInTheDirectory(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	r.speaks()
	alice := net.Member(in, "alice")
	kept := r.deliveries()
	r.tell(t, in, net, r.entry(1, 1, nil))
	if got, causes := inDirectory(t, in, alice, "person"), refusedCauses(t, in); got != "" || len(causes) != 1 || !strings.Contains(causes[0], "no place in the directory") {
		t.Errorf("%q %q", got, causes)
	}
	if n := len(kept.entries()); n != 0 {
		t.Errorf("%d entries went there", n)
	}
}

// entries lists what a server was told of people.
func (d *deliveries) entries() (out []map[string]any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, o := range d.list {
		if ofDirectory(o) {
			for _, e := range many(o["object"]) {
				out = append(out, e.(map[string]any))
			}
		}
	}
	return out
}

// An entry that waited while a field was hidden leaves without it; who is hidden
// altogether, a partner that is not paired, and fields that a pairing does not name
// stay at home.
func TestEntryIsWrittenWhenItLeaves(t *testing.T) {
	in, r, net := admitted(t, social.ZoneCompany)
	kept := r.deliveries()
	ctx, title := context.Background(), "canary title"
	alice := net.Member(in, "alice")
	hide := map[social.PersonField]social.Reach{social.FieldTitle: social.ReachInstance}
	for _, c := range []social.PersonChange{{Title: &title}, {Shown: hide}} {
		if _, err := in.Social.UpdatePerson(ctx, alice, c); err != nil {
			t.Fatal(err)
		}
	}
	net.Settle()
	told := kept.entries()
	if text, _ := json.Marshal(told); len(told) != 3 || strings.Contains(string(text), "canary") || told[2]["name"] != "alice" {
		t.Errorf("%s", text)
	}
	// One who was never shown is not even named.
	bob := net.Member(in, "bob")
	net.Settle()
	if _, err := in.Social.UpdatePerson(ctx, bob, social.PersonChange{Shown: map[social.PersonField]social.Reach{social.FieldName: social.ReachInstance}}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	told = kept.entries()
	if last := told[len(told)-1]; last["type"] != "Tombstone" || last["name"] != nil || last["describes"] != bob.Account.URI {
		t.Errorf("hidden: %v", last)
	}
	if _, err := in.Social.UpdatePerson(ctx, bob, social.PersonChange{Title: &title}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	if n := len(kept.entries()); n != len(told) {
		t.Errorf("changes of who is hidden are told: %v", kept.entries()[len(told):])
	}

	partner := second(t, in, social.ZonePartner)
	if err := in.Social.SetZone(ctx, partner.host(), social.Zone{Kind: social.ZonePartner, Name: "acme"}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	theirs := partner.deliveries()
	if _, err := in.Social.UpdatePerson(ctx, alice, social.PersonChange{Shown: map[social.PersonField]social.Reach{social.FieldTitle: social.ReachPartners}}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	if n := len(theirs.entries()); n != 0 {
		t.Errorf("a partner that is not paired got %v", theirs.entries())
	}
}

// Entries of a server that says nothing for a week are marked, until it is heard.
func TestEntriesGoStale(t *testing.T) {
	clock := instancetest.NewClock()
	net := instancetest.NewWith(t, 1, instancetest.Options{Now: clock.Now})
	in, r := net.Instances[0], newRemote(t)
	r.now = clock.Now
	r.pairs(in, company)
	r.speaks()
	alice := net.Member(in, "alice")
	r.tell(t, in, net, r.entry(1, 1, nil))
	stale := func(want bool) {
		t.Helper()
		entries, err := in.Social.Directory(t.Context(), alice, social.DirectoryQuery{Text: "person"})
		if err != nil || len(entries) != 1 || entries[0].Stale != want {
			t.Errorf("%+v %v, want stale %v", entries, err, want)
		}
	}
	stale(false)
	clock.Advance(7*24*time.Hour - time.Minute)
	stale(false)
	clock.Advance(2 * time.Minute)
	stale(true)
	r.tell(t, in, net, r.entry(2, 1, map[string]any{"name": "else"}))
	stale(false)
}
