package instance

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"parley/config"
	"parley/social"
	"parley/storage"
)

// TryBackup restores a backup into a temporary folder, which is removed again, and tells
// what is in it or why it is of no use. The instance itself is not touched.
func TryBackup(ctx context.Context, c *config.Config, file string, log *slog.Logger, now func() time.Time) (out []Finding) {
	const room = "let TMPDIR name a folder with room for all that the backup holds, and where this user may write"
	work, err := os.MkdirTemp("", "parley-restore-test-")
	if err != nil {
		return []Finding{problem("restore", room, "there is no place to restore it into: %v", err)}
	}
	defer func() {
		if err := os.RemoveAll(work); err != nil {
			out = append(out, problem("restore", "remove that folder: it holds the keys of this instance", "what was restored is left behind: %v", err))
		}
	}()
	trial := *c
	trial.DataDir, trial.Storage.URL, trial.Media.URL = filepath.Join(work, "data"), "sqlite:parley.db", "file:media"
	err = Restore(ctx, &trial, file)
	var newer *storage.NewerSchema
	switch {
	case errors.As(err, &newer):
		return []Finding{problem("restore", "test and restore it with the newer parley that wrote it", "%s has schema %d, and this program knows %d", file, newer.Have, newer.Known)}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return []Finding{problem("restore", "name a file that parley backup wrote and that this user may read", "%v", err)}
	case errors.Is(err, syscall.ENOSPC):
		return []Finding{problem("restore", room, "%v", err)}
	case err != nil:
		return []Finding{problem("restore", "make another with parley backup FILE, and keep older ones until a test calls it good; if it was copied from elsewhere, compare both and copy it again", "%v", err)}
	}
	return []Finding{lookInto(ctx, c, &trial, file, log, now)}
}

// lookInto checks a restored instance, and tells what it has.
func lookInto(ctx context.Context, c, trial *config.Config, file string, log *slog.Logger, now func() time.Time) Finding {
	const another = "make another with parley backup FILE; if that says the same, run parley doctor on the instance itself"
	db, err := storage.Open(ctx, storage.Options{URL: trial.Storage.URL, DataDir: trial.DataDir, Now: now, Log: log})
	if err != nil {
		return problem("restore", another, "%s cannot be opened: %v", file, err)
	}
	defer func() { _ = db.Close() }() // it is thrown away
	if err := db.Integrity(ctx); err != nil {
		return problem("restore", another, "%s: %v", file, err)
	}
	// As a restore does: the rows go on where the backup ends.
	if err := db.LinkAudit(ctx); err != nil {
		return problem("restore", another, "%s: its audit rows cannot go on: %v", file, err)
	}
	audit, err := db.VerifyAudit(ctx)
	switch {
	case err != nil:
		return problem("restore", another, "%s: its audit rows cannot be read: %v", file, err)
	case audit.Problem != "":
		return problem("restore", "find out who could write the database or this file; parley audit verify tells whether the instance itself has the same", "%s: audit row %d: %s", file, audit.BadRow, audit.Problem)
	}
	var domain string
	if err := db.View(ctx, func(tx social.Tx) (err error) { domain, err = tx.Setting(ctx, "domain"); return err }); err != nil {
		return problem("restore", another, "%s: %v", file, err)
	}
	held, err := db.Contents(ctx)
	if err != nil {
		return problem("restore", another, "%s: %v", file, err)
	}
	files, err := os.ReadDir(mediaDir(trial))
	if err != nil {
		return problem("restore", another, "%s: %v", file, err)
	}
	text := fmt.Sprintf("%s is of %s, written on %s: %d accounts, %d posts, %d files; database and audit rows are good",
		file, domain, writtenAt(file), held.Members, held.Posts, len(files))
	if !c.Trial() && domain != c.Domain {
		return problem("restore", "test the right file, or name the configuration of "+domain+" with --config", "%s; this instance is %s", text, c.Domain)
	}
	return Finding{Check: "restore", State: StateOK, Text: text}
}

// writtenAt is when an archive that was read before was written.
func writtenAt(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return "an unknown day"
	}
	defer f.Close() //nolint:errcheck // only read
	h, err := tar.NewReader(f).Next()
	if err != nil {
		return "an unknown day"
	}
	return h.ModTime.UTC().Format(moment)
}
