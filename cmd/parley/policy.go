package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/spf13/cobra"

	"parley/instance"
)

func (a *app) policy() *cobra.Command {
	c := &cobra.Command{Use: "policy", Short: "How far members may publish, who may follow them, what the directory shows"}
	c.AddCommand(a.policyShow(), a.policySet())
	return c
}

func (a *app) policyShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "show", Short: "Show the policy in effect", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error { return printPolicy(ctx, in, asJSON) })
	}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) policySet() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "set KEY VALUE", Short: "Give a key of the policy a value; \"\" takes it back to the profile's",
		Args: args(cobra.ExactArgs(2)), RunE: func(cmd *cobra.Command, given []string) error {
			return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
				if err := in.Social.SetPolicy(ctx, "parley policy set", map[string]string{given[0]: given[1]}); err != nil {
					return err
				}
				return printPolicy(ctx, in, asJSON)
			})
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func printPolicy(ctx context.Context, in *instance.Instance, asJSON bool) error {
	entries, err := in.Social.PolicyEntries(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(entries)
	}
	rows := [][]string{}
	for _, e := range entries {
		from := "profile"
		if e.Set {
			from = "set"
		}
		rows = append(rows, []string{e.Key, e.Value, from})
	}
	return table(false, []string{"key", "value", "from"}, rows)
}
