package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/queue"
	"parley/social"
)

// Console is what administrators look after beside what social knows: the waiting work,
// the audit chain and the room that everything takes. What changes something says how
// much, and leaves an audit row that names who did it.
type Console interface {
	// Hosts lists every server that has deliveries waiting or failed last time.
	Hosts(ctx context.Context) ([]queue.Host, error)
	// RetryNow makes what waits for a server due at once; "" for all.
	RetryNow(ctx context.Context, host, by string) (int, error)
	// Hold keeps back what goes to a server, now and later, for a reason, or lets it go.
	Hold(ctx context.Context, host string, held bool, reason, by string) (int, error)
	// Drop gives up what waits for a server.
	Drop(ctx context.Context, host, by string) (int, error)
	// Kinds counts what waits, kind by kind.
	Kinds(ctx context.Context) ([]queue.Kind, error)
	// Failing lists jobs that failed, those due next first; deliveries are not among them.
	Failing(ctx context.Context, limit int) ([]queue.Job, error)
	// RetryJob makes one of them due at once; DropJob gives it up, where MayDrop.
	RetryJob(ctx context.Context, id int64, by string) error
	DropJob(ctx context.Context, id int64, by string) error
	// Unpark asks a parked server for proof of its keys; was says that it was parked.
	Unpark(ctx context.Context, host, by string) (was bool, err error)
	// VerifyAudit reads the whole chain; problem is "" when it is whole.
	VerifyAudit(ctx context.Context) (rows int64, problem string, err error)
	// Probe asks a server for something, and tells how long the answer took, and how far
	// the clock there is ahead.
	Probe(ctx context.Context, host string) (took, ahead time.Duration, err error)
	// Clocks tells of servers whose clock goes wrong how far it is ahead.
	Clocks() map[string]time.Duration
	// LastBackup is when the last backup was written; zero if none was.
	LastBackup(ctx context.Context) (time.Time, error)
	// Room is what the data takes and what the disk has left, measured a minute ago at most.
	Room(ctx context.Context) (Room, error)
	// Version of the program.
	Version() string
}

// administrator lets administrators in; for all other members the page is not there.
func administrator(run handler) handler {
	return func(p *page) error {
		if p.Me == nil {
			return social.Errorf(social.Unauthenticated, "sign in first")
		}
		if p.Me.Role != social.RoleAdmin {
			return social.NotFoundError()
		}
		return run(p)
	}
}

// moderator lets moderators and administrators in.
func moderator(run handler) handler {
	return func(p *page) error {
		if p.Me == nil {
			return social.Errorf(social.Unauthenticated, "sign in first")
		}
		if !p.moderates() {
			return social.NotFoundError()
		}
		return run(p)
	}
}

func (f *frame) moderates() bool {
	return f.Me.Role == social.RoleModerator || f.Me.Role == social.RoleAdmin
}

// AdminWays lists the pages of administrators; moderators have those of reports alone.
func (f *frame) AdminWays() []way {
	if !f.Admin {
		return []way{{Path: "/admin/reports", Label: f.T("admin_reports"), Current: true}}
	}
	ways := []way{
		{Path: "/admin", Label: f.T("admin_overview")}, {Path: "/admin/servers", Label: f.T("admin_servers")},
		{Path: "/admin/requests", Label: f.T("connect_nav"), Count: f.Knocking, CountText: f.N("servers_wait", f.Knocking)},
		{Path: "/admin/people", Label: f.T("admin_people")}, {Path: "/admin/reports", Label: f.T("admin_reports")},
		{Path: "/admin/settings", Label: f.T("admin_settings")}, {Path: "/admin/work", Label: f.T("admin_work")},
		{Path: "/admin/storage", Label: f.T("admin_storage")},
	}
	for i := range ways {
		ways[i].Current = f.Here(ways[i].Path) || i > 0 && strings.HasPrefix(f.Path, ways[i].Path+"/")
	}
	return ways
}

// figure is one line of the overview; a bad one leads to where it is mended.
type figure struct {
	Label, Value string
	Bad          bool
	To           string // "" when nothing is to be done
}

// adminPage is the overview.
type adminPage struct {
	*frame
	Figures []figure
}

func (adminPage) file() string { return "admin.html" }

// backupAfter is how old the last backup may be.
const backupAfter = 7 * 24 * time.Hour

// BackupLate says that the last backup is too old, or that none was ever made.
func BackupLate(last, now time.Time) bool { return now.Sub(last) > backupAfter }

// lastBackup says when that was.
func (f *frame) lastBackup(at time.Time) string {
	if at.IsZero() {
		return f.T("never")
	}
	return f.When(at)
}

// oldAfter is how long a delivery waits before somebody should look.
const oldAfter = time.Hour

