package storage_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

// BenchmarkBackup writes full backups of databases with so many posts, while somebody
// writes, and looks through what it wrote as a restore does: how long that takes, how
// large it is, and how long a writer waited at most.
func BenchmarkBackup(b *testing.B) {
	for _, posts := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("sqlite/%d", posts), func(b *testing.B) { backUp(b, library(b, "sqlite:parley.db", posts)) })
		b.Run(fmt.Sprintf("postgres/%d", posts), func(b *testing.B) {
			url, _ := postgresForTest(b)
			backUp(b, library(b, url, posts))
		})
	}
}

func backUp(b *testing.B, db *storage.DB) {
	ctx := context.Background()
	file := filepath.Join(b.TempDir(), "backup.db")
	stop, longest := make(chan struct{}), make(chan time.Duration)
	go func() {
		var most time.Duration
		for {
			select {
			case <-stop:
				longest <- most
				return
			case <-time.After(5 * time.Millisecond): // somebody writes now and then
			}
			began := time.Now()
			if err := db.Tx(ctx, func(tx social.Tx) error { return tx.PutSetting(ctx, "touched", began.String()) }); err != nil {
				b.Error(err)
			}
			most = max(most, time.Since(began))
		}
	}()
	for b.Loop() {
		if err := db.BackupDatabase(ctx, file); err != nil {
			b.Fatal(err)
		}
	}
	close(stop)
	b.ReportMetric(float64((<-longest).Milliseconds()), "ms-longest-write")
	st, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(st.Size())/1e6, "MB")
	began := time.Now()
	if err := storage.CheckFile(ctx, file); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms-check")
}
