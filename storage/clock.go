package storage

import (
	"context"
	"time"

	"parley/social"
)

// LastWritten is the newest moment that a clock of this instance gave to anything
// here; zero if there is nothing yet. Moments that other servers claim do not count.
func (db *DB) LastWritten(ctx context.Context) (time.Time, error) {
	var newest, account int64
	err := db.read.QueryRowContext(ctx, `
		SELECT coalesce(max(at), 0), coalesce((SELECT max(id) FROM account), 0)
		FROM (
		  SELECT max(arrived_at) AS at FROM post
		  UNION ALL SELECT max(received_at) FROM inbound
		  UNION ALL SELECT max(created_at) FROM activity
		  UNION ALL SELECT max(created_at) FROM job
		  UNION ALL SELECT max(last_in_at) FROM peer
		  UNION ALL SELECT max(last_out_at) FROM peer
		  UNION ALL SELECT max(last_used_at) FROM token
		  UNION ALL SELECT max(last_used_at) FROM session
		) moment`).Scan(&newest, &account)
	if err != nil {
		return time.Time{}, db.translate(err)
	}
	return at(max(newest, ms(social.ID(account).Time()))), nil
}
