package federation_test

import (
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"testing"

	"parley/activitypub/httpsig"
	"parley/activitypub/proof"
	"parley/instance"
	"parley/social"
)

// speaks gives a remote the instance actor of a server like ours, in whose name it
// asks from now on.
func (r *remote) speaks() *remote {
	id := r.url("/actor")
	doc := r.person("instance")
	doc["id"], doc["type"] = id, "Application"
	doc["inbox"], doc["outbox"], doc["endpoints"] = id+"/inbox", id+"/outbox", map[string]any{"sharedInbox": r.url("/inbox")}
	delete(doc, "followers")
	delete(doc, "featured")
	doc["publicKey"] = map[string]any{"id": id + "#main-key", "owner": id, "publicKeyPem": string(r.public)}
	r.docs["/actor"] = doc
	r.key.ID = id + "#main-key"
	return r
}

// readLog reads the change log from its head down to after: what each item is about,
// with its type, and the places that the first page names.
func readLog(t *testing.T, in *instance.Instance, r *remote, after string) (items []string, head, epoch string) {
	t.Helper()
	next := in.Config.PublicURL + "/actor/outbox?page=true&after=" + url.QueryEscape(after)
	for page := 0; next != ""; page++ {
		if page > 1000 {
			t.Fatal("the log does not end")
		}
		a := fetch(t, r, "GET", next)
		if a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if page == 0 {
			head, _ = a.doc["head"].(string)
			epoch, _ = a.doc["epoch"].(string)
		}
		list, _ := a.doc["orderedItems"].([]any)
		for _, v := range list {
			if item := v.(map[string]any); !ofDirectory(item) {
				items = append(items, inWords(item))
			}
		}
		next, _ = a.doc["next"].(string)
	}
	return items, head, epoch
}

// inWords is an item in words.
func inWords(item map[string]any) string {
	about := item["object"]
	if o, ok := about.(map[string]any); ok {
		about = o["id"]
		if text, ok := o["content"].(string); ok {
			about = text
		}
	}
	if about == nil {
		about = item["id"]
	}
	return fmt.Sprintf("%v %v", item["type"], about)
}

