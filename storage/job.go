package storage

import (
	"context"
	"slices"
	"time"

	"parley/queue"
	"parley/social"
)

const jobColumns = `id, kind, host, ref, target, chain, attempts, next_at, created_at, held_at, last_error`

func scanJob(s scanner) (queue.Job, error) {
	var j queue.Job
	var next, created, held int64
	err := s.Scan(&j.ID, &j.Kind, &j.Host, &j.Ref, &j.Target, &j.Chain, &j.Attempts, &next, &created, &held, &j.LastError)
	j.NextAt, j.CreatedAt, j.HeldAt = at(next), at(created), at(held)
	return j, err
}

// shownJobs is for lists that people read: what waits for its host, or for an older
// job of its chain that does, says so.
const shownJobs = `SELECT j.id, j.kind, j.host, j.ref, j.target, j.chain, j.attempts,
	CASE WHEN coalesce(h.next_try, 0) > j.next_at THEN h.next_try ELSE j.next_at END AS due, j.created_at, j.held_at,
	CASE WHEN j.last_error = '' THEN coalesce(h.last_error, '') ELSE j.last_error END
	FROM job j LEFT JOIN host h ON h.name = j.host `

// Claim leases due jobs. The oldest due rows are looked at, a multiple of what is
// wanted, and of those at most perHost of each host are taken, in turns.
func (db *DB) Claim(ctx context.Context, kind string, now, lease time.Time, limit, perHost int, skip []string) (jobs []queue.Job, err error) {
	err = db.run(ctx, func(t *Tx) error {
		jobs, err = list(ctx, t, scanJob, `
			UPDATE job SET next_at = $3, lease_at = $3 WHERE id IN (
			  SELECT id FROM (
			    SELECT id, host, next_at, row_number() OVER (PARTITION BY host ORDER BY next_at, id) AS turn FROM (
			      SELECT id, host, next_at FROM job
			      WHERE kind = $1 AND next_at <= $2 AND held_at = 0 AND waits = 0 AND host NOT IN `+db.dialect.texts("$4")+`
			      ORDER BY next_at LIMIT $5`+db.dialect.skipLocked()+`) due) ranked
			  WHERE turn <= $6 OR host = '' ORDER BY turn, next_at LIMIT $7)
			RETURNING `+jobColumns, kind, ms(now), ms(lease), jsonText(append([]string{}, skip...)), 16*limit, perHost, limit)
		return err
	})
	return jobs, err
}

// Finish removes jobs; the next of their chains are due.
func (db *DB) Finish(ctx context.Context, ids []int64) error {
	return db.run(ctx, func(t *Tx) error {
		chains, err := list(ctx, t, scanID, `DELETE FROM job WHERE id IN `+db.dialect.ids("$1")+` RETURNING chain`, jsonText(ids))
		if err != nil {
			return err
		}
		return t.moveUp(ctx, chains)
	})
}

// LetPass takes a job out of its chain.
func (db *DB) LetPass(ctx context.Context, id int64) error {
	return db.run(ctx, func(t *Tx) error {
		chains, err := list(ctx, t, scanID, `SELECT chain FROM job WHERE id = $1`, id)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE job SET chain = 0, waits = 0 WHERE id = $1`, id); err != nil {
			return err
		}
		return t.moveUp(ctx, chains)
	})
}

// moveUp lets the oldest job of each chain run, when its host may be tried.
func (t *Tx) moveUp(ctx context.Context, chains []social.ID) error {
	chains = slices.DeleteFunc(chains, func(c social.ID) bool { return c == 0 })
	if len(chains) == 0 {
		return nil
	}
	_, err := t.exec(ctx, `UPDATE job SET waits = 0, next_at = CASE WHEN coalesce((SELECT next_try FROM host WHERE name = job.host), 0) > next_at
		  THEN (SELECT next_try FROM host WHERE name = job.host) ELSE next_at END WHERE waits = 1 AND id IN (
		SELECT min(id) FROM job WHERE chain IN `+t.db.dialect.ids("$1")+` AND chain <> 0 GROUP BY chain, kind, target)`, jsonText(chains))
	return err
}

// Retry gives a job back for later, unless its lease passed to somebody else.
func (db *DB) Retry(ctx context.Context, j queue.Job, next time.Time, reason string) error {
	_, err := db.change(ctx, `UPDATE job SET next_at = $3, lease_at = 0, attempts = attempts + 1, last_error = $4 WHERE id = $1 AND lease_at = $2`,
		j.ID, ms(j.NextAt), ms(next), reason)
	return err
}

// Release gives leased jobs back unchanged.
func (db *DB) Release(ctx context.Context, ids []int64) error {
	_, err := db.change(ctx, `UPDATE job SET next_at = $2, lease_at = 0 WHERE id IN `+db.dialect.ids("$1"), jsonText(ids), ms(db.now()))
	return err
}

// HostFailed parks a host: the heads of its chains, for all others wait for them
// anyway. While it is parked already, as when several jobs find out at once, that is
// no failure more.
func (db *DB) HostFailed(ctx context.Context, host string, now, next time.Time, reason string) (parked time.Time, err error) {
	err = db.run(ctx, func(t *Tx) error {
		until, err := one(ctx, t, scanID, `INSERT INTO host (name, failures, next_try, last_ok, last_error) VALUES ($1, 1, $2, 0, $3)
			ON CONFLICT (name) DO UPDATE SET failures = CASE WHEN host.next_try > $4 THEN host.failures ELSE host.failures + 1 END,
			  next_try = CASE WHEN host.next_try > excluded.next_try THEN host.next_try ELSE excluded.next_try END, last_error = excluded.last_error
			RETURNING next_try`, host, ms(next), reason, ms(now))
		if err != nil {
			return err
		}
		parked = at(int64(until))
		_, err = t.exec(ctx, `UPDATE job SET next_at = $2, last_error = $3 WHERE host = $1 AND waits = 0 AND next_at < $2`, host, int64(until), reason)
		return err
	})
	return parked, err
}

// HostWorked ends a host's parking: what waited for it is due at once.
func (db *DB) HostWorked(ctx context.Context, host string, now time.Time) error {
	return db.run(ctx, func(t *Tx) error {
		parked, err := list(ctx, t, scanID, `SELECT next_try FROM host WHERE name = $1 AND failures > 0`, host)
		if err != nil || len(parked) == 0 {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE host SET failures = 0, next_try = 0, last_ok = $2, last_error = '' WHERE name = $1`, host, ms(now)); err != nil {
			return err
		}
		_, err = t.exec(ctx, `UPDATE job SET next_at = $2 WHERE host = $1 AND waits = 0 AND next_at > $2 AND next_at <= $3 AND lease_at <= $2`, host, ms(now), parked[0])
		return err
	})
}

