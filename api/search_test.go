package api_test

import (
	"net/url"
	"strings"
	"testing"

	"parley/instance/instancetest"
)

// Posts are found by other forms of their words, in German and English, narrowed by
// filters, in pages; and by nobody who may not see them.
func TestSearchByWords(t *testing.T) {
	net := instancetest.New(t, 2, nil)
	w, there := people(t, net.Instances[0]), people(t, net.Instances[1])
	houses := w.alice.write("Die Häuser am See sind bezugsfertig", "company")
	bill := w.bob.write("Wer prüft die Reisekostenabrechnungen? #finanzen", "company")
	only := w.alice.write("@bob geheime Häuser", "direct")
	there.bob.write("our houses are ready", "company")
	net.Settle()
	carol := w.member("carol")
	find := func(c *client, q, more string) string {
		t.Helper()
		v := c.get("/api/v2/search?type=statuses&q=" + url.QueryEscape(q) + more).ok()
		var ids []string
		for _, one := range at(v, "statuses").([]any) {
			ids = append(ids, strings.TrimSuffix(strings.TrimPrefix(text(one.(map[string]any), "content"), "<p>"), "</p>")[:8])
		}
		return strings.Join(ids, "|")
	}
	for _, one := range []struct {
		who        *client
		q, more    string
		want, name string
	}{
		{w.bob, "Haus", "", "<span cl|Die Häu", "one form finds another"},
		{carol, "Haus", "", "Die Häu", "a personal message"},
		{carol, "haeuser see", "", "Die Häu", "umlauts written out"},
		{carol, "abrechnung", "", "Wer prü", "the end of a compound"},
		{carol, "house", "", "our hous", "English, from a sister"},
		{carol, `"am See"`, "", "Die Häu", "a phrase"},
		{carol, `"See am"`, "", "", "no phrase"},
		{carol, "bezugs", "", "Die Häu", "a beginning"},
		{carol, "von:alice haus", "", "Die Häu", "by somebody"},
		{carol, "Von:Alice haus", "", "Die Häu", "by somebody, as a phone writes it"},
		{carol, "from:bob haus", "", "", "by somebody else"},
		{carol, "from:bob@" + there.in.Config.Domain, "", "our hous", "all of somebody"},
		{carol, "#finanzen prüfen", "", "Wer prü", "a tag and a word"},
		{carol, "before:2020-01-01 haus", "", "", "before a day"},
		{carol, "nach:1.1.2020 häuser", "", "Die Häu", "since a day"},
		{carol, "has:file haus", "", "", "with a file"},
		{carol, "zebra", "", "", "nothing"},
		{carol, "' OR 1=1 -- \" * ) (", "", "", "nothing that means something to a database"},
		{w.bob, "Haus", "&limit=1", "<span cl", "a page"},
		{w.bob, "Haus", "&limit=1&offset=1", "Die Häu", "the next page"},
		{w.bob, "Haus", "&max_id=" + only, "Die Häu", "older ones"},
	} {
		if got := find(one.who, one.q, one.more); got != one.want {
			t.Errorf("%s: %q finds %q, want %q", one.name, one.q, got, one.want)
		}
	}
	for _, bad := range []string{"from:nobody x", "in:bob x", "before:yesterday x", "has:wings x", strings.Repeat("word ", 20)} {
		carol.get("/api/v2/search?q=" + url.QueryEscape(bad)).is(422)
	}
	open := w.alice.write("ganz öffentliche Häuser", "public")
	net.Settle()
	if v := w.nobs.get("/api/v2/search?q=haus").ok(); len(at(v, "statuses").([]any)) != 0 {
		t.Errorf("signed out: %v", v)
	}
	w.alice.do("DELETE", "/api/v1/statuses/"+open, nil).is(200)
	// An edit is found by its new words alone, what is deleted by none.
	w.alice.do("PUT", "/api/v1/statuses/"+houses, object{"status": "Die Gärten am See"}).is(200)
	if got := find(carol, "haus", ""); got != "" {
		t.Errorf("found by its former words: %s", got)
	}
	net.Settle()
	if got := find(carol, "garten", ""); got != "Die Gär" {
		t.Errorf("not found by its new words: %s", got)
	}
	w.bob.do("DELETE", "/api/v1/statuses/"+bill, nil).is(200)
	if got := find(carol, "abrechnung", ""); got != "" {
		t.Errorf("deleted and found: %s", got)
	}
}
