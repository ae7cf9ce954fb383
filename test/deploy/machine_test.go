// Package deploy_test does what docs/deploy.md says, on machines of its own: network
// namespaces in which a systemd has started on a copy of this machine's files that
// nothing of it outlives.
package deploy_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// needs skips where machines cannot be made, and says what is missing.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("machines are started, which takes its time")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root makes network namespaces and mounts")
	}
	for _, p := range append(programs, "systemd-nspawn", "ip", "nsenter", "openssl", "curl") {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
}

// machine is one with a systemd of its own.
type machine struct {
	*testing.T
	name, root string
	leader     string // process number of its systemd
}

// cable joins machines: each has a place on it.
type cable struct {
	*testing.T
	switchNS string
	names    map[string]string // name -> address
}

// newCable makes a switch that is in no other network.
func newCable(t *testing.T, names map[string]string) *cable {
	t.Helper()
	c := &cable{T: t, switchNS: fmt.Sprintf("parley-%d", os.Getpid()), names: names}
	can(t, "ip", "netns", "add", c.switchNS)
	t.Cleanup(func() { command(t, "ip", "netns", "del", c.switchNS) })
	command(t, "ip", "-n", c.switchNS, "link", "add", "switch", "type", "bridge")
	command(t, "ip", "-n", c.switchNS, "link", "set", "switch", "up")
	return c
}

// machine starts one whose name the others know, with further programs than systemd.
func (c *cable) machine(name string, services ...string) *machine {
	c.Helper()
	m := &machine{T: c.T, name: name}
	ns := c.switchNS + "-" + name
	command(c.T, "ip", "netns", "add", ns)
	c.Cleanup(func() { command(c.T, "ip", "netns", "del", ns) })
	command(c.T, "ip", "-n", c.switchNS, "link", "add", name, "type", "veth", "peer", "name", "host0", "netns", ns)
	command(c.T, "ip", "-n", c.switchNS, "link", "set", name, "up", "master", "switch")
	command(c.T, "ip", "-n", ns, "addr", "add", c.names["social."+name+".example"]+"/24", "dev", "host0")
	command(c.T, "ip", "-n", ns, "link", "set", "host0", "up")
	command(c.T, "ip", "-n", ns, "link", "set", "lo", "up")
	m.root = c.copyOfThis(name, services)
	boot := exec.Command("systemd-nspawn", "--quiet", "--directory="+m.root, "--boot", "--machine="+name, "--network-namespace-path=/run/netns/"+ns,
		"--register=no", "--keep-unit", "--link-journal=no", "--resolv-conf=off", "--timezone=off", "--console=pipe")
	var said bytes.Buffer
	boot.Stdout, boot.Stderr = &said, &said
	ok(c.T, boot.Start())
	ended := make(chan error, 1)
	go func() { ended <- boot.Wait() }()
	c.Cleanup(func() {
		_ = boot.Process.Signal(syscall.SIGTERM) // a power button
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			_ = boot.Process.Kill()
			<-ended
		}
		if c.Failed() {
			c.Logf("%s: %s", name, said.String())
		}
	})
	m.awaitBoot(boot.Process.Pid)
	return m
}

