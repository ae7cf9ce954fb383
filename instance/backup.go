package instance

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley/config"
	"parley/social"
	"parley/storage"
	"parley/storage/blob"
)

const (
	databaseEntry = "parley.db"
	endEntry      = "end" // the last one: without it the archive was cut off
)

// Backup writes the database as of one moment and all files into one archive,
// while the instance serves. The archive holds the signing keys: keep it safe.
func (in *Instance) Backup(ctx context.Context, file string) (err error) {
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, out.Close())
		if err != nil {
			_ = os.Remove(file) // half a backup is none; the first error counts
		}
	}()
	work, err := os.MkdirTemp(in.Config.DataDir, "backup-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }() // a leftover is only disk space
	copied := filepath.Join(work, databaseEntry)
	if err := in.DB.BackupDatabase(ctx, copied); err != nil {
		return err
	}
	tw := tar.NewWriter(out)
	if err := addFile(tw, databaseEntry, copied); err != nil {
		return err
	}
	dir := mediaDir(in.Config)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if backedUp(e) {
			if err := addFile(tw, "media/"+e.Name(), filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := tw.WriteHeader(&tar.Header{Name: endEntry, Mode: 0o600}); err != nil {
		return err
	}
	if err := tw.Close(); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return err
	}
	whole, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	return in.DB.Tx(ctx, func(tx social.Tx) error {
		if err := tx.PutSetting(ctx, backupFolder, filepath.Dir(whole)); err != nil {
			return err
		}
		return tx.PutSetting(ctx, backupSetting, in.now().UTC().Format(time.RFC3339))
	})
}

// archiveName names a backup by its moment in UTC, so that names sort by age; in a folder
// of backups nothing else has such a name.
const archiveName = "parley-20060102-150405.parley"

// BackupInto writes a backup into a folder and answers its file. When it is whole, the
// oldest beyond keep are removed; all stay with zero.
func (in *Instance) BackupInto(ctx context.Context, dir string, keep int) (file string, err error) {
	file = filepath.Join(dir, in.now().UTC().Format(archiveName))
	if err := in.Backup(ctx, file); err != nil || keep == 0 {
		return file, err
	}
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return file, err
	}
	var backups []string
	for _, e := range entries {
		if _, err := time.Parse(archiveName, e.Name()); err == nil && e.Type().IsRegular() {
			backups = append(backups, filepath.Join(dir, e.Name()))
		}
	}
	for _, old := range backups[:max(0, len(backups)-keep)] {
		err = errors.Join(err, os.Remove(old))
	}
	return file, err
}

// backedUp says that a file of the media folder goes into a backup.
func backedUp(e fs.DirEntry) bool {
	return e.Type().IsRegular() && !strings.HasSuffix(e.Name(), ".part") && !social.IsCopy(e.Name())
}

// What is noted of the last backup: when it was written, and into which folder.
const (
	backupSetting = "backup.last"
	backupFolder  = "backup.folder"
)

// LastBackup is when the last backup was written; zero if none was.
func (in *Instance) LastBackup(ctx context.Context) (at time.Time, err error) {
	at, _, err = lastBackup(ctx, in.DB)
	return at, err
}

// lastBackup tells when and into which folder; zero and "" if none was written.
func lastBackup(ctx context.Context, db *storage.DB) (at time.Time, folder string, err error) {
	err = db.View(ctx, func(tx social.Tx) error {
		text, err := tx.Setting(ctx, backupSetting)
		if err != nil || text == "" {
			return err
		}
		if at, err = time.Parse(time.RFC3339, text); err != nil {
			return err
		}
		folder, err = tx.Setting(ctx, backupFolder)
		return err
	})
	return at, folder, err
}

func mediaDir(c *config.Config) string {
	dir := strings.TrimPrefix(c.Media.URL, "file:")
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(c.DataDir, dir)
	}
	return dir
}

// databaseFile is where SQLite keeps everything; false for PostgreSQL.
func databaseFile(c *config.Config) (file string, ok bool) {
	file, ok = strings.CutPrefix(c.Storage.URL, "sqlite:")
	if !filepath.IsAbs(file) {
		file = filepath.Join(c.DataDir, file)
	}
	return file, ok
}

