package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"parley/instance"
	"parley/social"
)

const importHelp = `Create, update and let go members by a list of people, such as every night.

The list is CSV in UTF-8, separated by comma, semicolon or tab. Its first line names
the columns, in any order; what a column that is not there would say stays as it is:

  username    required; the part of the handle before the @
  name        as shown
  email       for signing in
  department, title, location, pronouns
  manager     a username here, name@host at another company, or the address of an account
  skills, languages   several in one cell, separated by | or by comma in double quotes

Whoever a list has named once is kept by it: who is missing in a later one has left, is
suspended and signed out, and comes back when a list names them again. Members whom no
list has named are left alone. One mistake in the list, and nothing is changed.`

func (a *app) accountImport() *cobra.Command {
	var dry, asJSON bool
	leavers := -1
	c := &cobra.Command{Use: "import FILE", Short: "Create, update and let go members by a list (CSV; - is standard input)", Long: importHelp,
		Args: args(cobra.ExactArgs(1)), RunE: func(cmd *cobra.Command, given []string) error {
			var list io.Reader = os.Stdin
			if given[0] != "-" {
				f, err := os.Open(given[0])
				if err != nil {
					return err
				}
				defer f.Close() //nolint:errcheck // only read
				list = f
			}
			return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
				plan, err := in.Social.PlanImport(ctx, list)
				if err != nil {
					return err
				}
				if err := printPlan(asJSON, plan); err != nil {
					return err
				}
				if err := plan.MayLeave(leavers); err != nil {
					return err
				}
				if dry {
					fmt.Fprintln(os.Stderr, "Nothing was changed (--dry-run).")
					return nil
				}
				left, err := in.Social.ApplyImport(ctx, plan, "parley account import")
				for _, id := range left {
					if err := in.Auth.EndAccess(ctx, id, "parley account import"); err != nil {
						return err
					}
				}
				if err == nil {
					fmt.Fprintln(os.Stderr, "Done.")
				}
				return err
			})
		}}
	c.Flags().BoolVar(&dry, "dry-run", false, "show the differences and change nothing")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().IntVar(&leavers, "allow-leavers", -1, "how many may leave (default: a fifth of those whom the list keeps)")
	return c
}

// printPlan shows the differences, and counts them.
func printPlan(asJSON bool, p *social.ImportPlan) error {
	counts := map[social.ImportKind]int{}
	rows := [][]string{}
	for _, c := range p.Changes {
		counts[c.Kind]++
		line := ""
		if c.Line > 0 {
			line = fmt.Sprint(c.Line)
		}
		rows = append(rows, []string{line, string(c.Kind), c.Username, strings.Join(c.Details, "; ")})
	}
	fmt.Fprintf(os.Stderr, "%d to create, %d to update, %d come back, %d leave, %d as they are.\n", counts[social.ImportCreate], counts[social.ImportUpdate],
		counts[social.ImportReturn], counts[social.ImportLeave], p.Unchanged)
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(append([]social.ImportChange{}, p.Changes...))
	}
	return table(false, []string{"line", "change", "username", "details"}, rows)
}