const hostColumns = `h.name, h.failures, h.next_try, h.last_ok, h.last_error, h.held_at,
	(SELECT count(*) FROM job j WHERE j.host = h.name), (SELECT coalesce(min(j.created_at), 0) FROM job j WHERE j.host = h.name)`

func scanHost(s scanner) (queue.Host, error) {
	var h queue.Host
	var next, ok, held, oldest int64
	err := s.Scan(&h.Name, &h.Failures, &next, &ok, &h.LastError, &held, &h.Queued, &oldest)
	h.NextTry, h.LastOK, h.HeldAt, h.OldestAt = at(next), at(ok), at(held), at(oldest)
	return h, err
}

// Host tells the health of one host.
func (db *DB) Host(ctx context.Context, host string) (h queue.Host, err error) {
	h.Name = host
	err = db.View(ctx, func(tx social.Tx) error {
		found, err := list(ctx, tx.(*Tx), scanHost, `SELECT `+hostColumns+` FROM host h WHERE h.name = $1`, host)
		if len(found) == 1 {
			h = found[0]
		}
		return err
	})
	return h, err
}

// Hosts lists every host that has jobs or failed last time.
func (db *DB) Hosts(ctx context.Context) (hosts []queue.Host, err error) {
	err = db.View(ctx, func(tx social.Tx) error {
		hosts, err = list(ctx, tx.(*Tx), scanHost, `SELECT `+hostColumns+` FROM (
			SELECT name, failures, next_try, last_ok, last_error, held_at FROM host
			UNION ALL SELECT DISTINCT host, 0, 0, 0, '', 0 FROM job WHERE host <> '' AND host NOT IN (SELECT name FROM host)) h ORDER BY h.name`)
		return err
	})
	return hosts, err
}

// NextDue is when the next job of a kind can run.
func (db *DB) NextDue(ctx context.Context, kind string) (next time.Time, err error) {
	err = db.View(ctx, func(tx social.Tx) error {
		found, err := list(ctx, tx.(*Tx), scanID, `SELECT next_at FROM job WHERE kind = $1 AND held_at = 0 AND waits = 0 ORDER BY next_at LIMIT 1`, kind)
		if len(found) == 1 {
			next = at(int64(found[0]))
		}
		return err
	})
	return next, err
}

// Jobs lists waiting jobs of a host, or of all.
func (db *DB) Jobs(ctx context.Context, kind, host string, limit int) (jobs []queue.Job, err error) {
	err = db.View(ctx, func(tx social.Tx) error {
		jobs, err = list(ctx, tx.(*Tx), scanJob, shownJobs+`WHERE j.kind = $1 AND ($2 = '' OR j.host = $2) ORDER BY due, j.id LIMIT $3`, kind, host, limit)
		return err
	})
	return jobs, err
}

