package storage

import (
	"context"
	"time"

	"parley/social"
)

// Room is what the data takes, in bytes.
type Room struct {
	Database int64
	Own      Pile // files that members uploaded
	Copies   Pile // of other servers' files, which can be had again
}

// Pile is a number of files and their bytes together.
type Pile struct {
	Files int
	Bytes int64
}

// Room measures by what the database knows; it reads every file's row.
func (db *DB) Room(ctx context.Context) (r Room, err error) {
	size := `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`
	if !db.dialect.sqlite {
		size = `SELECT pg_database_size(current_database())`
	}
	if err = db.read.QueryRowContext(ctx, size).Scan(&r.Database); err != nil {
		return r, err
	}
	for table, pile := range map[string]*Pile{"media": &r.Own, "remote_media": &r.Copies} {
		if err = db.read.QueryRowContext(ctx, `SELECT count(*), CAST(coalesce(sum(size), 0) AS BIGINT) FROM `+table).Scan(&pile.Files, &pile.Bytes); err != nil {
			return r, err
		}
	}
	return r, nil
}

// Contents is what people here wrote and has not been deleted.
type Contents struct {
	Members, Posts int
	Began          time.Time // when the first account was made; zero if there is none
}

// Contents counts; it reads every post.
func (db *DB) Contents(ctx context.Context) (c Contents, err error) {
	var first int64
	err = db.read.QueryRowContext(ctx, `
		SELECT (SELECT count(*) FROM account a WHERE `+membersOnly+`),
			(SELECT count(*) FROM post WHERE local = 1 AND deleted_at = 0 AND boost_of_id = 0),
			(SELECT coalesce(min(id), 0) FROM account WHERE host = '')`).Scan(&c.Members, &c.Posts, &first)
	if first != 0 {
		c.Began = social.ID(first).Time()
	}
	return c, db.translate(err)
}
