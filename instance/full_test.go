package instance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/auth"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// peer is another server with one actor, which sends signed activities.
type peer struct {
	t      testing.TB
	origin string
	key    httpsig.Key
}

func newPeer(t testing.TB) *peer {
	t.Helper()
	public, private, err := instancetest.GenerateRSA()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := httpsig.ParsePrivate(private)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		id := p.origin + "/u"
		w.Header().Set("Content-Type", "application/activity+json")
		_ = json.NewEncoder(w).Encode(map[string]any{"id": id, "type": "Person", "preferredUsername": "u", "inbox": id + "/inbox",
			"publicKey": map[string]string{"id": id + "#main-key", "owner": id, "publicKeyPem": string(public)}})
	}))
	t.Cleanup(srv.Close)
	p.origin = srv.URL
	p.key = httpsig.Key{ID: p.origin + "/u#main-key", Private: signer}
	return p
}

// admit makes the peer a partner.
func (p *peer) admit(in *instance.Instance) {
	p.t.Helper()
	if err := in.Social.SetZone(context.Background(), strings.TrimPrefix(p.origin, "http://"), social.Zone{Kind: social.ZonePartner, Name: "acme"}, "test", "test"); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) note(n int) string { return fmt.Sprintf("%s/n/%d", p.origin, n) }

// request is the signed delivery of the n-th note.
func (p *peer) request(to string, n int, text string) *http.Request {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{"id": p.note(n) + "/create", "type": "Create", "actor": p.origin + "/u", "to": "as:Public",
		"object": map[string]any{"id": p.note(n), "type": "Note", "attributedTo": p.origin + "/u", "content": text, "to": "as:Public"}})
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := http.NewRequest("POST", to+"/inbox", bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/activity+json")
	if err := httpsig.Sign(r, body, p.key, httpsig.Cavage, time.Now()); err != nil {
		p.t.Fatal(err)
	}
	return r
}

func do(t testing.TB, r *http.Request) *http.Response {
	t.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return res
}

// smallDisk mounts a file system of a few megabytes for the data folder.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size=6m,mode=700"); err != nil {
		t.Skipf("a small file system cannot be mounted here (it takes root): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(data, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// On a full disk the inbox and the API answer 503 with Retry-After, reading goes
// on, and what was acknowledged is there; with space it works again (T74).
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t)
	in := instancetest.Start(t, dir, "")
	ctx := context.Background()
	p := newPeer(t)
	p.admit(in)
	alice, err := in.Social.CreateAccount(ctx, social.NewAccount{Username: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	token, err := in.Auth.CreateToken(ctx, alice.ID, auth.NewToken{App: "test", Scopes: "read write", Bound: "company"})
	if err != nil {
		t.Fatal(err)
	}
	url := in.Config.PublicURL
	api := func(method, path, body string) *http.Response {
		r, err := http.NewRequest(method, url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		return do(t, r)
	}
	if res := do(t, p.request(url, 0, "x")); res.StatusCode != http.StatusAccepted {
		t.Fatalf("the first answered %d", res.StatusCode)
	}
	ballast := fillDisk(t, filepath.Join(dir, "data", "ballast"))
	acked := []int{0}
	n := 1
	for ; ; n++ {
		res := do(t, p.request(url, n, strings.Repeat("x", 20_000)))
		if res.StatusCode == http.StatusAccepted {
			acked = append(acked, n)
			continue
		}
		if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
			t.Fatalf("the inbox answered %d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
		}
		break
	}
	long, err := json.Marshal(map[string]string{"status": strings.Repeat("x", 4000)})
	if err != nil {
		t.Fatal(err)
	}
	refused := false
	for range 200 {
		res := api("POST", "/api/v1/statuses", string(long))
		if refused = res.StatusCode != http.StatusOK; refused {
			if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
				t.Fatalf("the API answered %d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
			}
			break
		}
	}
	if !refused {
		t.Error("the API never said that the disk is full")
	}
	for _, path := range []string{"/api/v1/timelines/home", "/api/v1/notifications", "/users/" + alice.ID.String(), "/healthz"} {
		if res := api("GET", path, ""); res.StatusCode >= 500 {
			t.Errorf("reading %s answered %d", path, res.StatusCode)
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if res := do(t, p.request(url, n, "x")); res.StatusCode != http.StatusAccepted {
		t.Errorf("with space left it answered %d", res.StatusCode)
	}
	acked = append(acked, n)
	in.Settle(ctx)
	if err := in.DB.Integrity(ctx); err != nil {
		t.Error(err)
	}
	if err := in.DB.View(ctx, func(tx social.Tx) error {
		for _, n := range acked {
			if _, err := tx.PostByURI(ctx, p.note(n)); err != nil {
				t.Errorf("note %d was acknowledged: %v", n, err)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	t.Logf("%d acknowledged", len(acked))
}

// fillDisk takes the space but for a little.
func fillDisk(t *testing.T, name string) string {
	t.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	size := int64(0)
	for block := make([]byte, 4096); ; {
		n, err := f.Write(block)
		size += int64(n)
		if errors.Is(err, syscall.ENOSPC) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(f.Truncate(max(0, size-400<<10)), f.Close()); err != nil {
		t.Fatal(err)
	}
	return name
}
