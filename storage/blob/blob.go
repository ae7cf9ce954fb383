// Package blob keeps uploaded files. It does not know what is in them or who may
// read them.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"parley/social"
)

// Files is a folder of files, readable by its owner alone.
type Files struct{ root *os.Root }

// Open opens "file:<folder>", relative to base, and makes the folder.
func Open(url, base string) (*Files, error) {
	dir, ok := strings.CutPrefix(url, "file:")
	if !ok || dir == "" {
		return nil, fmt.Errorf("media.url %q: use file:<folder>", url)
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(base, dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	return &Files{root: root}, err
}

// Close releases the folder.
func (f *Files) Close() error { return f.root.Close() }

// names are only ever ours: an id, perhaps a suffix, an extension (T37).
var names = regexp.MustCompile(`^[0-9]{1,19}(-[a-z]+)?(\.[a-z0-9]{1,5})?$`)

// ValidName says that a name is one that Put takes.
func ValidName(name string) bool { return names.MatchString(name) }

// Put writes a file whole or not at all; when it returns, a crash does not undo it.
func (f *Files) Put(_ context.Context, name string, r io.Reader) (err error) {
	if !ValidName(name) {
		return fmt.Errorf("blob: name %q is not one of ours", name)
	}
	part := name + ".part"
	w, err := f.root.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return full(err)
	}
	defer func() {
		if err != nil {
			_ = f.root.Remove(part) // the write failed already; that error counts
		}
	}()
	if _, err = io.Copy(w, r); err == nil {
		err = w.Sync()
	}
	if e := w.Close(); err == nil {
		err = e
	}
	if err != nil {
		return full(err)
	}
	if err = f.root.Rename(part, name); err != nil {
		return err
	}
	return full(f.syncFolder())
}

// syncFolder makes new names last: a file whose name a crash takes away is lost.
func (f *Files) syncFolder() error {
	dir, err := f.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func full(err error) error {
	if err == nil {
		return nil
	}
	return &social.Error{Kind: social.Unavailable, Public: "the file could not be stored; try again later", Err: err}
}

// Open reads a file; a missing one is a NotFound error.
func (f *Files) Open(_ context.Context, name string) (io.ReadSeekCloser, int64, error) {
	if !ValidName(name) {
		return nil, 0, social.NotFoundError()
	}
	r, err := f.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, social.NotFoundError()
	}
	if err != nil {
		return nil, 0, err
	}
	st, err := r.Stat()
	if err != nil {
		_ = r.Close() // the stat error counts
		return nil, 0, err
	}
	return r, st.Size(), nil
}

// Delete removes a file; a missing one is fine.
func (f *Files) Delete(_ context.Context, name string) error {
	if !ValidName(name) {
		return nil
	}
	if err := f.root.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
