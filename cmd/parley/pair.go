package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"parley/instance"
	"parley/social"
)

// pairing are the commands by which instances join and part.
func (a *app) pairing() []*cobra.Command {
	return []*cobra.Command{a.peerInvite(), a.peerAccept(), a.peerHistory(), a.peerReport(), a.peerLeave(), a.peerRotateKeys(),
		a.host("veto HOST", "Keep a company of the roster from being a sister here", 1, func(ctx context.Context, in *instance.Instance, host string, _ []string) error {
			return in.Social.Veto(ctx, host, "parley peer veto")
		}),
		a.host("unveto HOST", "Lift a veto; a company of the roster is a sister again (run it on both sides)", 1, func(ctx context.Context, in *instance.Instance, host string, _ []string) error {
			return in.Social.Unveto(ctx, host, "parley peer unveto")
		})}
}

func (a *app) peerInvite() *cobra.Command {
	var zone, expires, until, data string
	var asJSON bool
	c := a.host("invite HOST", "Print a code with which another instance joins: as a company of the group, or as a partner", 1, func(ctx context.Context, in *instance.Instance, host string, _ []string) error {
		r := social.InviteRequest{Host: host, DataClasses: list(data), By: "parley peer invite"}
		var err error
		if r.Zone, err = social.ParseZone(zone); err != nil {
			return &usageError{err}
		}
		if r.For, err = duration(expires); err != nil {
			return &usageError{fmt.Errorf("--expires: %w", err)}
		}
		if r.Until, err = day(until); err != nil {
			return &usageError{fmt.Errorf("--until: %w", err)}
		}
		code, err := in.Social.Invite(ctx, r)
		if err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(os.Stdout).Encode(map[string]string{"host": host, "zone": r.Zone.String(), "expires": date(code.ExpiresAt), "code": code.String()})
		}
		fmt.Fprintf(os.Stderr, "For %s alone, once, until %s; a newer code makes it void. Hand it over on a way that both of you trust, and run there:\n  parley peer accept CODE\n",
			host, code.ExpiresAt.Local().Format("2006-01-02 15:04 MST"))
		fmt.Println(code)
		return nil
	})
	c.Flags().StringVar(&zone, "zone", "company", "where it will stand here: company or partner:<name>")
	c.Flags().StringVar(&expires, "expires", "7d", "how long the code is good: 30m, 12h, 7d")
	c.Flags().StringVar(&until, "until", "", "the day on which the pairing ends by itself, as 2027-12-31 (default never)")
	c.Flags().StringVar(&data, "data", "", "what may flow to a partner, comma separated: posts,directory.name (default these, unit and title; without posts none for the partner are sent)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) peerAccept() *cobra.Command {
	var zone, data string
	var asJSON bool
	c := &cobra.Command{Use: "accept CODE", Short: "Answer a code: this instance and the one that made it are paired afterwards", Args: args(cobra.ExactArgs(1)), RunE: func(cmd *cobra.Command, given []string) error {
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			var z social.Zone
			if zone != "" {
				var err error
				if z, err = social.ParseZone(zone); err != nil {
					return &usageError{err}
				}
			}
			p, err := in.Social.Accept(ctx, given[0], z, list(data), "parley peer accept")
			if err != nil {
				return err
			}
			if asJSON {
				return record(true, [][2]string{{"host", p.Authority}, {"zone", p.Zone.String()}, {"name", p.Name}, {"keeper", p.Keeper}, {"expires", date(p.ExpiresAt)}})
			}
			fmt.Printf("paired with %s (%s), zone %s\n", p.Authority, p.Name, p.Zone)
			return nil
		})
	}}
	c.Flags().StringVar(&zone, "zone", "", "where the other stands here; a partner may be called partner:<name> as you like (default as the code offers)")
	c.Flags().StringVar(&data, "data", "", "what may flow to a partner, comma separated (as for invite)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) peerHistory() *cobra.Command {
	var from string
	c := a.host("history HOST", "Let a paired instance have what was written before it joined", 1, func(ctx context.Context, in *instance.Instance, host string, _ []string) error {
		at := time.UnixMilli(1)
		if from != "all" {
			var err error
			if at, err = day(from); err != nil || at.IsZero() {
				return &usageError{errors.New("--from: say since which day, as 2026-01-31, or all")}
			}
		}
		return in.Social.SetHistory(ctx, host, at, "parley peer history")
	})
	c.Flags().StringVar(&from, "from", "", "since which day, as 2026-01-31, or all")
	return c
}

func (a *app) peerReport() *cobra.Command {
	var asJSON bool
	c := a.host("report HOST", "Show what a server had of this instance, what was taken back and what is not confirmed", 1, func(ctx context.Context, in *instance.Instance, host string, _ []string) error {
		r, err := in.Social.PeerReport(ctx, host)
		if err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(os.Stdout).Encode(r)
		}
		if err := record(false, [][2]string{{"host", r.Authority}, {"zone that counts", r.Zone}, {"pairing", string(r.Pairing)}, {"ended", date(r.EndedAt)}, {"cause", r.Cause},
			{"posts it had", strconv.Itoa(r.Had)}, {"deleted here", strconv.Itoa(r.Deleted)}, {"it may keep", strconv.Itoa(r.Keeps)},
			{"taken back and confirmed", strconv.Itoa(r.Confirmed)}, {"not confirmed", strconv.Itoa(r.UnconfirmedCount)}}); err != nil {
			return err
		}
		for _, uri := range r.Unconfirmed {
			fmt.Println("not confirmed:", uri)
		}
		return nil
	})
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) peerLeave() *cobra.Command {
	var yes bool
	c := &cobra.Command{Use: "leave --yes", Short: "Leave the roster of the company: all sisters hear it, and what they had is taken back", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		if !yes {
			return &usageError{errors.New("this ends the connection with all companies of the group; say so with --yes")}
		}
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			left, err := in.Social.Leave(ctx, "parley peer leave")
			for _, host := range left {
				fmt.Println("left", host)
			}
			return err
		})
	}}
	c.Flags().BoolVar(&yes, "yes", false, "yes, leave")
	return c
}

func (a *app) peerRotateKeys() *cobra.Command {
	return &cobra.Command{Use: "rotate-keys", Short: "Give this instance new keys, and tell everybody who is paired with it", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			told, err := in.Social.RotateKeys(ctx, "parley peer rotate-keys")
			for _, host := range told {
				fmt.Println("told", host)
			}
			return err
		})
	}}
}

// list splits what was given with commas; nothing given is nil.
func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// duration reads 30m, 12h or 7d.
func duration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > 3650 {
			return 0, fmt.Errorf("%q is not a time like 7d", s)
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time like 12h or 7d", s)
	}
	return d, nil
}

// day reads a day, as it begins here; nothing given is zero.
func day(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation("2006-01-02", s, time.Local)
	if err != nil {
		return t, fmt.Errorf("%q is not a day like 2026-01-31", s)
	}
	return t, nil
}
