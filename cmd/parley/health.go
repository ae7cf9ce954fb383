package main

import (
	"github.com/spf13/cobra"

	"parley/instance"
)

// health is for what watches a container, in which nothing else could ask.
func (a *app) health() *cobra.Command {
	return &cobra.Command{Use: "health", Short: "Exit 0 if parley serve answers on this machine", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		c, err := a.load()
		if err != nil {
			return err
		}
		return instance.Alive(cmd.Context(), c)
	}}
}
