package instance_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// BenchmarkSilentHosts compares how fast 90 healthy hosts get 10 posts with and
// without 10 more that take the connection and never answer; "speed" is the ratio.
func BenchmarkSilentHosts(b *testing.B) {
	for b.Loop() {
		alone := fanOut(b, 90, 0)
		beside := fanOut(b, 90, 10)
		b.ReportMetric(float64(alone)/float64(beside), "speed")
		b.ReportMetric(float64(90*10)/alone.Seconds(), "deliveries/s")
	}
}

func fanOut(b *testing.B, healthy, silent int) time.Duration {
	b.Helper()
	const posts = 10
	in := instancetest.Start(b, b.TempDir(), "")
	ctx, stop := context.WithCancel(context.Background())
	var got atomic.Int64
	all := make(chan struct{})
	quiet := make(chan struct{})
	var servers []*httptest.Server
	for range healthy {
		servers = append(servers, httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			if got.Add(1) == int64(healthy*posts) {
				close(all)
			}
		})))
	}
	for range silent {
		servers = append(servers, httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-quiet })))
	}
	alice := followed(b, in, servers)
	for i := range posts {
		if _, err := in.Social.Publish(ctx, alice, social.Draft{Text: fmt.Sprint("post ", i), Audience: "public"}); err != nil {
			b.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	start := time.Now()
	for _, r := range in.Federation.Runners() {
		wg.Go(func() { r.Run(ctx) })
	}
	<-all
	took := time.Since(start)
	stop()
	close(quiet)
	wg.Wait()
	for _, s := range servers {
		s.Close()
	}
	return took
}

// followed makes a member with one follower on each server.
func followed(b *testing.B, in *instance.Instance, servers []*httptest.Server) social.Reader {
	b.Helper()
	ctx := context.Background()
	a, err := in.Social.CreateAccount(ctx, social.NewAccount{Username: "alice"})
	if err != nil {
		b.Fatal(err)
	}
	if err := in.DB.Tx(ctx, func(tx social.Tx) error {
		for _, s := range servers {
			host := strings.TrimPrefix(s.URL, "http://")
			if err := tx.SetZone(ctx, host, social.Zone{Kind: social.ZonePublic}, "bench", time.Now()); err != nil {
				return err
			}
			f := &social.Account{Kind: social.KindPerson, Username: "f", Host: host, Authority: host, URI: s.URL + "/f", InboxURI: s.URL + "/inbox", CreatedAt: time.Now()}
			if err := tx.InsertAccount(ctx, f); err != nil {
				return err
			}
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
