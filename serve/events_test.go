package serve

import (
	"net/http/httptest"
	"testing"
)

// Whatever ends a line in a text, it begins no field of its own (WHATWG HTML, 9.2.5).
func TestEventsKeepTextInOneField(t *testing.T) {
	rec := httptest.NewRecorder()
	e := NewEvents(rec)
	if err := e.Send(7, "posted", "a\revent: x\r\nevent: y\n\nevent: z"); err != nil {
		t.Fatal(err)
	}
	if err := e.Beat(); err != nil {
		t.Fatal(err)
	}
	if err := e.Send(0, "deleted", "8"); err != nil {
		t.Fatal(err)
	}
	want := "id: 7\nevent: posted\ndata: a\ndata: event: x\ndata: event: y\ndata: \ndata: event: z\n\n:)\nevent: deleted\ndata: 8\n\n"
	if rec.Body.String() != want || rec.Header().Get("Content-Type") != "text/event-stream" {
		t.Errorf("sent %v %q", rec.Header(), rec.Body)
	}
}