func (w *Web) admin(p *page) error {
	hosts, err := w.Console.Hosts(p.ctx())
	if err != nil {
		return err
	}
	peers, err := w.Social.PeerViews(p.ctx())
	if err != nil {
		return err
	}
	_, open, err := w.Social.OpenReports(p.ctx(), social.Page{Limit: 1})
	if err != nil {
		return err
	}
	members, posts, err := w.Social.CountMembers(p.ctx())
	if err != nil {
		return err
	}
	kinds, err := w.Console.Kinds(p.ctx())
	if err != nil {
		return err
	}
	room, err := w.Console.Room(p.ctx())
	if err != nil {
		return err
	}
	backup, err := w.Console.LastBackup(p.ctx())
	if err != nil {
		return err
	}
	d := adminPage{frame: p.titled("admin_overview")}
	add := func(label, value string, bad bool, to string) {
		if !bad {
			to = ""
		}
		d.Figures = append(d.Figures, figure{Label: label, Value: value, Bad: bad, To: to})
	}
	queued, failing, held := 0, 0, 0
	var oldest time.Time
	for _, h := range hosts {
		queued += h.Queued
		if h.Failures > 0 {
			failing++
		}
		if !h.HeldAt.IsZero() {
			held++
		}
		if h.Queued > 0 && (oldest.IsZero() || h.OldestAt.Before(oldest)) {
			oldest = h.OldestAt
		}
	}
	parked := 0
	for _, v := range peers {
		if v.Paired.State == social.PairingParked {
			parked++
		}
	}
	add(p.T("figure_queued"), p.Number(queued), false, "")
	if !oldest.IsZero() {
		add(p.T("figure_oldest"), p.When(oldest), p.now.Sub(oldest) > oldAfter, "/admin/work")
	}
	add(p.T("figure_failing"), p.Number(failing), failing > 0, "/admin/work")
	broken := 0
	for _, k := range kinds {
		if k.Name != "deliver" {
			broken += k.Failing
		}
	}
	add(p.T("figure_jobs"), p.Number(broken), broken > 0, "/admin/work#jobs")
	add(p.T("figure_held"), p.Number(held), held > 0, "/admin/work")
	add(p.T("figure_parked"), p.Number(parked), parked > 0, "/admin/servers")
	if wrong := len(w.Console.Clocks()); wrong > 0 {
		add(p.T("figure_clocks"), p.Number(wrong), true, "/admin/servers?only=failing")
	}
	add(p.T("figure_requests"), p.Number(p.Knocking), p.Knocking > 0, "/admin/requests")
	add(p.T("figure_reports"), p.Number(open), open > 0, "/admin/reports")
	add(p.T("figure_members"), p.Number(members), false, "")
	add(p.T("figure_posts"), p.Number(posts), false, "")
	if room.Disk > 0 {
		add(p.T("figure_free"), p.Size(room.Free), room.Scarce(), "/admin/storage")
	}
	add(p.T("figure_database"), p.Size(room.Database), false, "")
	add(p.T("figure_files"), p.Size(room.Own.Bytes+room.Copies.Bytes), false, "")
	add(p.T("figure_backup"), p.lastBackup(backup), BackupLate(backup, p.now), "/admin/storage#backup")
	add(p.T("figure_version"), w.Console.Version(), false, "")
	// What is to be looked after comes first.
	slices.SortStableFunc(d.Figures, func(a, b figure) int {
		switch {
		case a.Bad == b.Bad:
			return 0
		case a.Bad:
			return -1
		}
		return 1
	})
	return w.show(p, http.StatusOK, d)
}

// workPage shows what waits to be sent, server by server.
type workPage struct {
	*frame
	Hosts   []queue.Host
	Wrong   refused
	Kinds   []queue.Kind // what waits beside deliveries
	Jobs    []job
	Acts    []deed
	Older   string
	Refused bool   // the acts are what was not sent
	Audit   string // what the last check of the audit chain said
	Broken  bool
}

func (workPage) file() string { return "admin_work.html" }

// refused is what was wrong with a form about a server.
type refused struct{ Host, Problem string }

func (w *Web) work(p *page) error { return w.showWork(p, http.StatusOK, workPage{}) }

func (w *Web) showWork(p *page, status int, d workPage) (err error) {
	d.frame = p.titled("admin_work")
	d.Path = "/admin/work"
	hosts, err := w.Console.Hosts(p.ctx())
	if err != nil {
		return err
	}
	// Whoever failed once is known for ever; here stands what there is to do.
	d.Hosts = slices.DeleteFunc(hosts, func(h queue.Host) bool {
		return h.Queued == 0 && h.Failures == 0 && h.HeldAt.IsZero() && h.Name != d.Wrong.Host
	})
	kinds, err := w.Console.Kinds(p.ctx())
	if err != nil {
		return err
	}
	d.Kinds = slices.DeleteFunc(kinds, func(k queue.Kind) bool { return k.Name == "deliver" })
	failing, err := w.Console.Failing(p.ctx(), jobsShown)
	if err != nil {
		return err
	}
	for _, j := range failing {
		d.Jobs = append(d.Jobs, job{p.frame, j})
	}
	if err := w.acts(p, &d); err != nil {
		return err
	}
	return w.show(p, status, d)
}

