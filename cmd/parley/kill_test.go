package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/config"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/queue"
	"parley/social"
)

// TestMain runs the real command when the test starts itself as a child. When all tests
// ran, each command of the documents has to have run in one of them.
func TestMain(m *testing.M) {
	if os.Getenv("PARLEY_TEST_CHILD") != "" {
		main()
		note(os.Args[1:])
		return
	}
	dir, err := os.MkdirTemp("", "parley-ran")
	if err != nil {
		panic(err)
	}
	file := filepath.Join(dir, "commands")
	_ = os.Setenv(ranFile, file) // fails for names that are none
	code := m.Run()
	if code == 0 && flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" && !testing.Short() && os.Getenv("PARLEY_TEST_PEERS") != "" {
		for _, one := range neverRan(file) {
			fmt.Fprintln(os.Stderr, "no test runs what is documented in", one)
			code = 1
		}
	}
	_ = os.RemoveAll(dir) // the system does it else
	os.Exit(code)
}

// asCommand lets this test binary be the command. Before a process ends the race
// detector waits a second for goroutines that still run; a command leaves none behind,
// and hundreds are run here, so a moment has to do.
func asCommand() []string {
	return []string{"PARLEY_TEST_CHILD=1", ranFile + "=" + os.Getenv(ranFile), "GORACE=" + os.Getenv("GORACE") + " atexit_sleep_ms=10"}
}

// child is a real parley serve in a process of its own, made to be killed.
type child struct {
	t       *testing.T
	program string
	data    string
	port    int
	cmd     *exec.Cmd

	ended <-chan error
}

func newChild(t *testing.T) *child {
	t.Helper()
	c := &child{t: t, program: program(t), data: filepath.Join(t.TempDir(), "data"), port: instancetest.FreePort(t)}
	t.Cleanup(c.kill)
	return c
}

// program is the command itself, which this test binary is too. Under the race
// detector it is built without: nobody reads what that says in a killed process,
// and forty starts of it would take most of the time.
func program(t *testing.T) string {
	t.Helper()
	if !raced() {
		return os.Args[0]
	}
	file := filepath.Join(t.TempDir(), "parley")
	if out, err := exec.Command("go", "build", "-o", file, ".").CombinedOutput(); err != nil {
		t.Logf("the race detector watches the killed process too: %v %s", err, out)
		return os.Args[0]
	}
	return file
}

// raced says that this binary was built with -race.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}

func (c *child) url() string { return fmt.Sprintf("http://127.0.0.1:%d", c.port) }

func (c *child) start() {
	c.t.Helper()
	c.cmd = exec.Command(c.program, "serve", "--data", c.data, "--listen", fmt.Sprintf("127.0.0.1:%d", c.port), "--domain", fmt.Sprintf("127.0.0.1:%d", c.port))
	c.cmd.Env = append(append(os.Environ(), asCommand()...), "PARLEY_FEDERATION_ALLOWED_NETWORKS=127.0.0.0/8", "PARLEY_FEDERATION_MODE=open", "PARLEY_LOG_LEVEL=error")
	c.cmd.Dir = c.t.TempDir()
	var out bytes.Buffer
	c.cmd.Stdout, c.cmd.Stderr = &out, &out
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	ended := make(chan error, 1)
	cmd := c.cmd
	go func() {
		if err := cmd.Wait(); err != nil {
			ended <- fmt.Errorf("%w: %s", err, &out)
		}
		close(ended)
	}()
	c.ended = ended
	for {
		if res, err := http.Get(c.url() + "/healthz"); err == nil {
			_ = res.Body.Close()
			return
		}
		select {
		case err := <-ended:
			c.t.Fatalf("did not start: %v", err)
		case <-time.After(10 * time.Millisecond): // another process is starting; there is nothing else to wait on
		}
	}
}

// kill is kill -9: no chance to tidy up.
func (c *child) kill() {
	if c.cmd != nil && c.cmd.Process != nil {
		_ = c.end(syscall.SIGKILL)
	}
}

