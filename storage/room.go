package storage

import "context"

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
