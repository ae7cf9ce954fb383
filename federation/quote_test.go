package federation_test

import (
	"context"
	"testing"

	"parley/social"
)

// FEP-044f: who asks may quote what everybody may see, with a consent that others can
// read; what has known readers is refused, what is hidden gets no answer.
func TestQuoteRequestsAreAnswered(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	sent := r.deliveries()
	alice := net.Member(in, "alice")
	ctx := context.Background()
	ask := func(n, object string, quote any) (accepts, rejects []map[string]any) {
		t.Helper()
		request := map[string]any{"id": r.url("/q/" + n), "type": "QuoteRequest", "actor": r.actor("mallory"), "object": object, "instrument": quote}
		a, b := len(sent.of("Accept")), len(sent.of("Reject"))
		if got := r.sendJSON(in.Config.PublicURL+"/inbox", request); got != 202 {
			t.Fatalf("answered %d", got)
		}
		net.Settle()
		return sent.of("Accept")[a:], sent.of("Reject")[b:]
	}
	open := publish(t, in, alice, social.Draft{Text: "quote me", Audience: "public"})
	yes, no := ask("1", open.URI, r.url("/notes/1"))
	if len(yes) != 1 || len(no) != 0 {
		t.Fatalf("%v %v", yes, no)
	}
	request := yes[0]["object"].(map[string]any)
	if request["type"] != "QuoteRequest" || request["id"] != r.url("/q/1") || request["instrument"] != r.url("/notes/1") || yes[0]["actor"] != alice.Account.URI {
		t.Errorf("%v", yes[0])
	}
	consent := yes[0]["result"].(string)
	a := fetch(t, nil, "GET", consent)
	if a.status != 200 || a.doc["type"] != "QuoteAuthorization" || a.doc["id"] != consent || a.doc["attributedTo"] != alice.Account.URI ||
		a.doc["interactingObject"] != r.url("/notes/1") || a.doc["interactionTarget"] != open.URI {
		t.Errorf("%d %s", a.status, a.body)
	}
	again, _ := ask("2", open.URI, map[string]any{"id": r.url("/notes/1"), "type": "Note", "attributedTo": r.actor("mallory")})
	if len(again) != 1 || again[0]["result"] != consent || again[0]["object"].(map[string]any)["id"] != r.url("/q/2") {
		t.Errorf("asked again: %v", again)
	}
	if yes, no := ask("3", open.URI, map[string]any{"id": r.url("/notes/2"), "type": "Note", "attributedTo": r.actor("victim")}); len(yes)+len(no) != 0 {
		t.Errorf("for somebody else's quote: %v %v", yes, no)
	}
	if yes, no := ask("4", open.URI, "https://else.example/notes/1"); len(yes)+len(no) != 0 {
		t.Errorf("for another server's quote: %v %v", yes, no)
	}
	named := publish(t, in, alice, social.Draft{Text: "@mallory@" + r.host() + " between us", Audience: "direct"})
	if yes, no := ask("5", named.URI, r.url("/notes/3")); len(yes) != 0 || len(no) != 1 {
		t.Errorf("of a direct post: %v %v", yes, no)
	}
	inside := publish(t, in, alice, social.Draft{Text: "canary", Audience: "company"})
	if yes, no := ask("6", inside.URI, r.url("/notes/4")); len(yes)+len(no) != 0 {
		t.Errorf("of a hidden post: %v %v", yes, no)
	}
	if _, err := in.Social.Delete(ctx, alice, open.ID); err != nil {
		t.Fatal(err)
	}
	if a := fetch(t, nil, "GET", consent); a.status != 410 {
		t.Errorf("the consent outlives the post: %d", a.status)
	}
	if _, err := in.Social.Block(ctx, alice, accountOf(t, in, r.actor("mallory")).ID, true); err != nil {
		t.Fatal(err)
	}
	second := publish(t, in, alice, social.Draft{Text: "not for you", Audience: "public"})
	if yes, _ := ask("7", second.URI, r.url("/notes/5")); len(yes) != 0 {
		t.Errorf("somebody blocked may quote: %v", yes)
	}
}
