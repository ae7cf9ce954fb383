package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A disk that is nearly full is a note, one that is full a problem. The disks are small ones
// in memory, which only the command sees.
func TestDoctorMindsAFullDisk(t *testing.T) {
	s := newShell(t)
	s.run(0, "account", "create", "alice")
	s.run(0, "backup", "good")
	small := filepath.Join(s.dir, "small")
	if err := os.Mkdir(small, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		size, want string
		code       int
	}{
		{"100m", "problem  disk          only", exitFailed},
		{"700m", "note     disk          only", 0},
	} {
		script := `mount -t tmpfs -o size=` + one.size + `,mode=700 none "$1" && cp -a parley-data "$1/data" && exec "$2" doctor --data "$1/data"`
		c := exec.Command("sh", "-ec", script, "sh", small, os.Args[0])
		c.Dir, c.Env = s.dir, s.env
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
		out, err := c.CombinedOutput()
		if c.ProcessState == nil || strings.Contains(string(out), "mount: ") {
			t.Skipf("this machine lets nobody mount a small disk: %v %s", err, out)
		}
		if c.ProcessState.ExitCode() != one.code || !strings.Contains(string(out), one.want) || !strings.Contains(string(out), "-> make the disk larger") {
			t.Errorf("%s: %d\n%s", one.size, c.ProcessState.ExitCode(), out)
		}
	}
}