// end sends a signal and answers how the process ended.
func (c *child) end(signal os.Signal) error {
	_ = c.cmd.Process.Signal(signal) // it may be dead already
	err := <-c.ended
	c.cmd, c.ended = nil, nil
	return err
}

// open looks into the data.
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

// fanOut is what a sender is killed in: sinks that take everything and remember it.
type fanOut struct {
	mu    sync.Mutex
	got   map[string]map[string]int // inbox -> activity -> times
	total atomic.Int64
}

// ServeHTTP takes a delivery. It answers a moment later, as a real server does, so
// that a kill finds requests on their way.
func (f *fanOut) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var a struct {
		ID string `json:"id"`
	}
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil || a.ID == "" {
		return // cut off in the middle: it did not arrive
	}
	f.mu.Lock()
	in := "http://" + r.Host + r.URL.Path
	if f.got[in] == nil {
		f.got[in] = map[string]int{}
	}
	f.got[in][a.ID]++
	f.mu.Unlock()
	f.total.Add(1)
	time.Sleep(rand.N(10 * time.Millisecond)) // the way of the answer
	w.WriteHeader(http.StatusAccepted)
}

// times is how often an inbox was served.
func (f *fanOut) times(inbox string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, times := range f.got[inbox] {
		n += times
	}
	return n
}

func (f *fanOut) inboxes() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.got)
}

// deliveryWorkers is how many deliveries a sender has in flight at most.
const deliveryWorkers = 256

// A sender killed again and again in the middle of a fan-out delivers everything.
// An inbox gets the activity a second time only if its delivery was in flight at a
// kill, and then under the same id.
func TestKilledSenderLosesNothing(t *testing.T) {
	const hosts, followers = 50, 20
	f := &fanOut{got: map[string]map[string]int{}}
	c := newChild(t)
	inboxes := hosts * followers
	c.open(func(in *instance.Instance) { publishTo(t, in, f, hosts, followers) })
	mayRepeat := map[string]int{} // inbox -> kills that found its delivery in flight
	for range kills {
		before := f.total.Load()
		c.start()
		moment := before + rand.N(int64(2*inboxes/kills)) // the random moment, in deliveries
		c.wait("the sender to go on", func() bool { return f.total.Load() >= moment || f.inboxes() == inboxes })
		c.kill()
		c.open(func(in *instance.Instance) {
			ctx := context.Background()
			waiting, err := in.DB.Jobs(ctx, "deliver", "", inboxes)
			if err != nil {
				t.Fatal(err)
			}
			leased := 0
			for _, j := range waiting {
				if j.NextAt.After(time.Now()) {
					leased++
					mayRepeat[j.Target]++
				} else if f.times(j.Target) > mayRepeat[j.Target] {
					t.Errorf("%s was served and its delivery is not in flight", j.Target)
				}
			}
			if leased > deliveryWorkers {
				t.Errorf("%d deliveries in flight, %d workers", leased, deliveryWorkers)
			}
			// Leases of the dead end now, not in two minutes.
			if err := in.DB.Release(ctx, ids(waiting)); err != nil {
				t.Fatal(err)
			}
		})
	}
	c.start()
	c.wait("all inboxes to be served", func() bool { return f.inboxes() == inboxes })
	c.kill()
	c.open(func(in *instance.Instance) { checkAudit(t, in, int(f.total.Load())) })
	f.mu.Lock()
	defer f.mu.Unlock()
	repeats := 0
	for in, ids := range f.got {
		if len(ids) != 1 {
			t.Errorf("%s got %d activities", in, len(ids))
		}
		for _, n := range ids {
			repeats += n - 1
			if n-1 > mayRepeat[in] {
				t.Errorf("%s was served %d times, in flight at %d kills", in, n, mayRepeat[in])
			}
		}
	}
	t.Logf("%d inboxes, %d kills: 0 lost, %d repeated on the wire", inboxes, kills, repeats)
}

