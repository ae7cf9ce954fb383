package web_test

import (
	"context"
	"strings"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

// The head of a post's page tells other programs what everybody may see, and nothing of
// other posts or of what lies under a lid.
func TestOnlyWhatEverybodyMaySeeHasAPreview(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	in, ctx := net.Instances[0], context.Background()
	alice := net.Member(in, "alice")
	page := func(d social.Draft) (head string) {
		v, err := in.Social.Publish(ctx, alice, d)
		if err != nil {
			t.Fatal(err)
		}
		who := newVisitor(t, in, "en")
		if d.Audience != "public" {
			who = who.as(alice)
		}
		head, _, _ = strings.Cut(who.get("/@alice/"+v.Post.ID.String(), 200).raw, "</head>")
		return head
	}
	open := page(social.Draft{Text: "hello world", Audience: "public"})
	for _, want := range []string{`rel="canonical" href="` + in.Config.PublicURL, `property="og:title"`, `property="og:description" content="hello world"`} {
		if !strings.Contains(open, want) {
			t.Errorf("no %s in %s", want, open)
		}
	}
	if head := page(social.Draft{Text: "the butler", Summary: "the end", Audience: "public"}); strings.Contains(head, "butler") || !strings.Contains(head, `content="the end"`) {
		t.Errorf("a lid is open: %s", head)
	}
	for _, audience := range []string{"followers", "instance", "company"} {
		if head := page(social.Draft{Text: "hidden", Audience: audience}); strings.Contains(head, "og:") || strings.Contains(head, "canonical") {
			t.Errorf("%s: %s", audience, head)
		}
	}
}
