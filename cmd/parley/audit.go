package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"parley/instance"
	"parley/social"
)

func (a *app) audit() *cobra.Command {
	c := &cobra.Command{Use: "audit", Short: "What was decided about content that crosses to or from other servers"}
	c.AddCommand(a.auditVerify(), a.auditList())
	return c
}

func (a *app) auditVerify() *cobra.Command {
	var asJSON bool
	var noted []string
	c := &cobra.Command{Use: "verify", Short: "Check that no audit row was changed, moved or removed; exit 1 names the first bad one",
		Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
			marks, err := auditMarks(noted)
			if err != nil {
				return err
			}
			return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
				report, err := in.DB.VerifyAudit(ctx, marks...)
				if err != nil {
					return err
				}
				if asJSON {
					err = json.NewEncoder(os.Stdout).Encode(report)
				} else {
					fmt.Printf("%d rows are good, %d wait to be linked.\n", report.Rows, report.Waiting)
					if report.Hash != "" {
						fmt.Printf("Note elsewhere --noted %d:%s and give it back later: it proves all rows up to there.\n", report.Rows, report.Hash)
					}
				}
				if err == nil && report.Problem != "" {
					err = fmt.Errorf("audit row %d: %s", report.BadRow, report.Problem)
				}
				return err
			})
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringSliceVar(&noted, "noted", nil, "ROW:HASH as an earlier verify printed it")
	return c
}

// auditMarks reads what an administrator noted elsewhere.
func auditMarks(noted []string) (marks []social.AuditMark, err error) {
	for _, n := range noted {
		row, hash, _ := strings.Cut(n, ":")
		number, err := strconv.ParseInt(row, 10, 64)
		if _, bad := hex.DecodeString(hash); err != nil || bad != nil || len(hash) != 64 {
			return nil, &usageError{fmt.Errorf("--noted is ROW:HASH as parley audit verify prints it, not %q", n)}
		}
		marks = append(marks, social.AuditMark{Row: number, Hash: hash})
	}
	return marks, nil
}

func (a *app) auditList() *cobra.Command {
	var asJSON bool
	var limit int
	c := &cobra.Command{Use: "list", Short: "List the newest audit rows", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		if limit < 1 || limit > 10_000 {
			return &usageError{fmt.Errorf("--limit is a number from 1 to 10000")}
		}
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			if err := in.DB.LinkAudit(ctx); err != nil { // also where nothing serves
				fmt.Fprintln(os.Stderr, "parley: "+err.Error())
			}
			rows := [][]string{}
			err := in.DB.View(ctx, func(tx social.Tx) error {
				found, err := tx.Audit(ctx, social.Page{Limit: limit})
				for _, r := range found {
					rows = append(rows, []string{fmt.Sprint(r.Seq), date(r.At), string(r.Kind), r.Result, r.Peer, r.Zone, r.Rule, r.Subject, r.Cause, r.Key, r.By})
				}
				return err
			})
			if err != nil {
				return err
			}
			return table(asJSON, []string{"row", "at", "kind", "result", "peer", "zone", "rule", "subject", "cause", "key", "by"}, rows)
		})
	}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().IntVar(&limit, "limit", 100, "how many")
	return c
}

// auditRestored lets the rows of a restored database go on, and says how far they
// are good: where the backup ends, what was decided later is not in them.
func auditRestored(ctx context.Context, in *instance.Instance) error {
	if err := in.DB.LinkAudit(ctx); err != nil {
		return err
	}
	report, err := in.DB.VerifyAudit(ctx)
	switch {
	case err != nil:
		return err
	case report.Problem != "":
		return fmt.Errorf("restored, but audit row %d: %s", report.BadRow, report.Problem)
	}
	fmt.Printf("audit rows up to %d are good; decisions after the backup are not in it\n", report.Rows)
	return nil
}
