package api_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/auth"
	"parley/instance/instancetest"
	"parley/web"
)

// Elk's and Phanpy's library goes a long way through the API of one server, with a
// colleague on a sister: test/peers/masto/journey.mjs says what it expects.
func TestMastoJS(t *testing.T) {
	peers := os.Getenv("PARLEY_TEST_PEERS")
	if peers == "" {
		t.Skip("PARLEY_TEST_PEERS is not set: masto.js is not installed; run ./test/all")
	}
	net := instancetest.NewWith(t, 2, instancetest.Options{Wire: held(t)}) // what apps ask, the tests may not
	here, there := net.Instances[0], net.Instances[1]
	alice, ben := net.Member(here, "alice"), net.Member(there, "ben")
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { // both work as they would
		defer close(done)
		for ctx.Err() == nil {
			net.Settle()
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	defer func() { stop(); <-done }()
	if err := here.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	cookie, err := here.Auth.Begin(ctx, alice.Account.ID, "test")
	if err != nil {
		t.Fatal(err)
	}
	token, err := there.Auth.CreateToken(ctx, ben.Account.ID, auth.NewToken{App: "ben's app", Scopes: "read write follow"})
	if err != nil {
		t.Fatal(err)
	}
	service := instancetest.NewPushService(t)
	limit, cancel := context.WithTimeout(ctx, 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(limit, "node", filepath.Join(peers, "masto", "journey.mjs"))
	cmd.Env = append(os.Environ(), "HERE="+here.Config.PublicURL, "THERE="+there.Config.PublicURL, "BEN="+token,
		fmt.Sprintf("COOKIE=%s=%s", web.CookieName(here.Config.Domain), cookie), "PUSH_ENDPOINT="+service.URL+"/phone",
		"PUSH_KEY="+base64.RawURLEncoding.EncodeToString(service.PublicKey()), "PUSH_SECRET="+base64.RawURLEncoding.EncodeToString(service.Secret))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v after\n%s", err, out)
	}
	if heard := service.Heard(); len(heard) == 0 || !strings.HasPrefix(heard[0], "mention: ") {
		t.Errorf("the phone heard %v", heard)
	}
}
