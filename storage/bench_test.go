package storage_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"parley/queue"
	"parley/social"
	"parley/storage"
)

// cpu is the time this process has spent computing: a busy machine changes it less
// than the time of day.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// backlog opens a database in which one host has n jobs of some chains waiting, and
// 100 others have ten each.
func backlog(b *testing.B, n, chains int) *storage.DB {
	b.Helper()
	ctx := context.Background()
	db, err := storage.Open(ctx, storage.Options{URL: "sqlite:parley.db", DataDir: b.TempDir(), Now: time.Now, Log: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	var jobs []queue.Job
	for i := range n {
		jobs = append(jobs, queue.Job{Kind: "deliver", Host: "large.test", Ref: int64(i), Target: "https://large.test/inbox", Chain: int64(1 + i%chains)})
	}
	for i := range 1000 {
		host := fmt.Sprintf("h%d.test", i%100)
		jobs = append(jobs, queue.Job{Kind: "deliver", Host: host, Ref: int64(n + i), Target: "https://" + host + "/inbox", Chain: int64(1 + i/100)})
	}
	if err := db.Tx(ctx, func(tx social.Tx) error { return tx.AddJobs(ctx, jobs) }); err != nil {
		b.Fatal(err)
	}
	return db
}

// BenchmarkClaim claims one job, and gives it back, while another host has 10,000
// due ones and no room for more.
func BenchmarkClaim(b *testing.B) {
	ctx := context.Background()
	db := backlog(b, 10_000, 10_000)
	soon, start := time.Now().Add(time.Minute), cpu()
	for b.Loop() {
		jobs, err := db.Claim(ctx, "deliver", soon, soon.Add(time.Minute), 1, 4, []string{"large.test"})
		if err != nil || len(jobs) != 1 {
			b.Fatal(jobs, err)
		}
		if err := db.Release(ctx, []int64{jobs[0].ID}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu()-start).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

// BenchmarkHostFailed parks a host for which 50,000 deliveries of 100 people wait,
// and finds it working again.
func BenchmarkHostFailed(b *testing.B) {
	ctx := context.Background()
	db := backlog(b, 50_000, 100)
	start := cpu()
	for b.Loop() {
		now := time.Now()
		if _, err := db.HostFailed(ctx, "large.test", now, now.Add(time.Hour), "no answer"); err != nil {
			b.Fatal(err)
		}
		if err := db.HostWorked(ctx, "large.test", now); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu()-start).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}
