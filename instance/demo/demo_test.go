package demo

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

func TestTourAndStartPage(t *testing.T) {
	err := Run(context.Background(), Options{Out: t.Output()}, func(ctx context.Context, d *Demo) error {
		if err := d.Check(ctx); err != nil {
			return err
		}
		jar, err := cookiejar.New(nil)
		if err != nil {
			return err
		}
		client := &http.Client{Jar: jar}
		page := func(res *http.Response, err error) string {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close() //nolint:errcheck // only read
			b, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		if start := page(client.Get(d.URL())); !strings.Contains(start, "Open as Anna Brandt") {
			t.Error(start)
		}
		home := page(client.PostForm(d.URL()+"/open", url.Values{"at": {"0"}, "user": {"anna"}}))
		if !strings.Contains(home, "Muster Zentrale") || !strings.Contains(home, "Wer sieht das?") || !strings.Contains(home, "Ganze Muster-Gruppe") {
			t.Error(home)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
