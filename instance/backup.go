package instance

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"parley/config"
	"parley/storage"
)

const databaseEntry = "parley.db"

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
		if e.Type().IsRegular() && !strings.HasSuffix(e.Name(), ".part") {
			if err := addFile(tw, "media/"+e.Name(), filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	if err := tw.Close(); err != nil {
		return err
	}
	return out.Sync()
}

func mediaDir(c *config.Config) string {
	dir := strings.TrimPrefix(c.Media.URL, "file:")
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(c.DataDir, dir)
	}
	return dir
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

// Restore unpacks an archive into an empty data folder. Names that Backup does not
// write are refused (T37).
func Restore(c *config.Config, file string) error {
	if entries, err := os.ReadDir(c.DataDir); err == nil && len(entries) > 0 {
		return fmt.Errorf("the data folder %s is not empty; restore into an empty one with --data", c.DataDir)
	}
	if c.Storage.URL != "sqlite:"+databaseEntry {
		return errors.New("restore is for SQLite; restore a PostgreSQL database with pg_restore")
	}
	if err := storage.PrepareFolder(c.DataDir); err != nil {
		return err
	}
	if err := os.MkdirAll(mediaDir(c), 0o700); err != nil {
		return err
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	tr := tar.NewReader(f)
	for n := 0; ; n++ {
		h, err := tr.Next()
		if err == io.EOF && n > 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s is not a backup of parley: %w", file, err)
		}
		to := filepath.Join(c.DataDir, databaseEntry)
		if name, ok := strings.CutPrefix(h.Name, "media/"); ok && name == filepath.Base(name) && name != ".." {
			to = filepath.Join(mediaDir(c), name)
		} else if h.Name != databaseEntry {
			return fmt.Errorf("%s holds %q, which no backup has", file, h.Name)
		}
		if err := unpack(tr, to); err != nil {
			return err
		}
	}
}

func unpack(r io.Reader, to string) error {
	w, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Sync(), w.Close())
}
