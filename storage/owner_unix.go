//go:build unix

package storage

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// CheckOwner refuses to let root write into the data folder of somebody else: what root
// makes there its owner could not read afterwards.
func CheckOwner(dir string) error {
	st, err := os.Stat(dir)
	if err != nil {
		return err
	}
	owner, ok := st.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 || owner.Uid == 0 {
		return nil
	}
	name := strconv.Itoa(int(owner.Uid))
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	return fmt.Errorf("the data folder %s belongs to %s: run this as that user, with runuser --user %s -- or sudo -u %s before it", dir, name, name, name)
}
