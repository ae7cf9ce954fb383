package instance_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// startQuiet opens an instance in mode open that logs nothing.
func startQuiet(b *testing.B) *instance.Instance {
	b.Helper()
	return instancetest.StartWith(b, b.TempDir(), instancetest.Options{
		Log:    slog.New(slog.DiscardHandler),
		Config: map[string]string{"federation.mode": "open"},
	})
}

// cpu is the time this process has spent computing: a busy machine changes it less
// than the time of day.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// work runs an instance's workers until the answered function is called.
func work(in *instance.Instance) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, r := range in.Federation.Runners() {
		wg.Go(func() { r.Run(ctx) })
	}
	return func() {
		cancel()
		wg.Wait()
		_ = in.DB.LinkAudit(context.Background()) // the cost of what was decided belongs to it
	}
}

// pages is the size of an instance's database.
func pages(b *testing.B, in *instance.Instance) float64 {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(in.Config.DataDir, "parley.db")+"?mode=ro")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // only read
	var count, size float64
	if err := db.QueryRow("SELECT * FROM pragma_page_count(), pragma_page_size()").Scan(&count, &size); err != nil {
		b.Fatal(err)
	}
	return count * size
}

// BenchmarkInbox takes posts of 50 people of another server whom a member follows:
// each is verified, made durable, answered 202, applied and in her timeline. 16
// senders keep their connections. cpu-ms is what the instance computes for one, with the
// little that a sender of prepared requests does; B/status what one fills on disk.
func BenchmarkInbox(b *testing.B) {
	in := startQuiet(b)
	alice := follower(b, in)
	strangers, key := strangers(b, in, alice, 50)
	requests := make([][]byte, b.N)
	for i := range requests {
		requests[i] = signedCreate(b, in, strangers[i%len(strangers)], key, i)
	}
	before, size := cpu(), pages(b, in)
	stop := work(in)
	b.ResetTimer()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() { sendAll(b, in.Config.Listen, requests, &next) })
	}
	wg.Wait()
	for waiting := true; waiting; {
		due, err := in.DB.NextDue(context.Background(), "inbox")
		if waiting = !due.IsZero(); err != nil {
			b.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	b.StopTimer()
	stop()
	b.ReportMetric(float64((cpu()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric((pages(b, in)-size)/float64(b.N), "B/status")
	if got := inTimeline(b, in, alice); got != min(b.N, 40) {
		b.Fatalf("%d posts in the timeline", got)
	}
}

func follower(b *testing.B, in *instance.Instance) social.Reader {
	b.Helper()
	a, err := in.Social.CreateAccount(context.Background(), social.NewAccount{Username: "alice"})
	if err != nil {
		b.Fatal(err)
	}
	return social.Member(a, in.Social.HomeAuthority())
}

func inTimeline(b *testing.B, in *instance.Instance, r social.Reader) int {
	b.Helper()
	views, err := in.Social.Home(context.Background(), r, social.Page{Limit: 40})
	if err != nil {
		b.Fatal(err)
	}
	return len(views)
}

// strangers are people of a server that never has to be asked, followed by a member.
// They share a key pair, which takes long to make.
func strangers(b *testing.B, in *instance.Instance, fan social.Reader, n int) (people []*social.Account, private crypto.Signer) {
	b.Helper()
	ctx, now := context.Background(), time.Now()
	public, secret, err := httpsig.GenerateRSA()
	if err != nil {
		b.Fatal(err)
	}
	if private, err = httpsig.ParsePrivate(secret); err != nil {
		b.Fatal(err)
	}
	if err := in.DB.Tx(ctx, func(tx social.Tx) error {
		for i := range n {
			name := fmt.Sprint("person", i)
			uri := "http://127.0.0.1:9/users/" + name
			a := &social.Account{Kind: social.KindPerson, Username: name, Host: "127.0.0.1:9", Authority: "127.0.0.1:9", URI: uri, InboxURI: uri + "/inbox",
				SharedInboxURI: "http://127.0.0.1:9/inbox", FollowersURI: uri + "/followers", CreatedAt: now, FetchedAt: now}
			if err := tx.InsertAccount(ctx, a); err != nil {
				return err
			}
			if err := tx.PutKey(ctx, social.Key{URI: uri + "#main-key", AccountID: a.ID, Kind: "rsa", Public: public, FetchedAt: now}); err != nil {
				return err
			}
			if err := tx.PutFollow(ctx, &social.Follow{ID: social.NewID(now), FollowerID: fan.Account.ID, TargetID: a.ID, State: social.FollowAccepted, CreatedAt: now}); err != nil {
				return err
			}
			people = append(people, a)
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return people, private
}

// signedCreate is the bytes of a request that brings a post, of the shape Mastodon sends.
func signedCreate(b *testing.B, in *instance.Instance, by *social.Account, key crypto.Signer, i int) []byte {
	b.Helper()
	id := fmt.Sprintf("%s/statuses/%d", by.URI, 1000+i)
	at := time.Now().Add(time.Duration(i-b.N) * time.Second).UTC().Format(time.RFC3339)
	body := fmt.Appendf(nil, `{"@context":["https://www.w3.org/ns/activitystreams",{"ostatus":"http://ostatus.org#","atomUri":"ostatus:atomUri","sensitive":"as:sensitive","toot":"http://joinmastodon.org/ns#","votersCount":"toot:votersCount"}],
		"id":"%[1]s/activity","type":"Create","actor":"%[2]s","published":"%[3]s","to":["https://www.w3.org/ns/activitystreams#Public"],"cc":["%[2]s/followers"],
		"object":{"id":"%[1]s","type":"Note","summary":null,"inReplyTo":null,"published":"%[3]s","url":"%[1]s","attributedTo":"%[2]s","to":["https://www.w3.org/ns/activitystreams#Public"],"cc":["%[2]s/followers"],"sensitive":false,
		"content":"<p>We moved the weekly call of the warehouse teams to Thursday; the room stays the same. Whoever cannot come finds the notes on the usual page by noon.</p>",
		"contentMap":{"en":"<p>We moved the weekly call of the warehouse teams to Thursday; the room stays the same. Whoever cannot come finds the notes on the usual page by noon.</p>"},
		"attachment":[],"tag":[],"replies":{"id":"%[1]s/replies","type":"Collection","first":{"type":"CollectionPage","next":"%[1]s/replies?page=true","partOf":"%[1]s/replies","items":[]}}}}`, id, by.URI, at)
	r, err := http.NewRequest("POST", in.Config.PublicURL+"/inbox", bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/activity+json")
	if err := httpsig.Sign(r, body, httpsig.Key{ID: by.URI + "#main-key", Private: key}, httpsig.ParseDialect(""), time.Now()); err != nil {
		b.Fatal(err)
	}
	var out bytes.Buffer
	if err := r.Write(&out); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// sendAll sends the requests that nobody has sent yet, over one connection.
func sendAll(b *testing.B, address string, requests [][]byte, next *atomic.Int64) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Error(err)
		return
	}
	defer conn.Close() //nolint:errcheck // all is read
	in := bufio.NewReader(conn)
	for i := next.Add(1) - 1; int(i) < len(requests); i = next.Add(1) - 1 {
		if _, err := conn.Write(requests[i]); err != nil {
			b.Error(err)
			return
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			b.Error(err)
			return
		}
		_, _ = io.Copy(io.Discard, res.Body)
		if res.StatusCode != http.StatusAccepted {
			b.Errorf("answered %d", res.StatusCode)
			return
		}
	}
}

// BenchmarkFanOut sends posts to one follower on each of 200 hosts, signed with RSA.
// An operation is one delivery; B/status is what a post with its deliveries fills.
func BenchmarkFanOut(b *testing.B) {
	const hosts = 200
	in := startQuiet(b)
	var got atomic.Int64
	urls := make([]string, hosts)
	for i := range urls {
		urls[i] = sink(b, &got)
	}
	alice := followed(b, in, "alice", fansOn(b, in, urls))
	posts := (b.N + hosts - 1) / hosts
	size, start := pages(b, in), cpu()
	b.ResetTimer()
	for i := range posts {
		if _, err := in.Social.Publish(context.Background(), alice, social.Draft{Text: fmt.Sprint("post ", i), Audience: "public"}); err != nil {
			b.Fatal(err)
		}
	}
	stop := work(in)
	for got.Load() < int64(posts*hosts) {
		time.Sleep(time.Millisecond)
	}
	b.StopTimer()
	stop()
	b.ReportMetric(float64((cpu()-start).Microseconds())/1000/float64(posts*hosts), "cpu-ms/op")
	b.ReportMetric((pages(b, in)-size)/float64(posts), "B/status")
}

// sink is a host that accepts every delivery and computes next to nothing for it.
func sink(b *testing.B, got *atomic.Int64) (url string) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go swallow(c, got)
		}
	}()
	return "http://" + l.Addr().String()
}

func swallow(c net.Conn, got *atomic.Int64) {
	defer c.Close() //nolint:errcheck // nothing is lost
	in := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		if _, err := io.WriteString(c, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"); err != nil {
			return
		}
		got.Add(1)
	}
}

// BenchmarkPublish writes posts that one colleague reads; nobody else gets them.
func BenchmarkPublish(b *testing.B) {
	in := startQuiet(b)
	alice := follower(b, in)
	size, start := pages(b, in), cpu()
	for i := 0; b.Loop(); i++ {
		if _, err := in.Social.Publish(context.Background(), alice, social.Draft{Audience: "company",
			Text: fmt.Sprint("We moved the weekly call of the warehouse teams to Thursday; the room stays the same. Notes are on the usual page by noon. ", i)}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu()-start).Microseconds())/1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric((pages(b, in)-size)/float64(b.N), "B/status")
}

// BenchmarkSilentHosts compares how fast 90 healthy hosts get the posts of 8 people
// with and without 10 more hosts that take the connection and never answer. Both run
// at the same time, so that other load slows both alike: "speed" is how far the one
// with silent hosts came while the other did the same work, 1 for as far.
func BenchmarkSilentHosts(b *testing.B) {
	const want = 90 * benchAuthors * benchPosts
	var alone, beside int64
	busy := time.Duration(0)
	for b.Loop() {
		one, two := newFanOut(b, 90, 0), newFanOut(b, 90, 10)
		start := time.Now()
		stops := []func(){work(one.in), work(two.in)}
		for one.got.Load() < want && two.got.Load() < want {
			time.Sleep(time.Millisecond)
		}
		busy += time.Since(start)
		alone, beside = alone+one.got.Load(), beside+two.got.Load()
		close(two.silence)
		for _, stop := range stops {
			stop()
		}
	}
	b.ReportMetric(float64(beside)/float64(alone), "speed")
	b.ReportMetric(float64(alone+beside)/busy.Seconds(), "deliveries/s")
}

const (
	benchAuthors = 8 // as many deliveries as one host may hold at once
	benchPosts   = 3
)

// fanOut is an instance whose posts wait for their delivery to hosts.
type fanOut struct {
	in      *instance.Instance
	got     atomic.Int64  // by the healthy ones
	silence chan struct{} // ends the silence of the others
}

func newFanOut(b *testing.B, healthy, silent int) *fanOut {
	b.Helper()
	f := &fanOut{in: startQuiet(b), silence: make(chan struct{})}
	urls := make([]string, 0, healthy+silent)
	for range healthy {
		urls = append(urls, sink(b, &f.got))
	}
	for range silent {
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-f.silence }))
		b.Cleanup(s.Close)
		urls = append(urls, s.URL)
	}
	fans := fansOn(b, f.in, urls)
	for i := range benchAuthors {
		author := followed(b, f.in, fmt.Sprint("author", i), fans)
		for j := range benchPosts {
			if _, err := f.in.Social.Publish(context.Background(), author, social.Draft{Text: fmt.Sprint("post ", j), Audience: "public"}); err != nil {
				b.Fatal(err)
			}
		}
	}
	return f
}

