package web_test

import (
	"net/url"
	"strings"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

// A question is marked as one, here and at a sister, whoever answers is asked for an answer,
// and its author takes the mark away again.
func TestQuestionsAreMarked(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	a, b := net.Instances[0], net.Instances[1]
	net.Pair(a, b)
	alice, ben := net.Member(a, "alice"), net.Member(b, "ben")
	v, german := newVisitor(t, a, "en").as(alice), newVisitor(t, b, "de").as(ben)
	mark := func(page *doc) bool {
		_, post, _ := strings.Cut(page.raw, `<article class="box post`)
		return strings.Contains(post, `class="asks"`)
	}
	v.post("/posts", 200, "text", "merely said", "audience", "company")
	if mark(v.get("/company", 200)) {
		t.Error("what asks nothing is marked")
	}
	v.post("/posts", 422, "text", "", "audience", "company", "question", "yes").wrong("text", "question", "yes")
	v.post("/posts", 200, "text", "half a question", "audience", "company", "question", "yes", "do", "save")
	v.post("/posts", 200, "text", "who knows cranes?", "audience", "company", "question", "yes")
	net.Settle()
	list, err := a.Social.AccountPosts(t.Context(), alice, alice.Account.ID, social.Page{Limit: 1}, social.PostFilter{})
	if err != nil {
		t.Fatal(err)
	}
	asked := list[0].Post
	v.get("/@alice/"+asked.ID.String(), 200).says("Question", "Your answer")
	there, err := b.Social.PostByURI(t.Context(), ben, asked.URI)
	if err != nil {
		t.Fatal(err)
	}
	page := german.get("/@"+there.Author.Acct()+"/"+there.Post.ID.String(), 200).says("Frage", "Ihre Antwort auf die Frage")
	if !mark(page) || strings.Contains(page.raw, `name="question"`) {
		t.Error("at the sister it is no question, or an answer can be one")
	}
	for _, one := range []struct {
		v     *visitor
		query string
	}{{v, "has:question"}, {german, "hat:frage kranen"}, {german, "has:question cranes"}} {
		want := "who knows cranes?"
		if strings.Contains(one.query, "kranen") {
			want = "!" + want
		}
		one.v.get("/find?q="+url.QueryEscape(one.query), 200).says(want, "!merely said")
	}
	v.post("/posts/"+asked.ID.String()+"/edit", 200, "text", "I know cranes now.", "audience", "company")
	net.Settle()
	if mark(german.get("/@"+there.Author.Acct()+"/"+there.Post.ID.String(), 200).says("I know cranes now.")) {
		t.Error("the mark stays at the sister")
	}
	german.get("/find?q=has:question", 200).says("!cranes")
}
