package instance

import (
	"context"
	"io/fs"
	"path/filepath"

	"parley/queue"
)

// console is what the pages of administrators do beside social.
type console struct{ *Instance }

func (c console) Hosts(ctx context.Context) ([]queue.Host, error) { return c.DB.Hosts(ctx) }

func (c console) RetryNow(ctx context.Context, host string) error {
	_, err := c.DB.RetryNow(ctx, host, c.now())
	return err
}

func (c console) Hold(ctx context.Context, host string, held bool) error {
	_, err := c.DB.Hold(ctx, host, held, c.now())
	return err
}

func (c console) Drop(ctx context.Context, host string) error {
	_, err := c.DB.Drop(ctx, "deliver", host)
	return err
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

// Sizes adds up the data folder: all that is not the database are files, their copies
// and keys.
func (c console) Sizes(context.Context) (database, files int64, err error) {
	database = -1
	err = filepath.WalkDir(c.Config.DataDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil // gone meanwhile
		}
		if name, _ := filepath.Match("parley.db*", d.Name()); name {
			database = max(database, 0) + info.Size()
		} else {
			files += info.Size()
		}
		return nil
	})
	return database, files, err
}

func (c console) Version() string { return Version }
