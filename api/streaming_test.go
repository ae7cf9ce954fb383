package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// event is what a stream said.
type event struct{ name, data string }

// watch opens a stream; the channel closes when the stream ends.
func (c *client) watch(path string) <-chan event {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c.t.Cleanup(cancel)
	res, err := http.DefaultTransport.RoundTrip(c.request("GET", path, nil).WithContext(ctx))
	if err != nil {
		c.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		c.t.Fatalf("%s: %d", path, res.StatusCode)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	lines.Scan() // the first comment: from here on nothing is missed
	out := make(chan event, 100)
	go func() {
		defer close(out)
		defer res.Body.Close() //nolint:errcheck // only read
		var e event
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				e.name = value
			case "data":
				e.data = value
				out <- e
			}
		}
	}()
	return out
}

var markup = regexp.MustCompile(`<[^>]*>`)

// until reads events up to the post with a text, and lists them: "update text".
func until(t *testing.T, events <-chan event, last string) []string {
	t.Helper()
	var got []string
	for e := range events {
		if err := promised().told(e.name, e.data); err != nil {
			t.Error(err)
		}
		what := e.name + " " + e.data
		var o struct {
			Content string
			Type    string
		}
		if json.Unmarshal([]byte(e.data), &o) == nil && e.data[0] == '{' {
			what = e.name + " " + markup.ReplaceAllString(o.Content, "") + o.Type
		}
		if what == "update "+last {
			return got
		}
		got = append(got, what)
	}
	t.Fatalf("the stream ended before %q: %v", last, got)
	return nil
}

// A stream shows what the list would, to each reader, in order (T60).
func TestAStreamShowsWhatItsReaderMaySee(t *testing.T) {
	w := start(t)
	w.bob.post("/api/v1/accounts/"+w.alice.id+"/follow", nil).ok()
	carol := w.member("carol")
	for _, path := range []string{"/api/v1/streaming/user", "/api/v1/streaming/public", "/api/v1/streaming/public/local", "/api/v1/streaming/hashtag?tag=Work",
		"/api/v1/streaming/direct", "/api/parley/v1/streaming/company"} {
		w.nobs.get(path).is(401)
	}
	home, public, tagged := w.bob.watch("/api/v1/streaming/user"), w.bob.watch("/api/v1/streaming/public"), w.bob.watch("/api/v1/streaming/hashtag?tag=Work")
	direct, company, strange := w.bob.watch("/api/v1/streaming/direct"), w.bob.watch("/api/parley/v1/streaming/company"), carol.watch("/api/v1/streaming/public")

	first := w.alice.write("for the company", "company")
	for _, of := range []<-chan event{home, public, strange, company} { // a stream shows a post as it is by then
		if got := until(t, of, "for the company"); len(got) != 0 {
			t.Errorf("before the first post: %v", got)
		}
	}
	mine := w.alice.write("for followers", "followers")
	w.alice.write("to carol @carol", "direct")
	w.alice.write("to bob @bob", "direct")
	w.alice.do("PUT", "/api/v1/statuses/"+first, object{"status": "for the whole company"}).is(200)
	w.alice.do("DELETE", "/api/v1/statuses/"+mine, nil).is(200)
	w.alice.write("end #work", "public")
	w.alice.write("end @bob #work", "direct")
	w.alice.write("end", "company")

	same := func(who string, got []string, want ...string) {
		t.Helper()
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s was shown\n%s\nwant\n%s", who, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	same("bob at home", until(t, home, "end"), "update for followers", "notification mention", "status.update for the whole company",
		"delete "+mine, "update end #work", "notification mention")
	same("bob in public", until(t, public, "end"), "status.update for the whole company", "delete "+mine, "update end #work")
	same("carol in public", until(t, strange, "end"), "status.update for the whole company", "update end #work")
	same("bob by the company", until(t, company, "end"), "status.update for the whole company", "delete "+mine)
	same("bob by the tag", until(t, tagged, "end @bob #work"), "delete "+mine, "update end #work")
	same("bob in private", until(t, direct, "end @bob #work"), "update to bob @bob", "delete "+mine)
}

// A stream ends within seconds of its token (H1).
func TestAStreamEndsWithItsToken(t *testing.T) {
	w := start(t)
	events := w.bob.watch("/api/v1/streaming/public")
	w.alice.write("before", "company")
	until(t, events, "before")
	if err := w.in.Auth.EndAccess(t.Context(), w.bob.who.Account.ID, "test"); err != nil {
		t.Fatal(err)
	}
	for e := range events {
		t.Errorf("after its token a stream still said %v", e)
	}
}
