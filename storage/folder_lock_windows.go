package storage

import (
	"os"

	"golang.org/x/sys/windows"
)

// lock takes a file for this process alone, or fails at once. Closing frees it. Windows
// keeps others from reading what is locked, so that is a byte far behind the number.
func lock(f *os.File) error {
	far := windows.Overlapped{Offset: 1 << 30}
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &far)
}
