package api_test

import "testing"

// A program says that a post is a question; an edit that says nothing of it keeps it one.
func TestQuestionsByPrograms(t *testing.T) {
	w := start(t)
	v := w.alice.post("/api/v1/statuses", form{"status": {"who knows?"}, "audience": {"company"}, "question": {"true"}}).ok()
	path := "/api/v1/statuses/" + text(v, "id")
	for _, one := range []struct {
		edit form
		asks string
	}{{form{"status": {"who knows it?"}}, "true"}, {form{"status": {"I know."}, "question": {"false"}}, "false"}, {form{"status": {"I knew."}}, "false"}} {
		w.alice.do("PUT", path, one.edit).ok()
		if got := text(w.alice.get(path).ok(), "parley.question"); got != one.asks {
			t.Errorf("%v: question is %s", one.edit, got)
		}
	}
	if got := text(v, "parley.question"); got != "true" {
		t.Errorf("a new question is one: %s", got)
	}
}
