package federation_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/instance/instancetest"
	"parley/social"
)

// Whoever tests a connection learns whether the server answers, and how its clock goes;
// one that was away a moment ago is asked all the same, a blocked one never.
func TestProbe(t *testing.T) {
	in, r := instancetest.New(t, 1, nil).Instances[0], newRemote(t)
	inZone(t, in, r, social.Zone{Kind: social.ZonePublic})
	status := http.StatusServiceUnavailable
	r.special(func(w http.ResponseWriter, q *http.Request) bool {
		if q.URL.Path != "/.well-known/nodeinfo" {
			return false
		}
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("{}"))
		return true
	})
	if _, ahead, err := in.Federation.Probe(t.Context(), r.host()); err == nil || !strings.Contains(err.Error(), "503") || ahead.Round(time.Minute) != -time.Hour {
		t.Errorf("it is away, and its clock is %s ahead: %v", ahead, err)
	}
	status = http.StatusOK
	if took, ahead, err := in.Federation.Probe(t.Context(), r.host()); err != nil || took < 0 || ahead.Round(time.Minute) != -time.Hour {
		t.Errorf("took %s, ahead %s: %v", took, ahead, err)
	}
	if ahead := in.Federation.Clocks()[r.host()]; ahead.Round(time.Minute) != -time.Hour {
		t.Errorf("its clock is forgotten: %s", ahead)
	}
	asked := r.fetches.Load()
	if err := in.Social.SetZone(t.Context(), r.host(), social.Zone{Kind: social.ZoneBlocked}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := in.Federation.Probe(t.Context(), r.host()); social.KindOf(err) != social.Forbidden || r.fetches.Load() != asked {
		t.Errorf("a blocked server was asked: %v", err)
	}
	r.server.Close()
	inZone(t, in, r, social.Zone{Kind: social.ZonePublic})
	for range 2 {
		if _, _, err := in.Federation.Probe(t.Context(), r.host()); social.KindOf(err) != social.Unavailable {
			t.Errorf("nobody is there: %v", err)
		}
	}
}
