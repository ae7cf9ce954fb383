package instance

import (
	"context"
	"strconv"
	"sync"
	"time"

	"parley/queue"
	"parley/social"
	"parley/web"
)

// RetryNow makes what waits for a server due at once, "" for all; it says how much.
// by is the member or the command that says so.
func (in *Instance) RetryNow(ctx context.Context, host, by string) (int, error) {
	if err := in.auditQueue(ctx, host, "tried", "", by); err != nil {
		return 0, err
	}
	return in.DB.RetryNow(ctx, host, in.now())
}

// Hold keeps back what goes to a server, now and later, or lets it go; it says how much
// waits. Who holds says why.
func (in *Instance) Hold(ctx context.Context, host string, held bool, reason, by string) (int, error) {
	result := "released"
	if held {
		if err := social.CheckReason(reason); err != nil {
			return 0, err
		}
		result = "held"
	}
	if err := in.auditQueue(ctx, host, result, reason, by); err != nil {
		return 0, err
	}
	return in.DB.Hold(ctx, host, held, in.now())
}

// Drop gives up what waits for a server; it says how much that was.
func (in *Instance) Drop(ctx context.Context, host, by string) (int, error) {
	if err := in.auditQueue(ctx, host, "dropped", "", by); err != nil {
		return 0, err
	}
	return in.DB.Drop(ctx, "deliver", host)
}

// auditQueue writes down what somebody is about to do with the queue: nothing is done
// without its row.
func (in *Instance) auditQueue(ctx context.Context, host, result, reason, by string) error {
	return in.audit(ctx, social.AuditRow{Peer: host, Result: result, Cause: reason, By: by})
}

func (in *Instance) audit(ctx context.Context, r social.AuditRow) error {
	r.At, r.Kind = in.now(), social.AuditQueue
	return in.DB.Tx(ctx, func(tx social.Tx) error { return tx.AppendAudit(ctx, r) })
}

// console is what the pages of administrators do beside social.
type console struct {
	*Instance
	measured *measured
}

// measured remembers for a minute what it takes a while to measure.
type measured struct {
	mu   sync.Mutex
	room web.Room
}

func (c console) Hosts(ctx context.Context) ([]queue.Host, error) { return c.DB.Hosts(ctx) }

func (c console) Kinds(ctx context.Context) ([]queue.Kind, error) { return c.DB.Kinds(ctx) }

func (c console) Failing(ctx context.Context, limit int) ([]queue.Job, error) {
	return c.DB.Failing(ctx, "deliver", limit)
}

func (c console) RetryJob(ctx context.Context, id int64, by string) error {
	if err := c.auditJob(ctx, id, "tried", by); err != nil {
		return err
	}
	return c.DB.RetryJob(ctx, id, c.now())
}

func (c console) DropJob(ctx context.Context, id int64, by string) error {
	if err := c.auditJob(ctx, id, "dropped", by); err != nil {
		return err
	}
	return c.DB.Finish(ctx, []int64{id})
}

// auditJob writes down what somebody is about to do with one job, and what was wrong
// with it.
func (c console) auditJob(ctx context.Context, id int64, result, by string) error {
	j, err := c.DB.Job(ctx, id)
	switch {
	case err != nil:
		return err
	case j.Kind == "deliver", result == "dropped" && !web.MayDrop(j.Kind):
		return social.NotFoundError()
	}
	return c.audit(ctx, social.AuditRow{Peer: j.Host, Subject: j.Kind + " " + strconv.FormatInt(j.ID, 10), Result: result, Cause: j.LastError, By: by})
}

func (c console) Unpark(ctx context.Context, host, by string) (bool, error) {
	return c.Federation.Unpark(ctx, host, by)
}

func (c console) VerifyAudit(ctx context.Context) (rows int64, problem string, err error) {
	if err := c.DB.LinkAudit(ctx); err != nil {
		return 0, "", err
	}
	report, err := c.DB.VerifyAudit(ctx)
	return report.Rows, report.Problem, err
}

// Probe asks a server for what it shows everybody, sealed where the two are paired. It
// tells how long the answer took, and how far the clock there is ahead.
func (c console) Probe(ctx context.Context, host string) (took, ahead time.Duration, err error) {
	return c.Federation.Probe(ctx, host)
}

func (c console) Clocks() map[string]time.Duration { return c.Federation.Clocks() }

// measuredFor is how long a measurement of the room counts.
const measuredFor = time.Minute

// Room measures the disk, the database and the files, at most once a minute.
func (c console) Room(ctx context.Context) (web.Room, error) {
	c.measured.mu.Lock()
	defer c.measured.mu.Unlock()
	now := c.now()
	if at := c.measured.room.At; !at.IsZero() && now.Sub(at) < measuredFor && !now.Before(at) {
		return c.measured.room, nil
	}
	data, err := c.DB.Room(ctx)
	if err != nil {
		return web.Room{}, err
	}
	r := web.Room{At: now, Database: data.Database, Own: web.Pile(data.Own), Copies: web.Pile(data.Copies)}
	if r.Disk, r.Free, err = disk(c.Config.DataDir); err != nil {
		c.log.Debug("the disk is not known", "error", err)
	}
	c.measured.room = r
	return r, nil
}

func (c console) Version() string { return Version }
