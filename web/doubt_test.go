package web_test

import (
	"strings"
	"testing"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// A post for a partner is asked about once, in words that name the partner and its server;
// the answer holds for that partner alone, and a reply is asked about no more.
func TestPostsForPartnersAreAskedAbout(t *testing.T) {
	net := instancetest.New(t, 3, nil)
	in, acme, globex := net.Instances[0], net.Instances[1], net.Instances[2]
	for name, peer := range map[string]*instance.Instance{"acme": acme, "globex": globex} {
		net.Zone(in, peer, social.Zone{Kind: social.ZonePartner, Name: name})
	}
	alice := net.Member(in, "alice")
	for language, words := range map[string][]string{
		"en": {"at ACME reads it: it leaves the company", acme.Config.Domain, "Nobody can call it back", "Send it to the partner"},
		"de": {"bei ACME lesen es: Es verlässt die Firma", acme.Config.Domain, "Niemand kann es sicher zurückholen", "An den Partner senden"},
	} {
		v, text := newVisitor(t, in, language).as(alice), "prices in "+language
		asked := v.post("/posts", 422, "text", text, "audience", "partner:acme").wrong("audience", "text", text, "audience", "partner:acme").says(words...)
		if !strings.Contains(asked.raw, `name="to:partner:acme" value="yes"`) {
			t.Error("there is no button that sends it")
		}
		again := v.post("/posts", 422, "text", text, "audience", "partner:globex", "to:partner:acme", "yes").says("Globex", globex.Config.Domain)
		if strings.Contains(again.raw, `type="hidden" name="to:partner:acme"`) {
			t.Error("the answer about one partner is kept for another")
		}
		v.get("/", 200).says("!" + text)
		v.post("/posts", 200, "text", text, "audience", "partner:acme", "to:partner:acme", "yes").says(text)
		list, err := in.Social.AccountPosts(t.Context(), alice, alice.Account.ID, social.Page{Limit: 1}, social.PostFilter{})
		if err != nil {
			t.Fatal(err)
		}
		v.post("/posts", 200, "text", "and the rest", "audience", "partner:acme", "reply_to", list[0].Post.ID.String())
	}
}