// checkAudit finds the chain of audit rows good, with a row for each delivery that
// was on the wire: killed between a decision and its link, it loses none.
func checkAudit(t *testing.T, in *instance.Instance, sent int) {
	t.Helper()
	ctx := context.Background()
	if err := in.DB.LinkAudit(ctx); err != nil {
		t.Error(err)
	}
	if report, err := in.DB.VerifyAudit(ctx); err != nil || report.Problem != "" {
		t.Errorf("the audit rows: %+v %v", report, err)
	}
	decided := 0
	if err := in.DB.View(ctx, func(tx social.Tx) error {
		rows, err := tx.Audit(ctx, social.Page{Limit: 10 * sent})
		for _, r := range rows {
			if r.Kind == social.AuditSend && r.Result == social.AuditAllowed {
				decided++
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if decided < sent {
		t.Errorf("%d deliveries were on the wire, %d audit rows tell of them", sent, decided)
	}
}

// publishTo gives alice followers on so many hosts, each with an inbox of its own,
// and has her write to them all.
func publishTo(t *testing.T, in *instance.Instance, sink http.Handler, hosts, followers int) {
	t.Helper()
	ctx := context.Background()
	alice, err := in.Social.CreateAccount(ctx, social.NewAccount{Username: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	for range hosts {
		srv := httptest.NewServer(sink)
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
}

// wait waits until something becomes true. No time of its own bounds it, since the
// machine may be slow; it fails when the process died, or shortly before the whole
// test run ends.
func (c *child) wait(what string, done func() bool) {
	c.t.Helper()
	last := make(<-chan time.Time) // never
	if end, ok := c.t.Deadline(); ok {
		last = time.After(time.Until(end) - 10*time.Second)
	}
	for !done() {
		select {
		case err := <-c.ended: // never, while there is no process
			c.t.Fatalf("waiting for %s: the process ended: %v", what, err)
		case <-last:
			c.t.Fatalf("waiting for %s: it did not come to an end", what)
		case <-time.After(20 * time.Millisecond): // another process works; there is nothing else to wait on
		}
	}
}

// ingest is what a receiver is killed in: another server that sends until each of
// its activities is acknowledged.
type ingest struct {
	t      *testing.T
	origin string
	key    httpsig.Key
	public []byte
	posts  []string // of alice, to be answered, liked and shared

	mu       sync.Mutex
	statuses map[int]int // as answered; 0: the connection broke
	acked    atomic.Int64
}

func newIngest(t *testing.T) *ingest {
	t.Helper()
	public, private, err := instancetest.GenerateRSA()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := httpsig.ParsePrivate(private)
	if err != nil {
		t.Fatal(err)
	}
	g := &ingest{t: t, public: public, statuses: map[int]int{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/activity+json")
		_ = json.NewEncoder(w).Encode(g.actor())
	}))
	t.Cleanup(srv.Close)
	g.origin = srv.URL
	g.key = httpsig.Key{ID: g.origin + "/u#main-key", Private: signer}
	return g
}

func (g *ingest) actor() map[string]any {
	id := g.origin + "/u"
	return map[string]any{"id": id, "type": "Person", "preferredUsername": "u", "inbox": id + "/inbox",
		"publicKey": map[string]string{"id": id + "#main-key", "owner": id, "publicKeyPem": string(g.public)}}
}

// activity is the n-th: of ten there are seven posts, one answer, one like and one share.
func (g *ingest) activity(n int) map[string]any {
	id := fmt.Sprintf("%s/n/%d", g.origin, n)
	subject := g.posts[n/10]
	a := map[string]any{"id": id + "/activity", "actor": g.origin + "/u", "to": "as:Public"}
	note := map[string]any{"id": id, "type": "Note", "attributedTo": g.origin + "/u", "content": "x", "to": "as:Public"}
	switch n % 10 {
	case 7:
		note["inReplyTo"] = subject
		note["tag"] = map[string]any{"type": "Mention", "href": strings.Split(subject, "/statuses/")[0]}
	case 8:
		a["type"], a["object"] = "Like", subject
		return a
	case 9:
		a["type"], a["object"] = "Announce", subject
		return a
	}
	a["type"], a["object"] = "Create", note
	return a
}

// deliver sends the n-th activity until it is acknowledged; every fifth once more
// after that, as a server does that did not hear the answer.
func (g *ingest) deliver(to string, n int, stop <-chan struct{}) {
	body, err := json.Marshal(g.activity(n))
	if err != nil {
		g.t.Error(err)
		return
	}
	req, err := http.NewRequest("POST", to+"/inbox", nil)
	if err != nil {
		g.t.Error(err)
		return
	}
	req.Header.Set("Content-Type", "application/activity+json")
	if err := httpsig.Sign(req, body, g.key, httpsig.Cavage, time.Now()); err != nil {
		g.t.Error(err)
		return
	}
	for still := 1 + bit(n%5 == 0); still > 0; {
		status := post(req, body)
		g.mu.Lock()
		g.statuses[status]++
		g.mu.Unlock()
		switch {
		case status == http.StatusAccepted:
			still--
			continue
		case status >= 400 && status < 500: // others take that as final: it is lost
			g.t.Errorf("activity %d was refused with %d", n, status)
			return
		}
		select {
		case <-stop:
			return
		case <-time.After(20 * time.Millisecond): // the sender's patience
		}
	}
	g.acked.Add(1)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// post sends a signed request and answers the status, 0 when there was none.
func post(req *http.Request, body []byte) int {
	r := req.Clone(context.Background())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// A receiver killed again and again in the middle of 2,000 activities keeps every
// one that it acknowledged, and each has its effect once.
func TestKilledReceiverKeepsWhatItAcknowledged(t *testing.T) {
	const activities = 2000
	g := newIngest(t)
	c := newChild(t)
	c.open(func(in *instance.Instance) { followUntil(t, in, g, activities/10) })
	c.start()
	var wg sync.WaitGroup
	stop := make(chan struct{})
	t.Cleanup(func() { wg.Wait() })
	t.Cleanup(func() { close(stop) })
	var next atomic.Int64
	for range 8 {
		wg.Go(func() {
			for n := next.Add(1) - 1; n < activities; n = next.Add(1) - 1 {
				g.deliver(c.url(), int(n), stop)
			}
		})
	}
	for range kills {
		moment := g.acked.Load() + rand.N(int64(2*activities/kills)) // the random moment, in acknowledgements
		c.wait("the receiver to go on", func() bool { return t.Failed() || g.acked.Load() >= min(moment, activities) })
		c.kill()
		c.start()
	}
	c.wait("all to be acknowledged", func() bool { return t.Failed() || g.acked.Load() == activities })
	c.kill()
	t.Logf("%d acknowledged, %d kills, answers %v", g.acked.Load(), kills, g.statuses)
	c.settle()
	c.open(func(in *instance.Instance) { g.check(in, activities) })
}

// followUntil lets alice write so many posts and follow the sender.
func followUntil(t *testing.T, in *instance.Instance, g *ingest, posts int) {
	t.Helper()
	ctx := context.Background()
	alice, err := in.Social.CreateAccount(ctx, social.NewAccount{Username: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	for range posts {
		v, err := in.Social.Publish(ctx, social.Member(alice, in.Social.HomeAuthority()), social.Draft{Text: "hi", Audience: "public"})
		if err != nil {
			t.Fatal(err)
		}
		g.posts = append(g.posts, v.Post.URI)
	}
	host := strings.TrimPrefix(g.origin, "http://")
	if err := in.DB.Tx(ctx, func(tx social.Tx) error {
		u := &social.Account{Kind: social.KindPerson, Username: "u", Host: host, Authority: host, URI: g.origin + "/u", InboxURI: g.origin + "/u/inbox", CreatedAt: time.Now()}
		if err := tx.InsertAccount(ctx, u); err != nil {
			return err
		}
		return tx.PutFollow(ctx, &social.Follow{ID: social.NewID(time.Now()), FollowerID: alice.ID, TargetID: u.ID, State: social.FollowAccepted, ShowBoosts: true, CreatedAt: time.Now()})
	}); err != nil {
		t.Fatal(err)
	}
}

// settle has the server do what the killed ones left; their leases end now, not in
// two minutes.
func (c *child) settle() {
	c.t.Helper()
	ctx := context.Background()
	left := func(in *instance.Instance, limit int) []queue.Job {
		jobs, err := in.DB.Jobs(ctx, "inbox", "", limit)
		if err != nil {
			c.t.Fatal(err)
		}
		return jobs
	}
	c.open(func(in *instance.Instance) {
		if err := in.DB.Release(ctx, ids(left(in, 10_000))); err != nil {
			c.t.Fatal(err)
		}
	})
	c.start()
	c.open(func(in *instance.Instance) { // beside the server, as a command does
		c.wait("the rest to be applied", func() bool { return len(left(in, 1)) == 0 })
	})
	c.kill()
}

func ids(jobs []queue.Job) []int64 {
	out := make([]int64, len(jobs))
	for i, j := range jobs {
		out[i] = j.ID
	}
	return out
}

// check counts every effect: posts, counters, timeline rows and notifications.
func (g *ingest) check(in *instance.Instance, activities int) {
	g.t.Helper()
	ctx := context.Background()
	if err := in.DB.View(ctx, func(tx social.Tx) error {
		u, err := tx.AccountByURI(ctx, g.origin+"/u")
		if err != nil {
			return err
		}
		alice, err := tx.AccountByName(ctx, "alice", "")
		if err != nil {
			return err
		}
		missing := 0
		for n := range activities {
			uri := fmt.Sprintf("%s/n/%d", g.origin, n)
			switch n % 10 {
			case 8:
				continue
			case 9:
				uri += "/activity" // a share has the id of its activity
			}
			if _, err := tx.PostByURI(ctx, uri); err != nil {
				missing++
			}
		}
		if want := activities / 10 * 9; missing != 0 || u.PostsCount != want || u.FollowersCount != 1 {
			g.t.Errorf("%d missing, %d posts counted of %d, %d followers", missing, u.PostsCount, want, u.FollowersCount)
		}
		for _, uri := range g.posts[:activities/10] {
			p, err := tx.PostByURI(ctx, uri)
			if err != nil {
				return err
			}
			if p.RepliesCount != 1 || p.FavouritesCount != 1 || p.BoostsCount != 1 {
				g.t.Errorf("%s: %d answers, %d likes, %d shares", uri, p.RepliesCount, p.FavouritesCount, p.BoostsCount)
			}
		}
		return g.checkLists(ctx, tx, alice.ID, activities)
	}); err != nil {
		g.t.Fatal(err)
	}
}

// checkLists counts what alice sees: each post once, and one notification for each
// answer, like and share. A share of what her timeline has adds nothing to it.
func (g *ingest) checkLists(ctx context.Context, tx social.Tx, alice social.ID, activities int) error {
	seen := map[social.ID]bool{}
	rows := 0
	for p := (social.Page{Limit: 500}); ; {
		items, err := tx.Timeline(ctx, alice, p)
		if err != nil {
			return err
		}
		for _, it := range items {
			seen[it.PostID] = true
			rows++
		}
		if len(items) < p.Limit {
			break
		}
		p.Max = items[len(items)-1].ID
	}
	if want := activities/10*8 + len(g.posts); rows != want || len(seen) != want {
		g.t.Errorf("the timeline has %d rows of %d posts, not %d", rows, len(seen), want)
	}
	told, err := tx.Notifications(ctx, alice, social.Page{Limit: activities}, social.NotificationFilter{})
	if err != nil {
		return err
	}
	kinds := map[social.NotificationKind]int{}
	for _, n := range told {
		kinds[n.Kind]++
	}
	want := activities / 10
	if kinds[social.NotifyMention] != want || kinds[social.NotifyFavourite] != want || kinds[social.NotifyReblog] != want || len(told) != 3*want {
		g.t.Errorf("notifications: %v, of each kind %d", kinds, want)
	}
	return nil
}
