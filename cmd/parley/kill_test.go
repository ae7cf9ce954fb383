package main

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/config"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// TestMain runs the real command when the test starts itself as a child.
func TestMain(m *testing.M) {
	if os.Getenv("PARLEY_TEST_CHILD") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// child is a real parley serve in a process of its own, made to be killed.
type child struct {
	t    *testing.T
	data string
	port int
	cmd  *exec.Cmd
}

func newChild(t *testing.T) *child {
	t.Helper()
	c := &child{t: t, data: filepath.Join(t.TempDir(), "data"), port: instancetest.FreePort(t)}
	t.Cleanup(c.kill)
	return c
}

func (c *child) url() string { return fmt.Sprintf("http://127.0.0.1:%d", c.port) }

func (c *child) start() {
	c.t.Helper()
	c.cmd = exec.Command(os.Args[0], "serve", "--data", c.data, "--listen", fmt.Sprintf("127.0.0.1:%d", c.port), "--domain", fmt.Sprintf("127.0.0.1:%d", c.port))
	c.cmd.Env = append(os.Environ(), "PARLEY_TEST_CHILD=1", "PARLEY_FEDERATION_ALLOWED_NETWORKS=127.0.0.0/8", "PARLEY_FEDERATION_MODE=open", "PARLEY_LOG_LEVEL=error")
	c.cmd.Dir = c.t.TempDir()
	var out bytes.Buffer
	c.cmd.Stdout, c.cmd.Stderr = &out, &out
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	for range 600 {
		if res, err := http.Get(c.url() + "/healthz"); err == nil {
			_ = res.Body.Close()
			return
		}
		time.Sleep(20 * time.Millisecond) // another process is starting; there is nothing to wait on
	}
	c.t.Fatalf("did not start: %s", out.String())
}

// kill is kill -9: no chance to tidy up.
func (c *child) kill() {
	if c.cmd == nil || c.cmd.Process == nil {
		return
	}
	_ = c.cmd.Process.Signal(syscall.SIGKILL) // it may be dead already
	_ = c.cmd.Wait()
	c.cmd = nil
}

// open looks into the data while no server runs.
func (c *child) open(look func(in *instance.Instance)) {
	c.t.Helper()
	flags := map[string]string{"data_dir": c.data, "domain": fmt.Sprintf("127.0.0.1:%d", c.port), "listen": "127.0.0.1:0",
		"federation.allowed_networks": "127.0.0.0/8", "federation.mode": "open", "log.level": "error"}
	conf, err := config.Load("/dev/null", flags, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	in, err := instance.Open(context.Background(), conf, logger(conf), time.Now)
	if err != nil {
		c.t.Fatal(err)
	}
	look(in)
	if err := in.Close(); err != nil {
		c.t.Fatal(err)
	}
}

// kills is how often each side is killed at a random moment.
const kills = 20

// A sender killed again and again in the middle of a fan-out delivers everything;
// the wire repeats an activity only under the same id.
func TestKilledSenderLosesNothing(t *testing.T) {
	const hosts, followers = 50, 20
	var mu sync.Mutex
	got := map[string]map[string]int{} // inbox -> activity -> times
	sink := func(w http.ResponseWriter, r *http.Request) {
		var a struct {
			ID string `json:"id"`
		}
		b, _ := io.ReadAll(r.Body)
		if json.Unmarshal(b, &a) == nil && a.ID != "" {
			mu.Lock()
			in := r.Host + r.URL.Path
			if got[in] == nil {
				got[in] = map[string]int{}
			}
			got[in][a.ID]++
			mu.Unlock()
		}
		w.WriteHeader(http.StatusAccepted)
	}
	c := newChild(t)
	inboxes := hosts * followers
	c.open(func(in *instance.Instance) {
		ctx := context.Background()
		alice, err := in.Social.CreateAccount(ctx, social.NewAccount{Username: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		for range hosts {
			srv := httptest.NewServer(http.HandlerFunc(sink))
			t.Cleanup(srv.Close)
			host := strings.TrimPrefix(srv.URL, "http://")
			if err := in.DB.Tx(ctx, func(tx social.Tx) error {
				for n := range followers {
					a := &social.Account{Kind: social.KindPerson, Username: fmt.Sprintf("f%d", n), Host: host, Authority: host,
						URI: fmt.Sprintf("%s/u/%d", srv.URL, n), InboxURI: fmt.Sprintf("%s/u/%d/inbox", srv.URL, n), CreatedAt: time.Now()}
					if err := tx.InsertAccount(ctx, a); err != nil {
						return err
					}
					if err := tx.PutFollow(ctx, &social.Follow{ID: social.NewID(time.Now()), FollowerID: a.ID, TargetID: alice.ID, State: social.FollowAccepted, CreatedAt: time.Now()}); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := in.Social.Publish(ctx, social.Member(alice, in.Social.HomeAuthority()), social.Draft{Text: "to all", Audience: "public"}); err != nil {
			t.Fatal(err)
		}
	})
	for range kills {
		c.start()
		time.Sleep(rand.N(150 * time.Millisecond)) // the random moment itself
		c.kill()
		c.open(func(in *instance.Instance) { // leases of the dead end now, not in two minutes
			if _, err := in.DB.RetryNow(context.Background(), "", time.Now()); err != nil {
				t.Fatal(err)
			}
		})
	}
	c.start()
	waitFor(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(got) == inboxes })
	mu.Lock()
	defer mu.Unlock()
	repeats := 0
	for in, ids := range got {
		if len(ids) != 1 {
			t.Errorf("%s got %d activities", in, len(ids))
		}
		for _, n := range ids {
			repeats += n - 1
		}
	}
	t.Logf("%d inboxes, %d kills: 0 lost, %d repeated on the wire", inboxes, kills, repeats)
	if most := kills * 256; repeats > most { // the workers that can be in flight
		t.Errorf("%d repeats, at most %d were in flight", repeats, most)
	}
}

// waitFor waits until something becomes true in another process.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for range 1200 {
		if done() {
			return
		}
		time.Sleep(50 * time.Millisecond) // another process works; there is nothing to wait on
	}
	t.Fatal("it did not come to an end")
}

// A receiver killed again and again in the middle of 2,000 posts keeps every one
// that it acknowledged, and shows each once.
func TestKilledReceiverKeepsWhatItAcknowledged(t *testing.T) {
	const posts = 2000
	pub, priv, err := httpsig.GenerateRSA()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := httpsig.ParsePrivate(priv)
	if err != nil {
		t.Fatal(err)
	}
	var origin string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/activity+json")
		id := origin + "/u"
		_ = json.NewEncoder(w).Encode(map[string]any{"id": id, "type": "Person", "preferredUsername": "u", "inbox": id + "/inbox",
			"publicKey": map[string]string{"id": id + "#main-key", "owner": id, "publicKeyPem": string(pub)}})
	}))
	t.Cleanup(srv.Close)
	origin = srv.URL
	c := newChild(t)
	c.start()
	var mu sync.Mutex
	next, acked := 0, map[int]bool{}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				select {
				case <-stop:
					return
				default:
				}
				mu.Lock()
				n := next
				next++
				mu.Unlock()
				if n >= posts {
					return
				}
				for !deliverOne(c.url(), origin, signer, n) { // what is not acknowledged is sent again
					select {
					case <-stop:
						return
					case <-time.After(20 * time.Millisecond):
					}
				}
				mu.Lock()
				acked[n] = true
				mu.Unlock()
			}
		}()
	}
	for range kills {
		time.Sleep(rand.N(100 * time.Millisecond)) // the random moment itself
		c.kill()
		c.start()
	}
	waitFor(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(acked) == posts })
	close(stop)
	wg.Wait()
	c.kill()
	c.open(func(in *instance.Instance) {
		ctx := context.Background()
		if _, err := in.DB.RetryNow(ctx, "", time.Now()); err != nil {
			t.Fatal(err)
		}
		settleAll(t, in)
		if err := in.DB.View(ctx, func(tx social.Tx) error {
			a, err := tx.AccountByURI(ctx, origin+"/u")
			if err != nil {
				return err
			}
			missing := 0
			for n := range posts {
				if _, err := tx.PostByURI(ctx, fmt.Sprintf("%s/n/%d", origin, n)); err != nil {
					missing++
				}
			}
			t.Logf("%d posts acknowledged, %d kills: %d missing, author counts %d", len(acked), kills, missing, a.PostsCount)
			if missing != 0 || a.PostsCount != posts {
				t.Errorf("%d missing, %d counted", missing, a.PostsCount)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// settleAll also runs jobs whose lease belongs to the killed process.
func settleAll(t *testing.T, in *instance.Instance) {
	t.Helper()
	waitFor(t, func() bool {
		in.Settle(context.Background())
		jobs, err := in.DB.Jobs(context.Background(), "inbox", "", 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(jobs) > 0 {
			ids := []int64{}
			leased, err := in.DB.Jobs(context.Background(), "inbox", "", 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range leased {
				ids = append(ids, j.ID)
			}
			if err := in.DB.Release(context.Background(), ids); err != nil {
				t.Fatal(err)
			}
		}
		return len(jobs) == 0
	})
}

func deliverOne(to, origin string, key crypto.Signer, n int) bool {
	id := fmt.Sprintf("%s/n/%d", origin, n)
	body, err := json.Marshal(map[string]any{"id": id + "/create", "type": "Create", "actor": origin + "/u", "to": "as:Public",
		"object": map[string]any{"id": id, "type": "Note", "attributedTo": origin + "/u", "content": "x", "to": "as:Public"}})
	if err != nil {
		return false
	}
	req, err := http.NewRequest("POST", to+"/inbox", bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/activity+json")
	if err := httpsig.Sign(req, body, httpsig.Key{ID: origin + "/u#main-key", Private: key}, httpsig.Cavage, time.Now()); err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusAccepted
}
