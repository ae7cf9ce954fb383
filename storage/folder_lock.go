//go:build !windows

package storage

import (
	"os"
	"syscall"
)

// lock takes a file for this process alone, or fails at once. Closing frees it.
func lock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
