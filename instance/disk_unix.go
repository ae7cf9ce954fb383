//go:build unix

package instance

import "golang.org/x/sys/unix"

// disk is what a folder's file system has, and what is left of it for us, in bytes.
func disk(dir string) (size, free int64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	return int64(s.Blocks) * int64(s.Bsize), int64(s.Bavail) * int64(s.Bsize), nil
}

// volume tells file systems apart: folders of one have the same number.
func volume(dir string) (uint64, error) {
	var s unix.Stat_t
	err := unix.Stat(dir, &s)
	return uint64(s.Dev), err
}
