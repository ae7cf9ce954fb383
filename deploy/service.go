// Package deploy puts Parley on a machine that systemd runs: its user, its folders and
// its unit; the other files in this folder are for other ways. It knows nothing of what
// it installs.
package deploy

import (
	"context"
	_ "embed" // the units
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
)

// Unit is the systemd unit, and the others make a backup each night.
var (
	//go:embed parley.service
	Unit []byte
	//go:embed parley-backup.service
	backupUnit []byte
	//go:embed parley-backup.timer
	backupTimer []byte
)

// Where a service keeps what it needs; the unit names the same places.
const (
	Binary     = "/usr/local/bin/parley"
	ConfigFile = "/etc/parley/parley.yaml"
	DataDir    = "/var/lib/parley"
	User       = "parley"

	unitFile        = "/etc/systemd/system/parley.service"
	backupUnitFile  = "/etc/systemd/system/parley-backup.service"
	backupTimerFile = "/etc/systemd/system/parley-backup.timer"
	dropIn          = ".d/data.conf" // behind the name of a unit
)

// Service is what to install.
type Service struct {
	Program string // file of the program, copied to Binary
	Config  string // written to ConfigFile unless there is one
	DataDir string // where data goes, if not to the usual place
	Start   bool   // now, and with the machine
	Out     io.Writer
}

// Install does every step that was not done before, and says what it did; it can be run
// again, for a new version too.
func (s Service) Install(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("a service is installed by root: run this with sudo")
	}
	if _, err := exec.LookPath("systemctl"); err != nil {
		return errors.New("this machine has no systemd: let what starts programs here run parley serve, or use a container")
	}
	for _, step := range []func(context.Context) error{s.copyProgram, s.makeUser, s.writeConfig, s.writeUnit, s.start} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Uninstall ends the service and removes its unit. Data, configuration and user stay.
func Uninstall(ctx context.Context, out io.Writer) error {
	if os.Geteuid() != 0 {
		return errors.New("a service is removed by root: run this with sudo")
	}
	if _, err := os.Stat(unitFile); errors.Is(err, fs.ErrNotExist) {
		return errors.New("there is no service: " + unitFile + " is missing")
	}
	for _, file := range []string{unitFile, backupTimerFile, backupUnitFile} {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			continue // an older version installed it
		}
		if err := run(ctx, "systemctl", "disable", "--now", filepath.Base(file)); err != nil {
			return err
		}
		if err := errors.Join(os.Remove(file), os.RemoveAll(filepath.Dir(file+dropIn))); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "The service is gone. What stays: %s, %s, %s, backups and the user %s.\n", Binary, filepath.Dir(ConfigFile), DataDir, User)
	return errors.Join(err, run(ctx, "systemctl", "daemon-reload"))
}

func (s Service) say(format string, args ...any) { _, _ = fmt.Fprintf(s.Out, format+"\n", args...) }

// copyProgram puts the program where the unit looks; a running one goes on with its own.
func (s Service) copyProgram(context.Context) error {
	from, err := filepath.EvalSymlinks(s.Program)
	if err != nil || from == Binary {
		return err
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := replace(Binary, b, 0o755, 0); err != nil {
		return err
	}
	s.say("program        %s", Binary)
	return nil
}

func (s Service) makeUser(ctx context.Context) error {
	var unknown user.UnknownUserError
	if _, err := user.Lookup(User); !errors.As(err, &unknown) {
		return err
	}
	if err := run(ctx, "useradd", "--system", "--user-group", "--home-dir", DataDir, "--no-create-home", "--shell", "/usr/sbin/nologin", User); err != nil {
		return err
	}
	s.say("user           %s", User)
	return nil
}

// writeConfig writes a first configuration, which the service may read and not change.
func (s Service) writeConfig(context.Context) error {
	group, err := groupID()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(ConfigFile), 0o755); err != nil {
		return err
	}
	switch _, err := os.Stat(ConfigFile); {
	case err == nil:
		s.say("configuration  %s, as it was", ConfigFile)
		return errors.Join(os.Chown(ConfigFile, 0, group), os.Chmod(ConfigFile, 0o640))
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	s.say("configuration  %s", ConfigFile)
	return replace(ConfigFile, []byte(s.Config), 0o640, group)
}

func (s Service) writeUnit(ctx context.Context) error {
	for file, text := range map[string][]byte{unitFile: Unit, backupUnitFile: backupUnit, backupTimerFile: backupTimer} {
		if err := replace(file, text, 0o644, 0); err != nil {
			return err
		}
	}
	if s.DataDir != "" && s.DataDir != DataDir {
		for _, file := range []string{unitFile, backupUnitFile} {
			if err := os.MkdirAll(filepath.Dir(file+dropIn), 0o755); err != nil {
				return err
			}
			if err := replace(file+dropIn, []byte("[Service]\nReadWritePaths="+s.DataDir+"\n"), 0o644, 0); err != nil {
				return err
			}
		}
	}
	s.say("unit           %s", unitFile)
	s.say("backups        systemctl enable --now parley-backup.timer makes one each night")
	return run(ctx, "systemctl", "daemon-reload")
}

func (s Service) start(ctx context.Context) error {
	if !s.Start {
		s.say("Not started. Start it, and with the machine from now on: systemctl enable --now parley")
		return nil
	}
	if err := run(ctx, "systemctl", "enable", "parley.service"); err != nil {
		return err
	}
	if err := run(ctx, "systemctl", "restart", "parley.service"); err != nil {
		return fmt.Errorf("it does not start; what it says: journalctl --unit parley --lines 20 --no-pager: %w", err)
	}
	s.say("It runs, and starts with the machine. The first administrator: runuser --user parley -- parley setup-link")
	return nil
}

func groupID() (int, error) {
	g, err := user.LookupGroup(User)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(g.Gid)
}

// replace writes a file whole or not at all.
func replace(name string, b []byte, mode fs.FileMode, group int) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone once it has its name
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chown(0, group), f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

func run(ctx context.Context, name string, args ...string) error {
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}
