package web

import (
	"net/http"
	"time"
)

// Room is what the data takes and what is left, in bytes.
type Room struct {
	At         time.Time // of the measurement
	Disk, Free int64     // of the data folder's file system; zero when it is not known
	Database   int64
	Own        Pile // files that members uploaded
	Copies     Pile // of other servers' files, which can be had again
}

// Pile is a number of files and their bytes together.
type Pile struct {
	Files int
	Bytes int64
}

// The least that a disk should have left.
const (
	leastFree  = 1 << 30 // bytes
	leastShare = 10      // per cent
	fullBelow  = leastFree / 4
)

// Scarce says that the disk will be full before long.
func (r Room) Scarce() bool {
	return r.Disk > 0 && (r.Free < leastFree || r.Free < r.Disk/100*leastShare)
}

// Full says that the disk has no room for a day's work, such as one backup.
func (r Room) Full() bool { return r.Disk > 0 && r.Free < fullBelow }

// storagePage shows what takes how much room, and how it is saved.
type storagePage struct {
	*frame
	Room
	Scarce         bool
	Members, Posts int
	Bound          int64  // of all copies together
	Backup         string // when the last was made
	Late           bool
	Command        string // that makes one
}

// backupCommand makes a backup where Parley is a service of the machine, in the one folder
// that its user may write to.
const backupCommand = "runuser --user parley -- parley backup /var/lib/parley/parley.backup"

func (storagePage) file() string { return "admin_storage.html" }

func (w *Web) storage(p *page) (err error) {
	d := storagePage{frame: p.titled("admin_storage"), Bound: w.Social.Limits.CacheBytes, Command: backupCommand}
	if d.Room, err = w.Console.Room(p.ctx()); err != nil {
		return err
	}
	if d.Members, d.Posts, err = w.Social.CountMembers(p.ctx()); err != nil {
		return err
	}
	last, err := w.Console.LastBackup(p.ctx())
	if err != nil {
		return err
	}
	d.Scarce, d.Backup, d.Late = d.Room.Scarce(), p.lastBackup(last), BackupLate(last, p.now)
	return w.show(p, http.StatusOK, d)
}