// JobsOf lists what waits for some refs.
func (db *DB) JobsOf(ctx context.Context, kind string, refs []int64) (jobs []queue.Job, err error) {
	err = db.View(ctx, func(tx social.Tx) error {
		jobs, err = list(ctx, tx.(*Tx), scanJob, shownJobs+`WHERE j.kind = $1 AND j.ref IN `+db.dialect.ids("$2")+` ORDER BY j.target`, kind, jsonText(refs))
		return err
	})
	return jobs, err
}

// Kinds counts what waits, kind by kind.
func (db *DB) Kinds(ctx context.Context) (kinds []queue.Kind, err error) {
	err = db.View(ctx, func(tx social.Tx) error {
		kinds, err = list(ctx, tx.(*Tx), func(s scanner) (k queue.Kind, err error) {
			err = s.Scan(&k.Name, &k.Waiting, &k.Failing)
			return k, err
		}, `SELECT kind, count(*), sum(CASE WHEN attempts > 0 THEN 1 ELSE 0 END) FROM job GROUP BY kind ORDER BY kind`)
		return err
	})
	return kinds, err
}

// Failing lists jobs that failed at least once.
func (db *DB) Failing(ctx context.Context, but string, limit int) (jobs []queue.Job, err error) {
	err = db.View(ctx, func(tx social.Tx) error {
		jobs, err = list(ctx, tx.(*Tx), scanJob, shownJobs+`WHERE j.kind <> $1 AND j.attempts > 0 ORDER BY due, j.id LIMIT $2`, but, limit)
		return err
	})
	return jobs, err
}

// Job finds one job.
func (db *DB) Job(ctx context.Context, id int64) (j queue.Job, err error) {
	err = db.View(ctx, func(tx social.Tx) error {
		j, err = one(ctx, tx.(*Tx), scanJob, shownJobs+`WHERE j.id = $1`, id)
		return err
	})
	return j, err
}

// RetryJob makes one job due at once.
func (db *DB) RetryJob(ctx context.Context, id int64, now time.Time) error {
	_, err := db.change(ctx, `UPDATE job SET next_at = $2 WHERE id = $1 AND lease_at <= $2`, id, ms(now))
	return err
}

// RetryNow makes jobs due at once.
func (db *DB) RetryNow(ctx context.Context, host string, now time.Time) (n int, err error) {
	err = db.run(ctx, func(t *Tx) error {
		if _, err := t.exec(ctx, `UPDATE host SET next_try = 0 WHERE $1 = '' OR name = $1`, host); err != nil {
			return err
		}
		changed, err := t.exec(ctx, `UPDATE job SET next_at = $2 WHERE host <> '' AND ($1 = '' OR host = $1) AND lease_at <= $2`, host, ms(now))
		n = int(changed)
		return err
	})
	return n, err
}

// Hold keeps back what goes to a host, now and later, or lets it go.
func (db *DB) Hold(ctx context.Context, host string, held bool, now time.Time) (n int, err error) {
	when := int64(0)
	if held {
		when = ms(now)
	}
	err = db.run(ctx, func(t *Tx) error {
		if _, err := t.exec(ctx, `INSERT INTO host (name, failures, next_try, last_ok, last_error, held_at) VALUES ($1, 0, 0, 0, '', $2)
			ON CONFLICT (name) DO UPDATE SET held_at = excluded.held_at`, host, when); err != nil {
			return err
		}
		changed, err := t.exec(ctx, `UPDATE job SET held_at = $2 WHERE host = $1`, host, when)
		n = int(changed)
		return err
	})
	return n, err
}

// HostHeard lets what is parked for a host go at once, since it is there to send;
// once, until something arrived there. Its failures stay counted, so that it is
// parked as long as before when it does not take anything.
func (db *DB) HostHeard(ctx context.Context, host string, now time.Time) (released bool, err error) {
	const parked = `name = $1 AND failures > 0 AND next_try > $2 AND heard_at <= last_ok`
	err = db.View(ctx, func(tx social.Tx) error { // nearly every host is not parked: spare the write
		found, err := list(ctx, tx.(*Tx), scanID, `SELECT next_try FROM host WHERE `+parked, host, ms(now))
		released = len(found) == 1
		return err
	})
	if err != nil || !released {
		return false, err
	}
	err = db.run(ctx, func(t *Tx) error {
		until, err := list(ctx, t, scanID, `SELECT next_try FROM host WHERE `+parked, host, ms(now))
		if released = len(until) == 1; err != nil || !released {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE host SET next_try = $2, heard_at = $2 WHERE name = $1`, host, ms(now)); err != nil {
			return err
		}
		_, err = t.exec(ctx, `UPDATE job SET next_at = $2 WHERE host = $1 AND next_at > $2 AND next_at <= $3 AND lease_at <= $2`, host, ms(now), until[0])
		return err
	})
	return released, err
}

func (db *DB) change(ctx context.Context, query string, args ...any) (n int, err error) {
	err = db.run(ctx, func(t *Tx) error {
		changed, err := t.exec(ctx, query, args...)
		n = int(changed)
		return err
	})
	return n, err
}
