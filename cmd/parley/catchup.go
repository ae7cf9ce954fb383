package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"parley/instance"
	"parley/social"
)

// peerDigest compares, and exits with 1 when something differs.
func (a *app) peerDigest() *cobra.Command {
	var asJSON bool
	c := a.host("digest HOST", "Compare what is held here of a sister or partner with what it says; exit 1 if that differs", 1,
		func(ctx context.Context, in *instance.Instance, host string, _ []string) error {
			d, err := in.Federation.Compare(ctx, host)
			if err != nil {
				return err
			}
			if err := record(asJSON, [][2]string{{"host", host}, {"equal", fmt.Sprint(d.Equal())}, {"objects_there", fmt.Sprint(d.There)}, {"objects_here", fmt.Sprint(d.Here)},
				{"gone_there", fmt.Sprint(d.GoneThere)}, {"gone_here", fmt.Sprint(d.GoneHere)}, {"parts", fmt.Sprint(d.Parts)}, {"parts_that_differ", fmt.Sprint(d.Differ)}}); err != nil {
				return err
			}
			if !d.Equal() {
				return fmt.Errorf("what is held of %s differs; parley peer catchup %s reads what is missing", host, host)
			}
			return nil
		})
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// peerCatchUp orders what the running server does by itself every hour.
func (a *app) peerCatchUp() *cobra.Command {
	return a.host("catchup HOST", "Let the running server read now what was missed of a sister or partner", 1,
		func(ctx context.Context, in *instance.Instance, host string, _ []string) error {
			zone, err := in.Social.Zone(ctx, host)
			if err == nil && zone.Kind != social.ZoneCompany && zone.Kind != social.ZonePartner {
				err = fmt.Errorf("%s is no sister and no partner: only these tell what was missed", host)
			}
			if err == nil {
				err = in.Federation.CatchUpNow(ctx, host)
			}
			if err == nil {
				fmt.Printf("ordered; parley peer show %s says how far it is\n", host)
			}
			return err
		})
}

// readOf is how far the log of a peer was read, for parley peer show.
func readOf(ctx context.Context, in *instance.Instance, host string) (fields [][2]string, err error) {
	var c social.CatchUp
	if err := in.DB.View(ctx, func(tx social.Tx) (err error) { c, err = tx.CatchUp(ctx, host); return err }); err != nil || c.NextAt.IsZero() {
		return nil, err
	}
	return [][2]string{{"log_read", date(c.DoneAt)}, {"log_next", date(c.NextAt)}, {"log_gaps", fmt.Sprint(len(c.Gaps))}, {"log_items", fmt.Sprint(c.Items)},
		{"log_refused", fmt.Sprint(c.Refused)}, {"log_given_back", fmt.Sprint(c.Reclaimed)}, {"log_error", c.LastError}}, nil
}
