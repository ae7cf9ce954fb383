package storage

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"parley/social"
)

// scanner is a row or rows.
type scanner interface{ Scan(dest ...any) error }

// list runs a query and scans each row.
func list[T any](ctx context.Context, t *Tx, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := t.q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, t.db.translate(err)
	}
	defer rows.Close() //nolint:errcheck // reading is over; Err below tells what counts
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, t.db.translate(err)
		}
		out = append(out, v)
	}
	return out, t.db.translate(rows.Err())
}

// one runs a query for a single row.
func one[T any](ctx context.Context, t *Tx, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	v, err := scan(t.q.QueryRowContext(ctx, query, args...))
	return v, t.db.translate(err)
}

// exec runs a statement and says how many rows it changed.
func (t *Tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := t.q.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, t.db.translate(err)
	}
	n, err := res.RowsAffected()
	return n, t.db.translate(err)
}

func scanID(s scanner) (social.ID, error) {
	var id social.ID
	err := s.Scan(&id)
	return id, err
}

// ms and at convert times; zero stays zero.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// fold is the form in which names are compared; SQLite itself folds ASCII only.
func fold(s string) string { return strings.ToLower(norm.NFKC.String(strings.TrimSpace(s))) }

const maxID = int64(1)<<62 + (int64(1)<<62 - 1)

// keyset adds the bounds and order of a page to a query that ends in a WHERE
// clause. It takes the next free parameters; reversed says that the rows come
// oldest first and have to be turned.
func keyset(column string, p social.Page, args []any) (clause string, out []any, reversed bool) {
	upper, lower := int64(p.Max), int64(p.Since)
	if upper == 0 {
		upper = maxID
	}
	order := " DESC"
	if p.Min != 0 {
		lower, order, reversed = int64(p.Min), " ASC", true
	}
	n := len(args)
	clause = " AND " + column + " < $" + itoa(n+1) + " AND " + column + " > $" + itoa(n+2) +
		" ORDER BY " + column + order + " LIMIT $" + itoa(n+3)
	return clause, append(args, upper, lower, p.Limit), reversed
}

func turn[T any](list []T, reversed bool) []T {
	if reversed {
		for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
			list[i], list[j] = list[j], list[i]
		}
	}
	return list
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

// bytesOrNil lets an empty value be NULL.
func bytesOrNil(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

var _ scanner = (*sql.Row)(nil)
