package federation_test

import (
	"testing"

	"parley/social"
)

// This file attacks the bounds of threads and posts: what was said to few must not
// reach more because something else came, changed or went.

// arrive delivers an activity and lets nothing wait.
func (r *remote) arrive(t *testing.T, net interface{ Settle() }, inbox string, activity map[string]any) {
	t.Helper()
	if got := r.sendJSON(inbox, activity); got != 202 {
		t.Fatalf("answered %d", got)
	}
	net.Settle()
}

// said wraps a note in its Create.
func (r *remote) said(id string, note map[string]any) map[string]any {
	return map[string]any{"id": r.url("/creates/" + id), "type": "Create", "actor": note["attributedTo"], "object": note, "to": note["to"]}
}

// it: a reply keeps the bound that it was written under.
func TestLateParentWidensNothing(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	inbox := in.Config.PublicURL + "/inbox"
	alice, bob := followedBy(t, in, r, net), net.Member(in, "bob")
	root := r.note(0)
	middle := r.note(1)
	middle["inReplyTo"] = root["id"]
	r.arrive(t, net, inbox, r.said("1", middle))
	v, err := in.Social.PostByURI(t.Context(), alice, r.url("/notes/1"))
	if err != nil {
		t.Fatal(err)
	}
	inside := publish(t, in, bob, social.Draft{Text: "among us", Audience: "company", InReplyTo: v.Post.ID})
	canary := publish(t, in, alice, social.Draft{Text: "canary", Audience: "followers", InReplyTo: inside.ID})
	if got := fetch(t, r, "GET", canary.URI); got.status != 404 {
		t.Fatalf("a follower from outside is answered %d", got.status)
	}
	r.arrive(t, net, inbox, r.said("0", root))
	if got := fetch(t, r, "GET", canary.URI); got.status != 404 {
		t.Errorf("a follower from outside is answered %d after the thread's root came: %s", got.status, got.body)
	}
	seen, err := in.Social.Post(t.Context(), bob, inside.ID)
	if err != nil || seen.Post.ThreadID == v.Post.ID {
		t.Errorf("the thread did not grow together: %v", err)
	}
}
