package storage_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/social"
	"parley/storage"
)

// tryOpen opens a database and looks it through, as serve does.
func tryOpen(t *testing.T, dir string) (*storage.DB, error) {
	t.Helper()
	db, err := storage.Open(context.Background(), storage.Impatient(storage.Options{URL: "sqlite:parley.db", DataDir: dir, Now: time.Now, Log: quiet}))
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = db.Close() })
	return db, db.QuickCheck(context.Background())
}

func wantAdvice(t *testing.T, err error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v does not say %q", err, text)
		}
	}
}

// begun is a folder with a database that was closed, or left as kill -9 leaves it.
func begun(t *testing.T, writes int) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	must(t, os.Chmod(dir, 0o700))
	db := open(t, "sqlite:parley.db", dir)
	for n := range writes {
		must(t, put(db, fmt.Sprintf("k%04d", n)))
	}
	must(t, db.Close())
	return dir, filepath.Join(dir, "parley.db")
}

func put(db *storage.DB, key string) error {
	return db.Tx(context.Background(), func(tx social.Tx) error {
		return tx.PutSetting(context.Background(), key, strings.Repeat("x", 1000))
	})
}

// T74: a file that cannot be written is named, with what to do.
func TestReadOnlyDatabaseIsNamed(t *testing.T) {
	dir, file := begun(t, 1)
	if os.Geteuid() != 0 {
		must(t, os.Chmod(file, 0o400))
	} else { // whom permissions do not stop
		if err := syscall.Mount(dir, dir, "", syscall.MS_BIND, ""); err != nil {
			t.Skipf("a folder cannot be made read-only here: %v", err)
		}
		t.Cleanup(func() { must(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
		if err := syscall.Mount("", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Skipf("a folder cannot be made read-only here: %v", err)
		}
	}
	_, err := tryOpen(t, dir)
	wantAdvice(t, err, file, "cannot be written", "the user that runs parley")
}

// T74: while another program holds the database nothing is acknowledged; with it
// gone all is well. At the start the program is not guessed, but how to find it said.
func TestLockedDatabaseAcknowledgesNothing(t *testing.T) {
	dir, file := begun(t, 1)
	db, err := tryOpen(t, dir)
	must(t, err)
	other, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate")
	must(t, err)
	defer other.Close() //nolint:errcheck // the test is over
	held, err := other.Begin()
	must(t, err)
	if err := put(db, "locked"); social.KindOf(err) != social.Unavailable {
		t.Errorf("a write on a locked database: %v", err)
	}
	_, err = tryOpen(t, dir)
	wantAdvice(t, err, file, "another program", "fuser")
	must(t, held.Rollback())
	must(t, put(db, "free"))
	must(t, db.View(context.Background(), func(tx social.Tx) error {
		v, err := tx.Setting(context.Background(), "locked")
		if v != "" {
			t.Error("what was refused is there")
		}
		return err
	}))
}

// T74: a log that breaks off anywhere leaves what was committed before, whole.
func TestTruncatedLogLeavesWhatCameBefore(t *testing.T) {
	dir := t.TempDir()
	db := open(t, "sqlite:parley.db", dir)
	for n := range 40 {
		must(t, put(db, fmt.Sprintf("k%04d", n)))
	}
	whole, err := os.ReadFile(filepath.Join(dir, "parley.db"))
	must(t, err)
	log, err := os.ReadFile(filepath.Join(dir, "parley.db-wal"))
	must(t, err)
	most := 0
	for _, keep := range []int{0, 10, 32, len(log) / 4, len(log)/2 + 7, len(log) - 1, len(log)} {
		at := t.TempDir()
		must(t, errors.Join(os.Chmod(at, 0o700), os.WriteFile(filepath.Join(at, "parley.db"), whole, 0o600), os.WriteFile(filepath.Join(at, "parley.db-wal"), log[:keep], 0o600)))
		db, err := tryOpen(t, at)
		must(t, err)
		must(t, db.Integrity(context.Background()))
		n, gap := 0, false
		must(t, db.View(context.Background(), func(tx social.Tx) error {
			for k := range 40 {
				v, err := tx.Setting(context.Background(), fmt.Sprintf("k%04d", k))
				if err != nil {
					return err
				}
				if gap = gap || v == ""; !gap {
					n++
				} else if v != "" {
					t.Errorf("%d bytes of the log: %d is there, what came before is not", keep, k)
				}
			}
			return nil
		}))
		if n < most {
			t.Errorf("%d bytes of the log bring %d, fewer brought %d", keep, n, most)
		}
		most = n
		must(t, put(db, "after"))
	}
	if most != 40 {
		t.Errorf("the whole log brings %d of 40", most)
	}
}

// T74: a page that the disk spoilt is found at the start; the file that is no
// database at all, too.
func TestDamagedDatabaseIsNamed(t *testing.T) {
	for name, spoil := range map[string]func(b []byte){
		"one page":     func(b []byte) { spoilPage(b, 30) },
		"the schema":   func(b []byte) { spoilPage(b, 0) },
		"its header":   func(b []byte) { copy(b, "not a database") },
		"the last one": func(b []byte) { spoilPage(b, len(b)/4096-1) },
	} {
		t.Run(name, func(t *testing.T) {
			dir, file := begun(t, 300)
			b, err := os.ReadFile(file)
			must(t, err)
			spoil(b)
			must(t, os.WriteFile(file, b, 0o600))
			_, err = tryOpen(t, dir)
			wantAdvice(t, err, file, "is damaged", "parley restore FILE")
		})
	}
}

func spoilPage(b []byte, page int) {
	from := page * 4096
	if page == 0 {
		from = 100 // after the header
	}
	for i := range 3000 {
		b[from+i] = 0x5a
	}
}

// A page that breaks while it serves: what needs it is refused, not acknowledged.
func TestDamageWhileServingAcknowledgesNothing(t *testing.T) {
	dir, file := begun(t, 300)
	db, err := tryOpen(t, dir)
	must(t, err)
	b, err := os.ReadFile(file)
	must(t, err)
	for page := 1; page < len(b)/4096; page++ {
		spoilPage(b, page)
	}
	must(t, os.WriteFile(file, b, 0o600))
	refused := 0
	for n := range 20 {
		if err := put(db, fmt.Sprintf("new%d", n)); err != nil {
			refused++
			if social.KindOf(err) != social.Unavailable {
				t.Errorf("%v", err)
			}
		}
	}
	if refused == 0 {
		t.Error("written into a damaged database")
	}
}