// The log tells a sister what is now, newest first, each thing once; what it had and
// lost comes as a Delete, and what it never had not at all.
func TestChangeLogTellsTheState(t *testing.T) {
	in, r, net := admitted(t, social.ZoneCompany)
	r.speaks()
	ctx := context.Background()
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	first := publish(t, in, alice, social.Draft{Text: "first", Audience: "company"})
	second := publish(t, in, alice, social.Draft{Text: "second", Audience: "company"})
	publish(t, in, alice, social.Draft{Text: "inside", Audience: "instance"})
	open := publish(t, in, bob, social.Draft{Text: "open", Audience: "public"})
	unheard := publish(t, in, alice, social.Draft{Text: "never heard of", Audience: "company"})
	if _, err := in.Social.Edit(ctx, alice, first.ID, social.Draft{Text: "first, corrected"}); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Boost(ctx, alice, open.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Pin(ctx, bob, open.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Delete(ctx, alice, unheard.ID); err != nil {
		t.Fatal(err)
	}
	want := []string{"OrderedCollection " + bob.Account.FeaturedURI, "Announce " + open.URI, "Create <p>first, corrected</p>",
		"Create <p>open</p>", "Create <p>second</p>"}
	got, head, epoch := readLog(t, in, r, "")
	if !slices.Equal(got, want) || epoch == "" {
		t.Fatalf("epoch %q\n%q\n%q", epoch, got, want)
	}
	if again, same, _ := readLog(t, in, r, head); len(again) != 0 || same != "" {
		t.Errorf("nothing happened, and the log says %q", again)
	}
	publish(t, in, alice, social.Draft{Text: "hidden", Audience: "instance"})
	if _, same, _ := readLog(t, in, r, head); same != "" {
		t.Error("the head betrays what the sister may not see")
	}
	if _, err := in.Social.Delete(ctx, alice, second.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Edit(ctx, alice, first.ID, social.Draft{Text: "first, inside", Audience: "instance"}); err != nil {
		t.Fatal(err)
	}
	got, _, _ = readLog(t, in, r, head)
	if want := []string{"Delete " + first.URI, "Delete " + second.URI}; !slices.Equal(got, want) {
		t.Errorf("%q\n%q", got, want)
	}
	if err := in.Social.DeleteAccount(ctx, bob.Account.ID, "", "test"); err != nil {
		t.Fatal(err)
	}
	if got, _, _ = readLog(t, in, r, head); got[0] != "Delete "+bob.Account.URI || slices.Contains(got, "Create <p>open</p>") {
		t.Errorf("%q", got)
	}
}

// For everybody but the instance actors of sisters and partners the log is empty; a
// partner sees its part, and of public posts only what its people follow.
func TestChangeLogIsForSistersAndPartners(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice, bob := followedBy(t, in, r, net), net.Member(in, "bob")
	for _, d := range []social.Draft{{Text: "company", Audience: "company"}, {Text: "acme", Audience: "partner:acme"}, {Text: "globex", Audience: "partner:globex"},
		{Text: "followers", Audience: "followers"}, {Text: "public", Audience: "public"}, {Text: "direct", Audience: "direct"}} {
		publish(t, in, alice, d)
	}
	publish(t, in, bob, social.Draft{Text: "public of bob", Audience: "public"})
	log := in.Config.PublicURL + "/actor/outbox"
	zone := func(kind social.ZoneKind, name string) {
		t.Helper()
		if kind == social.ZoneCompany {
			r.pairs(in, company)
			everything(t, in, r.host())
			return
		}
		if err := in.Social.SetZone(context.Background(), r.host(), social.Zone{Kind: kind, Name: name}, "test", "test"); err != nil {
			t.Fatal(err)
		}
	}
	none := fetch(t, nil, "GET", log)
	empty := func(who string) {
		t.Helper()
		for _, address := range []string{log, log + "?page=true"} {
			if a := fetch(t, r, "GET", address); a.status != none.status || a.body != none.body {
				t.Errorf("%s gets of %s: %d %s", who, address, a.status, a.body)
			}
		}
	}
	empty("somebody of a public server")
	zone(social.ZoneCompany, "")
	empty("somebody of a sister")
	r.speaks()
	zone(social.ZonePartner, "acme")
	got, _, _ := readLog(t, in, r, "")
	want := []string{"Create <p>public</p>", "Create <p>followers</p>", "Create <p>acme</p>", "Accept " + r.url("/follows/1")}
	if !slices.Equal(got, want) {
		t.Errorf("a partner reads %q", got)
	}
	zone(social.ZoneCompany, "")
	if got, _, _ := readLog(t, in, r, ""); len(got) != 7 || got[0] != "Create <p>public of bob</p>" {
		t.Errorf("a sister reads %q", got)
	}
	zone(social.ZonePublic, "")
	empty("the actor of a public server")
}

// Each item bears its author's proof, so that it can be given back one day.
func TestItemsOfTheChangeLogAreProved(t *testing.T) {
	in, r, net := admitted(t, social.ZoneCompany)
	r.speaks()
	alice := net.Member(in, "alice")
	publish(t, in, alice, social.Draft{Text: "proved", Audience: "company"})
	a := fetch(t, r, "GET", in.Config.PublicURL+"/actor/outbox?page=true")
	var page struct{ OrderedItems []json.RawMessage }
	if err := json.Unmarshal([]byte(a.body), &page); err != nil || len(page.OrderedItems) != 2 {
		t.Fatal(a.body, err)
	}
	for what, b := range map[string][]byte{"activity": page.OrderedItems[0], "post": proof.Part(page.OrderedItems[0], "object"), "entry of the directory": page.OrderedItems[1]} {
		p, err := proof.Inspect(b, in.Social.Now())
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if err := p.Verify(keyAt(t, in, p.VerificationMethod)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// keyAt is a public key that an instance knows.
func keyAt(t *testing.T, in *instance.Instance, uri string) crypto.PublicKey {
	t.Helper()
	var k social.Key
	if err := in.DB.View(context.Background(), func(tx social.Tx) (err error) {
		k, err = tx.KeyByURI(context.Background(), uri)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	public, err := httpsig.ParsePublic(k.Public)
	if err != nil {
		t.Fatal(err)
	}
	return public
}