func addFile(tw *tar.Writer, name, from string) error {
	f, err := os.Open(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil // deleted since it was listed
	}
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: st.Size(), ModTime: st.ModTime()}); err != nil {
		return err
	}
	_, err = io.Copy(tw, f)
	return err
}

// Restore unpacks an archive into an empty data folder and, where the configuration
// names one, an empty PostgreSQL database. Names that Backup does not write are
// refused (T37), and so is an archive that is cut off or damaged. Nothing is there
// until all of it was read and the database was found whole.
func Restore(ctx context.Context, c *config.Config, file string) (err error) {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	if err := storage.PrepareFolder(c.DataDir); err != nil {
		return err
	}
	if err := mustHaveRoom(ctx, c); err != nil {
		return err
	}
	work, err := os.MkdirTemp(c.DataDir, "restore-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := unpackAll(f, work); err != nil {
		return fmt.Errorf("%s is not a whole backup of parley: %w", file, err)
	}
	if err := storage.CheckFile(ctx, filepath.Join(work, databaseEntry)); err != nil {
		return fmt.Errorf("%s holds a database that cannot be used: %w", file, err)
	}
	if err := moveIn(ctx, c, work); err != nil {
		return fmt.Errorf("restore %s: %w", file, err)
	}
	return nil
}

// mustHaveRoom refuses a place where something is already.
func mustHaveRoom(ctx context.Context, c *config.Config) error {
	if err := mustBeEmpty(c.DataDir); err != nil {
		return err
	}
	if err := mustBeEmpty(mediaDir(c)); err != nil {
		return err
	}
	database, ok := databaseFile(c)
	if !ok {
		return storage.CheckEmptyPostgres(ctx, c.Storage.URL)
	}
	for _, old := range []string{database, database + "-wal", database + storage.AnchorSuffix} { // it may stand outside the data folder
		if _, err := os.Lstat(old); err == nil {
			return fmt.Errorf("%s is there already; restore where no database is", old)
		}
	}
	return nil
}

func mustBeEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("the folder %s is not empty; restore into an empty one with --data", dir)
}

// unpackAll reads an archive to its end: the database first, then the files.
func unpackAll(r io.Reader, work string) error {
	if err := os.Mkdir(filepath.Join(work, "media"), 0o700); err != nil {
		return err
	}
	tr := tar.NewReader(r)
	for n := 0; ; n++ {
		h, err := tr.Next()
		switch {
		case err == io.EOF:
			return errors.New("its end is missing")
		case err != nil:
			return err
		case h.Name == endEntry && n > 0:
			return nil
		}
		name, media := strings.CutPrefix(h.Name, "media/")
		to := filepath.Join(work, databaseEntry)
		switch {
		case h.Typeflag != tar.TypeReg, media != (n > 0), !media && name != databaseEntry, media && !blob.ValidName(name):
			return fmt.Errorf("it holds %q, which no backup has", h.Name)
		case media:
			to = filepath.Join(work, "media", name)
		}
		if err := unpack(tr, to); err != nil {
			return err
		}
	}
}

// moveIn puts what was unpacked in its place, the database last: without it there
// is no instance. If the database cannot go there, the files do not stay either.
func moveIn(ctx context.Context, c *config.Config, work string) error {
	media, unpacked := mediaDir(c), filepath.Join(work, "media")
	if err := os.MkdirAll(filepath.Dir(media), 0o700); err != nil {
		return err
	}
	if err := os.Remove(media); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(unpacked, media); err != nil {
		return err
	}
	if err := moveDatabase(ctx, c, filepath.Join(work, databaseEntry)); err != nil {
		return errors.Join(err, os.Rename(media, unpacked))
	}
	return nil
}

func moveDatabase(ctx context.Context, c *config.Config, from string) error {
	to, ok := databaseFile(c)
	if !ok {
		return storage.RestorePostgres(ctx, c.Storage.URL, from)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.Rename(from, to)
}

func unpack(r io.Reader, to string) error {
	w, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Sync(), w.Close())
}
