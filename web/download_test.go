package web

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A file that fails before its first byte leaves the answer to an error page; one that
// breaks off later ends the connection, and never looks whole.
func TestABrokenDownloadIsNoFile(t *testing.T) {
	broken := errors.New("broken")
	for size, want := range map[int]string{0: "error", 100: "error", 100_000: "abort"} {
		rec := httptest.NewRecorder()
		d := &download{w: rec, name: "posts.json", kind: "application/json"}
		got := func() (how string) {
			defer func() {
				if p := recover(); p != nil {
					how = fmt.Sprint(map[bool]string{true: "abort", false: "panic"}[p == http.ErrAbortHandler])
				}
			}()
			err := d.fill(slog.New(slog.DiscardHandler), func(out io.Writer) error {
				_, _ = io.WriteString(out, strings.Repeat("x", size)) // into memory
				return broken
			})
			if errors.Is(err, broken) {
				return "error"
			}
			return "file"
		}()
		if header := rec.Header().Get("Content-Disposition"); got != want || want == "error" && (header != "" || rec.Body.Len() > 0) {
			t.Errorf("after %d bytes: %s, with %q and %d bytes sent", size, got, header, rec.Body.Len())
		}
	}
	rec := httptest.NewRecorder()
	d := &download{w: rec, name: "bookmarks.csv", kind: "text/csv"}
	if err := d.fill(slog.New(slog.DiscardHandler), func(io.Writer) error { return nil }); err != nil || rec.Header().Get("Content-Disposition") == "" {
		t.Errorf("an empty file: %v %v", err, rec.Header())
	}
}
