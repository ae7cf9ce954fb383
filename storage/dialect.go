package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"parley/social"
)

// dialect holds the few differences between the two databases.
type dialect struct{ sqlite bool }

// ids is a sub-select of the integers in a JSON array parameter.
func (d dialect) ids(param string) string {
	if d.sqlite {
		return "(SELECT value FROM json_each(" + param + "))"
	}
	return "(SELECT v::bigint FROM jsonb_array_elements_text(" + param + "::jsonb) v)"
}

// texts is the same for strings.
func (d dialect) texts(param string) string {
	if d.sqlite {
		return "(SELECT value FROM json_each(" + param + "))"
	}
	return "(SELECT v FROM jsonb_array_elements_text(" + param + "::jsonb) v)"
}

// bytes is a select of a value beside each string of a JSON array, the strings as bytes.
func (d dialect) bytes(beside, param string) string {
	if d.sqlite {
		return "SELECT " + beside + ", CAST(value AS BLOB) FROM json_each(" + param + ")"
	}
	return "SELECT " + beside + ", convert_to(v, 'UTF8') FROM jsonb_array_elements_text(" + param + "::jsonb) v"
}

// place is where a text stands in a column, from 1; 0 for nowhere.
func (d dialect) place(column, param string) string {
	if d.sqlite {
		return "instr(" + column + ", " + param + ")"
	}
	return "strpos(" + column + ", " + param + ")"
}

// field is a text inside a column that holds JSON.
func (d dialect) field(column, name string) string {
	if d.sqlite {
		return column + " ->> '" + name + "'"
	}
	return column + "::jsonb ->> '" + name + "'"
}

// skipLocked lets several nodes claim side by side.
func (d dialect) skipLocked() string {
	if d.sqlite {
		return ""
	}
	return " FOR UPDATE SKIP LOCKED"
}

// schema turns the one DDL text into the dialect's.
func (d dialect) schema(text string) string {
	if d.sqlite {
		return text
	}
	return strings.NewReplacer("INTEGER", "BIGINT", "BLOB", "BYTEA", ") STRICT;", ");").Replace(text)
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("storage: a type of ours does not marshal: " + err.Error()) // a programming fault
	}
	return string(b)
}

// repeatable says that PostgreSQL wants the transaction run again.
func repeatable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// nothingStored is what people read when the database cannot write.
const nothingStored = "nothing can be stored at the moment; try again later"

// translate turns driver errors into the kinds that callers know.
func (db *DB) translate(err error) error {
	var known *social.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if errors.Is(err, sql.ErrNoRows) {
		return &social.Error{Kind: social.NotFound, Public: "not found", Err: err}
	}
	switch kindOf(err) {
	case social.Invalid:
		return &social.Error{Kind: social.Invalid, Public: "the text holds characters that cannot be stored", Err: err}
	case social.Conflict:
		return &social.Error{Kind: social.Conflict, Public: "that exists already", Err: err}
	case social.Unavailable:
		return &social.Error{Kind: social.Unavailable, Public: nothingStored, Err: err}
	}
	return err
}

func kindOf(err error) social.Kind {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() {
		case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
			return social.Conflict
		}
		switch lite.Code() & 0xff {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
			sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB: // whoever sends it tries again, when a backup is in place
			return social.Unavailable
		}
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch {
		case pg.Code == "23505":
			return social.Conflict
		case pg.Code == "22021", pg.Code == "22P05": // NUL, or not UTF-8
			return social.Invalid
		case strings.HasPrefix(pg.Code, "53"), strings.HasPrefix(pg.Code, "57"), strings.HasPrefix(pg.Code, "08"), repeatable(err):
			return social.Unavailable
		}
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return social.Unavailable
	}
	return social.Internal
}