// fansOn makes a person on each server.
func fansOn(b *testing.B, in *instance.Instance, servers []string) (fans []*social.Account) {
	b.Helper()
	ctx := context.Background()
	if err := in.DB.Tx(ctx, func(tx social.Tx) error {
		for _, url := range servers {
			host := strings.TrimPrefix(url, "http://")
			if err := tx.SetZone(ctx, host, social.Zone{Kind: social.ZonePublic}, "bench", time.Now()); err != nil {
				return err
			}
			f := &social.Account{Kind: social.KindPerson, Username: "f", Host: host, Authority: host, URI: url + "/f", InboxURI: url + "/inbox", CreatedAt: time.Now()}
			if err := tx.InsertAccount(ctx, f); err != nil {
				return err
			}
			fans = append(fans, f)
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return fans
}

// followed makes a member whom all fans follow.
func followed(b *testing.B, in *instance.Instance, name string, fans []*social.Account) social.Reader {
	b.Helper()
	ctx := context.Background()
	a, err := in.Social.CreateAccount(ctx, social.NewAccount{Username: name})
	if err != nil {
		b.Fatal(err)
	}
	if err := in.DB.Tx(ctx, func(tx social.Tx) error {
		for _, f := range fans {
			if err := tx.PutFollow(ctx, &social.Follow{ID: social.NewID(time.Now()), FollowerID: f.ID, TargetID: a.ID, State: social.FollowAccepted, CreatedAt: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return social.Member(a, in.Social.HomeAuthority())
}
