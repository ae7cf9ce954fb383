package instance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parley/config"
	"parley/storage"
	"parley/web"
)

// place is a file system with folders of the instance on it, and what the next backup
// writes there, in bytes.
type place struct {
	volume  uint64
	folders []string
	need    int64
	web.Room
}

// checkDisk wants room where the instance writes: in the data folder, in that of the files,
// in that of the database and where the last backup went. db is nil where there is none.
func checkDisk(ctx context.Context, c *config.Config, db *storage.DB) (out []Finding) {
	places, err := findPlaces(ctx, c, db)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return []Finding{{Check: "disk", State: StateNote, Text: "how much is free is not known on this system", Remedy: "look at it yourself"}}
	case err != nil:
		return []Finding{problem("disk", "run this as the user that runs parley serve", "what is free cannot be read: %v", err)}
	}
	for _, p := range places {
		where := strings.Join(p.folders, ", ")
		free := fmt.Sprintf("%s of %s are free for %s", size(p.Free), size(p.Disk), where)
		switch {
		case p.Disk > 0 && p.Free < p.need:
			out = append(out, problem("disk", "remove old backups, make the disk larger, or name another folder to parley backup", "%s, and the next backup takes %s", free, size(p.need)))
		case p.Full():
			out = append(out, problem("disk", "make the disk larger, or take away what is not Parley's: nothing can be written once it is full", "only %s", free))
		case p.Scarce():
			out = append(out, Finding{"disk", StateNote, "only " + free, "make the disk larger before it is full, or lower limits.media_cache_mb"})
		default:
			out = append(out, Finding{Check: "disk", State: StateOK, Text: free})
		}
	}
	return out
}

// findPlaces measures the file systems that the instance writes to, each once.
func findPlaces(ctx context.Context, c *config.Config, db *storage.DB) ([]*place, error) {
	database, backup, backups, err := nextBackup(ctx, c, db)
	if err != nil {
		return nil, err
	}
	var out []*place
	add := func(folder string, need int64) error {
		if folder == "" {
			return nil
		}
		id, err := volume(folder)
		if errors.Is(err, os.ErrNotExist) {
			return nil // not made yet, or backups went to a disk that is elsewhere now
		}
		if err != nil {
			return err
		}
		i := slices.IndexFunc(out, func(p *place) bool { return p.volume == id })
		if i < 0 {
			i, out = len(out), append(out, &place{volume: id})
			if out[i].Disk, out[i].Free, err = disk(folder); err != nil {
				return err
			}
		}
		if !slices.Contains(out[i].folders, folder) {
			out[i].folders = append(out[i].folders, folder)
		}
		out[i].need += need
		return nil
	}
	// A backup copies the database into the data folder before it writes the archive.
	err = errors.Join(add(c.DataDir, database), add(mediaDir(c), 0), add(backups, backup))
	if file, ok := databaseFile(c); ok {
		err = errors.Join(err, add(filepath.Dir(file), 0))
	}
	return out, err
}

// nextBackup tells how many bytes the database has, how many a backup of all would have,
// and where the last one went.
func nextBackup(ctx context.Context, c *config.Config, db *storage.DB) (database, all int64, folder string, err error) {
	if db == nil {
		return 0, 0, "", nil
	}
	room, err := db.Room(ctx)
	if err == nil {
		_, folder, err = lastBackup(ctx, db)
	}
	if err != nil {
		return 0, 0, "", nil // the check of the database names it
	}
	all = room.Database
	entries, err := os.ReadDir(mediaDir(c))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, 0, "", err
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && backedUp(e) { // else it was removed meanwhile
			all += info.Size()
		}
	}
	return room.Database, all, folder, nil
}

// size is a number of bytes for people.
func size(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	f, i := float64(n), 0
	for ; f >= 1000 && i < len(units)-1; i++ {
		f /= 1000
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}

// checkBackup wants a backup that is not too old. Who has just begun has none yet.
func checkBackup(ctx context.Context, c *config.Config, db *storage.DB, now time.Time) Finding {
	const remedy = "parley backup FILE, each day, to another machine; parley doctor --restore-test FILE tells whether it is good"
	last, _, err := lastBackup(ctx, db)
	if err != nil {
		return problem("backup", "see the database", "when the last backup was made cannot be read: %v", err)
	}
	held, err := db.Contents(ctx)
	if err != nil {
		return problem("backup", "see the database", "what a backup would hold cannot be read: %v", err)
	}
	late := web.BackupLate(last, now)
	text := "the last backup was made on " + last.UTC().Format(moment)
	if last.IsZero() {
		late = web.BackupLate(held.Began, now)
		text = "no backup was ever made with parley backup"
	}
	_, lite := databaseFile(c)
	switch {
	case late && !lite:
		return Finding{"backup", StateNote, text, "see that pg_dump runs each day and that the media folder is copied, or: " + remedy}
	case late:
		return problem("backup", remedy, "%s", text)
	case last.IsZero():
		return Finding{"backup", StateNote, text, remedy}
	}
	return Finding{Check: "backup", State: StateOK, Text: text}
}
