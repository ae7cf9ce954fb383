package federation_test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"parley/social"
)

// A server that reads RFC 9421 only is asked again in it, once, and not in the
// other dialect any more.
func TestFetchSpeaksTheDialectOfThePeer(t *testing.T) {
	in, r, _ := admitted(t, social.ZonePublic)
	var asked []string
	r.special(func(w http.ResponseWriter, q *http.Request) bool {
		if q.Header.Get("Signature-Input") != "" {
			asked = append(asked, "rfc9421 "+q.URL.Path)
			return false
		}
		asked = append(asked, "cavage "+q.URL.Path)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	for _, name := range []string{"mallory", "victim"} {
		if a, _, err := in.Federation.FindURL(context.Background(), r.actor(name)); err != nil || a.Username != name {
			t.Fatalf("%s: %v", name, err)
		}
	}
	want := []string{"cavage /users/mallory", "rfc9421 /users/mallory", "rfc9421 /users/victim"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %v, not %v", asked, want)
	}
}

// A refusal in both dialects is one refusal, and teaches nothing.
func TestFetchRefusedInBothDialects(t *testing.T) {
	in, r, _ := admitted(t, social.ZonePublic)
	asked := 0
	r.special(func(w http.ResponseWriter, _ *http.Request) bool {
		asked++
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	if _, _, err := in.Federation.FindURL(context.Background(), r.actor("mallory")); err == nil {
		t.Fatal("found what was refused")
	}
	if asked != 2 {
		t.Errorf("asked %d times, not twice", asked)
	}
	peers, err := in.Social.Peers(context.Background())
	if err != nil || len(peers) != 1 || peers[0].Dialect != "" {
		t.Errorf("%v: learnt from %+v", err, peers)
	}
}