// jobsShown is how many failed jobs a page has.
const jobsShown = 100

// job is one that failed, and is tried again by itself.
type job struct {
	*frame
	queue.Job
}

// MayDrop says that it can be given up; it cannot where somebody counts on it: a post
// whose time has come, and what is taken back from a server.
func (j job) MayDrop() bool { return MayDrop(j.Kind) }

// MayDrop says that jobs of a kind can be given up.
func MayDrop(kind string) bool { return kind != social.SendJob && kind != social.TakeBackJob }

// JobKind says in words what jobs of a kind do.
func (f *frame) JobKind(kind string) string {
	switch kind {
	case "inbox":
		return f.T("job_inbox")
	case "catchup":
		return f.T("job_catchup")
	case "backfill":
		return f.T("job_backfill")
	case "thread":
		return f.T("job_thread")
	case "followers":
		return f.T("job_followers")
	case social.CountsJob:
		return f.T("job_poll")
	case social.FaceJob:
		return f.T("job_face")
	case social.PushJob:
		return f.T("job_push")
	case social.MailJob:
		return f.T("job_mail")
	case social.SendJob:
		return f.T("job_send")
	case social.TakeBackJob:
		return f.T("job_takeback")
	}
	return kind
}

// changeWork retries, holds, lets go or drops what waits for a server.
func (w *Web) changeWork(p *page) error {
	host, do, by := p.r.PostFormValue("host"), p.r.PostFormValue("do"), p.Me.Username
	done := ""
	var err error
	switch do {
	case "retry":
		done = "work_retried"
		_, err = w.Console.RetryNow(p.ctx(), host, by)
	case "hold", "release":
		if done = "work_released"; do == "hold" {
			done = "work_held"
		}
		_, err = w.Console.Hold(p.ctx(), host, do == "hold", p.r.PostFormValue("why"), by)
	case "drop":
		if p.r.PostFormValue("sure") == "" {
			return social.Errorf(social.Invalid, "say that you are sure: what is given up does not arrive")
		}
		done = "work_dropped"
		_, err = w.Console.Drop(p.ctx(), host, by)
	case "retry-job", "drop-job":
		id, err := strconv.ParseInt(p.r.PostFormValue("job"), 10, 64)
		if err != nil {
			return social.NotFoundError()
		}
		act, done := w.Console.RetryJob, "work_retried"
		if do == "drop-job" {
			act, done = w.Console.DropJob, "job_dropped"
		}
		if err := act(p.ctx(), id, by); err != nil {
			return err
		}
		return w.redirect(p, "/admin/work", done)
	case "audit":
		rows, problem, err := w.Console.VerifyAudit(p.ctx())
		if err != nil {
			return err
		}
		if problem != "" {
			return w.showWork(p, http.StatusOK, workPage{Audit: problem, Broken: true})
		}
		return w.showWork(p, http.StatusOK, workPage{Audit: p.T("audit_whole", p.Number(int(rows)))})
	default:
		return social.NotFoundError()
	}
	if mistake(err) {
		p.Problem = p.T("check_form")
		wrong := refused{host, p.say(err)}
		if strings.HasPrefix(p.r.PostFormValue("next"), "/admin/servers/") {
			return w.showOther(p, status(err), host, otherPage{Wrong: wrong})
		}
		return w.showWork(p, status(err), workPage{Wrong: wrong})
	}
	if err != nil {
		return err
	}
	return w.back(p, "/admin/work", done)
}

// WorkOf makes the forms about what waits for one server, to come back to the page
// where they stand.
func (f *frame) WorkOf(host string, h queue.Host, wrong refused) workForms {
	d := workForms{frame: f, Host: host, Queued: h.Queued, Held: !h.HeldAt.IsZero()}
	if wrong.Host == host {
		d.Wrong = wrong.Problem
	}
	return d
}

type workForms struct {
	*frame
	Host   string
	Queued int
	Held   bool
	Wrong  string // what is wrong with the reason
}

// Number writes a count in the page's language.
func (f *frame) Number(n int) string {
	mark := ","
	if f.Language == "de" {
		mark = "."
	}
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + mark + s[i:]
	}
	return s
}

// Size writes bytes as people read them.
func (f *frame) Size(n int64) string {
	unit, value := "kB", float64(n)/1000
	for _, next := range []string{"MB", "GB", "TB"} {
		if value < 1000 {
			break
		}
		unit, value = next, value/1000
	}
	text := strconv.FormatFloat(value, 'f', 1, 64)
	if f.Language == "de" {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text + " " + unit
}
