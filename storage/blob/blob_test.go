package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/social"
	"parley/storage/blob"
)

func open(t *testing.T) (*blob.Files, string) {
	t.Helper()
	base := t.TempDir()
	f, err := blob.Open("file:media", base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, filepath.Join(base, "media")
}

func read(t *testing.T, f *blob.Files, name string) string {
	t.Helper()
	r, size, err := f.Open(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // it was read
	b, err := io.ReadAll(r)
	if err != nil || int64(len(b)) != size {
		t.Errorf("%d bytes, said to be %d, %v", len(b), size, err)
	}
	return string(b)
}

// T37: names are ours alone. Nothing outside of the folder is written, read or removed.
func TestOnlyOurNames(t *testing.T) {
	f, dir := open(t)
	ctx := context.Background()
	secret := filepath.Join(filepath.Dir(dir), "1.png")
	if err := os.WriteFile(secret, []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(dir, "2.png")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", ".", "..", "../1.png", "/1.png", "a.png", "1.png/../../1.png", `..\1.png`, "1.PNG", "1.png\x00", "1.png.part", "1.longer", "1-A.png",
		"12345678901234567890.png", "1 .png", "1\n", "..%2f1.png"} {
		if blob.ValidName(name) {
			t.Errorf("%q is taken for a name of ours", name)
		}
		if err := f.Put(ctx, name, strings.NewReader("x")); err == nil {
			t.Errorf("%q was written", name)
		}
		if _, _, err := f.Open(ctx, name); !errors.Is(err, social.ErrNotFound) {
			t.Errorf("%q: %v", name, err)
		}
		if err := f.Delete(ctx, name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	// Not even a link in the folder leads out of it.
	if r, _, err := f.Open(ctx, "2.png"); err == nil {
		_ = r.Close()
		t.Error("a link led out")
	}
	if err := f.Put(ctx, "2.png", strings.NewReader("new")); err != nil || read(t, f, "2.png") != "new" {
		t.Errorf("over a link: %v", err)
	}
	if b, err := os.ReadFile(secret); err != nil || string(b) != "canary" {
		t.Errorf("outside stands %q, %v", b, err)
	}
	for _, name := range []string{"1", "1.png", "1799999999999999999-small.webp", "9-a.jpeg"} {
		if err := f.Put(ctx, name, strings.NewReader(name)); err != nil || read(t, f, name) != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// half is an upload that breaks off.
type half struct{ left int }

func (h *half) Read(p []byte) (int, error) {
	if h.left == 0 {
		return 0, errors.New("broke off")
	}
	n := min(len(p), h.left)
	h.left -= n
	return n, nil
}

// A file is there whole or not at all, and a broken upload leaves the former one and
// nothing else.
func TestPutIsWholeOrNothing(t *testing.T) {
	f, dir := open(t)
	ctx := context.Background()
	if err := f.Put(ctx, "1.png", &half{left: 100_000}); social.KindOf(err) != social.Unavailable {
		t.Errorf("%v", err)
	}
	if _, _, err := f.Open(ctx, "1.png"); !errors.Is(err, social.ErrNotFound) {
		t.Errorf("half a file: %v", err)
	}
	for _, text := range []string{"longer than the next", "second"} {
		if err := f.Put(ctx, "1.png", strings.NewReader(text)); err != nil || read(t, f, "1.png") != text {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := f.Put(ctx, "1.png", &half{left: 10}); err == nil || read(t, f, "1.png") != "second" {
		t.Errorf("the former is gone: %v", err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("%v are there, %v", files, err)
	}
	if st, err := os.Stat(filepath.Join(dir, "1.png")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("others can read it: %v %v", st.Mode(), err)
	}
	if st, err := os.Stat(dir); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("others can list it: %v %v", st.Mode(), err)
	}
}

func TestSizeSeekAndDelete(t *testing.T) {
	f, _ := open(t)
	ctx := context.Background()
	for _, size := range []int{0, 1, 1 << 20} {
		if err := f.Put(ctx, "5.bin", bytes.NewReader(make([]byte, size))); err != nil || len(read(t, f, "5.bin")) != size {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	if err := f.Put(ctx, "5.bin", strings.NewReader("abcdef")); err != nil {
		t.Fatal(err)
	}
	r, _, err := f.Open(ctx, "5.bin")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Seek(4, io.SeekStart); err != nil {
		t.Error(err)
	}
	if b, err := io.ReadAll(r); err != nil || string(b) != "ef" { // a part of it (RFC 9110 14)
		t.Errorf("%q %v", b, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	for range 2 { // a missing one is fine
		if err := f.Delete(ctx, "5.bin"); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := f.Open(ctx, "5.bin"); !errors.Is(err, social.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
}

func TestWrongAddresses(t *testing.T) {
	for _, url := range []string{"", "file:", "s3://bucket", "/media"} {
		if f, err := blob.Open(url, t.TempDir()); err == nil {
			_ = f.Close()
			t.Errorf("%q was opened", url)
		}
	}
}
