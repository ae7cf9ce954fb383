package federation_test

import (
	"context"
	"net/http"
	"testing"

	"parley/activitypub/httpsig"
	"parley/instance/instancetest"
	"parley/social"
)

// An administrator who looks for a server's name in the log finds each refusal of it,
// with the reason.
func TestRefusalsAreLoggedWithPeerAndReason(t *testing.T) {
	log := &instancetest.Log{}
	in := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Log: log.Text()})
	inbox, r, unknown := in.Config.PublicURL+"/inbox", newRemote(t), newRemote(t)
	if err := in.Social.SetZone(context.Background(), r.host(), social.Zone{Kind: social.ZonePublic}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	body := mustJSON(t, r.create(1))
	for name, one := range map[string]struct {
		status, want int
		parts        []string
	}{
		"not admitted": {unknown.sendJSON(inbox, unknown.create(1)), http.StatusForbidden, []string{"delivery refused", "peer=" + unknown.host(), "known servers only"}},
		"another body": {r.send(inbox, body, httpsig.Cavage, func(q *http.Request) { q.Header.Set("Digest", "SHA-256=AAAA") }), http.StatusUnauthorized,
			[]string{"delivery refused", "peer=" + r.host(), "igest"}},
		"bad shape": {r.send(inbox, []byte(`{"type":"Create","TYPE":"Undo"}`), httpsig.Cavage, nil), http.StatusBadRequest,
			[]string{"delivery refused", "peer=" + r.host(), "TYPE"}},
		"reading": {fetch(t, unknown, "GET", in.Config.PublicURL+"/users/1").status, http.StatusForbidden,
			[]string{"request refused", "peer=" + unknown.host(), "path=/users/1", "known servers only"}},
	} {
		if one.status != one.want {
			t.Errorf("%s: answered %d", name, one.status)
		}
		if found := log.With(one.parts...); len(found) != 1 {
			t.Errorf("%s: %q", name, found)
		}
	}
}
