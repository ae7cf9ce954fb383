package metrics

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// State is what the database and the disk know at one moment.
type State struct {
	Zones      map[string]Zone
	Jobs       map[string]Jobs // by kind
	Database   int64           // bytes, as everything below
	Own        int64           // files of members
	Copies     int64           // files of other servers
	Disk, Free int64           // zero where the system does not tell
	LastBackup time.Time       // zero if none was made
}

// Zone is what waits for the servers of a zone, and how they are.
type Zone struct {
	Waiting int
	Oldest  time.Time // of what waits; zero if nothing does
	Failing int       // servers that did not answer last time
	Held    int       // servers an administrator holds back
	Parked  int       // paired servers at whose address somebody else answered
}

// Jobs of one kind.
type Jobs struct{ Waiting, Failing int }

// lookEvery is how old a State may be: scrapes, of however many, are no load.
const lookEvery = 15 * time.Second

// lookTime is how long a scrape waits for a database that is slow.
const lookTime = 5 * time.Second

// looker is the collector of what a State says.
type looker struct {
	look func(ctx context.Context) (State, error)
	now  func() time.Time
	log  *slog.Logger

	mu    sync.Mutex
	at    time.Time
	state State
	err   error
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// descs are the metrics of a State; they are never changed.
var (
	databaseUp   = desc("parley_database_up", "1 if the state below could be read, else 0 and it is missing.")
	queueJobs    = desc("parley_queue_jobs", "Jobs that wait for servers of a zone.", "zone")
	queueOldest  = desc("parley_queue_oldest_seconds", "Age of the oldest job that waits for a server of a zone; 0 if none does.", "zone")
	peers        = desc("parley_peers", "Servers that are failing, held by an administrator, or parked since somebody else answers there.", "zone", "state")
	jobsWaiting  = desc("parley_jobs_waiting", "Jobs that wait, by kind.", "kind")
	jobsFailing  = desc("parley_jobs_failing", "Those of them that failed before.", "kind")
	database     = desc("parley_database_bytes", "Size of the database.")
	files        = desc("parley_files_bytes", "Files: own of members, copies of other servers'.", "kind")
	diskSize     = desc("parley_disk_size_bytes", "Size of the file system of the data folder.")
	diskFree     = desc("parley_disk_free_bytes", "What is left of it.")
	lastBackup   = desc("parley_last_backup_timestamp_seconds", "When the last backup was written; 0 if none was.")
	descriptions = []*prometheus.Desc{databaseUp, queueJobs, queueOldest, peers, jobsWaiting, jobsFailing, database, files, diskSize, diskFree, lastBackup}
)

// Describe implements prometheus.Collector.
func (l *looker) Describe(out chan<- *prometheus.Desc) {
	for _, d := range descriptions {
		out <- d
	}
}

// current is the state, read anew when it is old. A failure is remembered as long.
func (l *looker) current() (State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if age := now.Sub(l.at); l.at.IsZero() || age >= lookEvery || age < 0 {
		ctx, cancel := context.WithTimeout(context.Background(), lookTime)
		defer cancel()
		l.state, l.err = l.look(ctx)
		l.at = now
		if l.err != nil {
			l.log.Warn("the state for the metrics was not read", "error", l.err)
		}
	}
	return l.state, l.err
}

// Collect implements prometheus.Collector.
func (l *looker) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	s, err := l.current()
	if err != nil {
		gauge(databaseUp, 0)
		return
	}
	gauge(databaseUp, 1)
	for name, z := range s.Zones {
		oldest := 0.0
		if !z.Oldest.IsZero() {
			oldest = max(0, l.now().Sub(z.Oldest).Seconds())
		}
		gauge(queueJobs, float64(z.Waiting), name)
		gauge(queueOldest, oldest, name)
		gauge(peers, float64(z.Failing), name, "failing")
		gauge(peers, float64(z.Held), name, "held")
		gauge(peers, float64(z.Parked), name, "parked")
	}
	for kind, j := range s.Jobs {
		gauge(jobsWaiting, float64(j.Waiting), kind)
		gauge(jobsFailing, float64(j.Failing), kind)
	}
	gauge(database, float64(s.Database))
	gauge(files, float64(s.Own), "own")
	gauge(files, float64(s.Copies), "copies")
	if s.Disk > 0 {
		gauge(diskSize, float64(s.Disk))
		gauge(diskFree, float64(s.Free))
	}
	backup := 0.0
	if !s.LastBackup.IsZero() {
		backup = float64(s.LastBackup.Unix())
	}
	gauge(lastBackup, backup)
}
