package federation_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"parley/social"
)

// An Undo names the very Like that was sent, so that others know it even when it
// comes first; each Like is one of its own.
func TestUndoNamesTheLike(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := net.Member(in, "alice")
	if r.sendJSON(in.Config.PublicURL+"/inbox", r.create(1)) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	type sent struct {
		ID, Type string
		Object   json.RawMessage
	}
	var got []sent
	r.special(func(w http.ResponseWriter, q *http.Request) bool {
		if q.Method != http.MethodPost {
			return false
		}
		var a sent
		if err := json.NewDecoder(q.Body).Decode(&a); err != nil {
			t.Error(err)
		}
		got = append(got, a)
		w.WriteHeader(http.StatusAccepted)
		return true
	})
	v, err := in.Social.PostByURI(context.Background(), alice, r.url("/notes/1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, on := range []bool{true, false, true} {
		if _, err := in.Social.Favourite(context.Background(), alice, v.Post.ID, on); err != nil {
			t.Fatal(err)
		}
		net.Settle()
	}
	if len(got) != 3 || got[0].Type != "Like" || got[1].Type != "Undo" || got[2].Type != "Like" {
		t.Fatalf("sent %+v", got)
	}
	var undone struct{ ID, Type string }
	if err := json.Unmarshal(got[1].Object, &undone); err != nil {
		t.Fatal(err)
	}
	if undone.ID != got[0].ID || undone.Type != "Like" {
		t.Errorf("liked as %s, taken back %+v", got[0].ID, undone)
	}
	if got[2].ID == got[0].ID {
		t.Error("two likes have one id: the second would be taken for a repetition")
	}
}
