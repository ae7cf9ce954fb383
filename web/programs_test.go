package web_test

import (
	"testing"

	"parley/instance/instancetest"
)

// Who writes programs reads here what can be asked, with whom it is for and what comes
// back: each name of a type leads to it.
func TestProgramsPage(t *testing.T) {
	in := instancetest.New(t, 1, nil).Instances[0]
	for _, language := range []string{"en", "de"} {
		v := newVisitor(t, in, language)
		d := v.get("/api/docs", 200)
		d.says("POST /api/v1/statuses", "Write a post, now or at a time", "write:statuses", "poll[options]", "GET /api/parley/v1/directory", v.pick("Needs the scope", "Verlangt den Scope"))
		anchors := map[string]bool{}
		for _, n := range d.elements {
			anchors["#"+attr(n, "id")] = true
		}
		links := 0
		for _, n := range d.elements {
			if to := attr(n, "href"); len(to) > 6 && to[:6] == "#type-" {
				links++
				if !anchors[to] {
					t.Errorf("%s leads nowhere", to)
				}
			}
		}
		if links < 200 {
			t.Errorf("only %d links to types", links)
		}
	}
}
