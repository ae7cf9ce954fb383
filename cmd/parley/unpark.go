package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"parley/instance"
)

// peerUnpark ends the parking of a paired server, if it proves itself.
func (a *app) peerUnpark() *cobra.Command {
	c := a.host("unpark HOST", "Ask a parked server for proof of its keys, and go on with it when it gives it", 1, func(ctx context.Context, in *instance.Instance, host string, _ []string) error {
		was, err := in.Federation.Unpark(ctx, host, "parley peer unpark")
		switch {
		case err != nil:
			return fmt.Errorf("%w; it stays parked. If it lost its keys it has to join again: parley peer invite %s", err, host)
		case !was:
			fmt.Printf("%s is not parked\n", host)
		default:
			fmt.Printf("%s answers with its own keys; the exchange goes on\n", host)
		}
		return nil
	})
	c.Long = `A paired server is parked when somebody answers at its address without its keys, because
its name or certificate was taken over, or a proxy answers for it. Nothing is sent and
nothing is taken until its own keys answer. It is asked by itself once a minute, later
once an hour; this asks at once.`
	return c
}
