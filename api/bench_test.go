package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	"parley/auth"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// BenchmarkHome reads the first 20 posts of a home timeline over HTTP, with 100,000
// posts by 100 people in it. p50 and p99 are of single requests; cpu-µs is what
// client and server compute for one, which a busy machine does not change much.
func BenchmarkHome(b *testing.B) {
	in := instancetest.Start(b, b.TempDir(), "")
	token := fill(b, in, 100_000)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	home := func() time.Duration {
		r, err := http.NewRequest("GET", in.Config.PublicURL+"/api/v1/timelines/home?limit=20", nil)
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		start := time.Now()
		res, err := client.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		defer res.Body.Close() //nolint:errcheck // only read
		n, err := io.Copy(io.Discard, res.Body)
		if err != nil || res.StatusCode != http.StatusOK || n < 10_000 {
			b.Fatalf("%d, %d bytes: %v", res.StatusCode, n, err)
		}
		return time.Since(start)
	}
	took := make([]time.Duration, 0, 1<<16)
	before := cpu()
	for b.Loop() {
		took = append(took, home())
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(len(took)), "cpu-µs/op")
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
}

// cpu is the time this process has spent computing.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// fill gives a member a home timeline of n posts and answers a token of hers.
func fill(b *testing.B, in *instance.Instance, n int) string {
	b.Helper()
	ctx := context.Background()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	var people []*social.Account
	for i := range 101 {
		a := &social.Account{ID: social.NewID(time.Now()), Kind: social.KindPerson, Username: fmt.Sprint("person", i), DisplayName: fmt.Sprint("Person ", i),
			Authority: in.Config.Domain, URI: fmt.Sprint(in.Config.PublicURL, "/users/p", i), CreatedAt: time.Now()}
		must(in.DB.Tx(ctx, func(tx social.Tx) error { return tx.InsertAccount(ctx, a) }))
		people = append(people, a)
	}
	me := people[100]
	must(in.DB.Tx(ctx, func(tx social.Tx) error {
		for _, p := range people[:100] {
			if err := tx.PutFollow(ctx, &social.Follow{ID: social.NewID(time.Now()), FollowerID: me.ID, TargetID: p.ID, State: social.FollowAccepted, ShowBoosts: true, CreatedAt: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	}))
	at := time.Now().Add(-time.Duration(n) * time.Second)
	for i := 0; i < n; i += 1000 {
		must(in.DB.Tx(ctx, func(tx social.Tx) error {
			for j := range 1000 {
				when, author := at.Add(time.Duration(i+j)*time.Second), people[(i+j)%100]
				id := social.NewID(when)
				p := &social.Post{ID: id, AuthorID: author.ID, Kind: social.PostNote, URI: author.URI + "/statuses/" + id.String(), ThreadID: id, Local: true, Version: 1,
					Content: "<p>We moved the weekly call of the warehouse teams to Thursday; the room stays the same.</p>", Audience: social.Audience{Kind: social.AudienceCompany, Owner: in.Config.Domain},
					PublishedAt: when, ArrivedAt: when}
				if err := tx.InsertPost(ctx, p); err != nil {
					return err
				}
				if _, err := tx.AddToTimelines(ctx, p, nil, when); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	token, err := in.Auth.CreateToken(ctx, me.ID, auth.NewToken{App: "bench", Scopes: "read", Bound: "company"})
	must(err)
	return token
}
