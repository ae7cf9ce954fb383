package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"parley/instance"
)

// backup writes an archive, or one more into a folder, where the oldest go.
func (a *app) backup() *cobra.Command {
	var keep int
	c := &cobra.Command{Use: "backup FILE|FOLDER", Short: "Write database, keys and files into one archive while it serves; in a folder it is named by the time", Args: args(cobra.ExactArgs(1)), RunE: func(cmd *cobra.Command, given []string) error {
		to := given[0]
		st, err := os.Stat(to)
		folder := err == nil && st.IsDir()
		if cmd.Flags().Changed("keep") && (keep < 1 || !folder) {
			return &usageError{errors.New("--keep N needs a folder that is there, and keeps one backup in it at least")}
		}
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			if folder {
				file, err := in.BackupInto(ctx, to, keep)
				if err == nil {
					fmt.Println(file)
				}
				return err
			}
			err := in.Backup(ctx, to)
			if errors.Is(err, os.ErrExist) {
				return fmt.Errorf("%s exists; choose another name", to)
			}
			return err
		})
	}}
	c.Flags().IntVar(&keep, "keep", 0, "remove the oldest backups of the folder beyond so many, once the new one is whole (default: none)")
	return c
}

func (a *app) restore() *cobra.Command {
	return &cobra.Command{Use: "restore FILE", Short: "Unpack a backup into an empty data folder and database", Args: args(cobra.ExactArgs(1)), RunE: func(cmd *cobra.Command, given []string) error {
		c, err := a.load()
		if err != nil {
			return err
		}
		if err := instance.Restore(cmd.Context(), c, given[0]); err != nil {
			return err
		}
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			epoch, err := in.Social.Restored(ctx)
			if err != nil {
				return err
			}
			fmt.Printf("restored into %s (epoch %d)\n", c.DataDir, epoch)
			return auditRestored(ctx, in)
		})
	}}
}