// copyOfThis mounts this machine's files so that nothing is written into them.
func (c *cable) copyOfThis(name string, services []string) string {
	c.Helper()
	dir := filepath.Join(c.TempDir(), name)
	ok(c.T, os.MkdirAll(dir, 0o755))
	command(c.T, "mount", "-t", "tmpfs", "tmpfs", dir)
	c.Cleanup(func() { command(c.T, "umount", "--lazy", dir) })
	for _, d := range []string{"upper", "work", "root"} {
		ok(c.T, os.Mkdir(filepath.Join(dir, d), 0o755))
	}
	root := filepath.Join(dir, "root")
	can(c.T, "mount", "-t", "overlay", "overlay", "-o", "lowerdir=/,upperdir="+filepath.Join(dir, "upper")+",workdir="+filepath.Join(dir, "work"), root)
	c.Cleanup(func() { command(c.T, "umount", "--lazy", root) })
	hosts := "127.0.0.1 localhost\n"
	for n, address := range c.names {
		hosts += address + " " + n + "\n"
	}
	ok(c.T, os.RemoveAll(filepath.Join(root, "etc/parley")))
	ok(c.T, os.RemoveAll(filepath.Join(root, "var/lib/parley")))
	for file, text := range map[string]string{"etc/hosts": hosts, "etc/hostname": "social." + name + ".example\n", "etc/machine-id": "", "etc/resolv.conf": ""} {
		_ = os.Remove(filepath.Join(root, file)) // may be a link to a place outside
		ok(c.T, os.WriteFile(filepath.Join(root, file), []byte(text), 0o644))
	}
	// What this machine starts is not what a fresh one does.
	for _, d := range []string{"multi-user.target.wants", "graphical.target.wants", "timers.target.wants", "sysinit.target.wants"} {
		ok(c.T, os.RemoveAll(filepath.Join(root, "etc/systemd/system", d)))
	}
	ok(c.T, os.MkdirAll(filepath.Join(root, "etc/systemd/system/multi-user.target.wants"), 0o755))
	for _, s := range services {
		ok(c.T, os.Symlink("/lib/systemd/system/"+s+".service", filepath.Join(root, "etc/systemd/system/multi-user.target.wants", s+".service")))
	}
	return root
}

// awaitBoot waits until systemd says that it runs.
func (m *machine) awaitBoot(nspawn int) {
	m.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for time.Now().Before(deadline) {
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", nspawn, nspawn)) // none yet
		if m.leader = strings.TrimSpace(string(children)); m.leader != "" {
			state, _ := m.try("systemctl is-system-running")
			if s := strings.TrimSpace(state); s == "running" || s == "degraded" {
				return
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	m.Skipf("no systemd starts on a machine of its own here")
}

// in lets a part of a test fail by itself.
func (m *machine) in(t *testing.T) *machine {
	return &machine{T: t, name: m.name, root: m.root, leader: m.leader}
}

// try runs lines of a shell as root in its home.
func (m *machine) try(lines string) (out string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "nsenter", "--target", m.leader, "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--",
		"/usr/bin/env", "-i", "HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "bash", "-e", "-o", "pipefail", "-c", "cd /root\n"+lines)
	var said, complaints bytes.Buffer
	c.Stdout, c.Stderr = &said, &complaints
	if err = c.Run(); err != nil {
		err = fmt.Errorf("%s: %w\n%s\n%s%s", m.name, err, lines, said.String(), complaints.String())
	}
	return said.String(), err
}

// run is try for what has to work.
func (m *machine) run(lines string) string {
	m.Helper()
	out, err := m.try(lines)
	if err != nil {
		m.Log(m.journal())
		m.Fatal(err)
	}
	return out
}

// journal is what the service said last.
func (m *machine) journal() string {
	out, _ := m.try("journalctl --unit parley --lines 30 --no-pager; systemctl status parley --no-pager") // what can be had
	return out
}

// until repeats lines of a shell until they work.
func (m *machine) until(lines string) string {
	m.Helper()
	out, err := m.try("for i in $(seq 300); do if " + strings.TrimSpace(lines) + "; then exit 0; fi; sleep 0.2; done; exit 1")
	if err != nil {
		m.Log(m.journal())
		m.Fatal(err)
	}
	return out
}

// write writes a file, as an editor does.
func (m *machine) write(name, text string) {
	m.Helper()
	ok(m.T, os.MkdirAll(filepath.Join(m.root, filepath.Dir(name)), 0o755))
	ok(m.T, os.WriteFile(filepath.Join(m.root, name), []byte(text), 0o644))
}

// can is command for what not every kernel or container lets root do.
func can(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Skipf("no machines can be made here: %s %s: %v %s", name, strings.Join(args, " "), err, out)
	}
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v %s", name, strings.Join(args, " "), err, out)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// number reads one.
func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(text))
	ok(t, err)
	return n
}
