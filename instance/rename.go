package instance

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"parley/config"
	"parley/social"
	"parley/storage"
)

// Rename gives an instance that no other server has met the domain and origin of
// the configuration. Nobody may serve the data meanwhile.
func Rename(ctx context.Context, c *config.Config, log *slog.Logger, now func() time.Time) (err error) {
	if err := storage.PrepareFolder(c.DataDir); err != nil {
		return err
	}
	unlock, err := storage.LockFolder(c.DataDir)
	if err != nil {
		return err
	}
	defer unlock()
	db, err := storage.Open(ctx, storage.Options{URL: c.Storage.URL, DataDir: c.DataDir, Now: now, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Rename(ctx, social.Links{PublicURL: c.PublicURL, Domain: c.Domain})
}
