package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"parley/activitypub"
	"parley/auth"
	"parley/instance"
	"parley/social"
)

func (a *app) account() *cobra.Command {
	c := &cobra.Command{Use: "account", Short: "Members of this instance"}
	c.AddCommand(a.accountCreate(), a.accountImport(), a.accountList(), a.accountShow(), a.accountRole(),
		a.named("suspend NAME", "Take a member out of view and sign them out", func(ctx context.Context, in *instance.Instance, m *social.Account) error {
			if err := in.Social.Suspend(ctx, m.ID, true, "parley account suspend"); err != nil {
				return err
			}
			return in.Auth.EndAccess(ctx, m.ID, "parley account suspend")
		}),
		a.named("unsuspend NAME", "Put a suspended member back", func(ctx context.Context, in *instance.Instance, m *social.Account) error {
			return in.Social.Suspend(ctx, m.ID, false, "parley account unsuspend")
		}),
		a.leaving("close NAME", "End a leaver's access and keep what they wrote", func(ctx context.Context, in *instance.Instance, m *social.Account, why string) error {
			if err := in.Social.Close(ctx, m.ID, why, "parley account close"); err != nil {
				return err
			}
			return in.Auth.EndAccess(ctx, m.ID, "parley account close")
		}),
		a.named("reopen NAME", "Let somebody sign in again whose account was closed", func(ctx context.Context, in *instance.Instance, m *social.Account) error {
			return in.Social.Reopen(ctx, m.ID, "parley account reopen")
		}),
		a.leaving("delete NAME", "Delete a member with all posts, here and elsewhere; the name is never given again", func(ctx context.Context, in *instance.Instance, m *social.Account, why string) error {
			if err := in.Social.DeleteAccount(ctx, m.ID, why, "parley account delete"); err != nil {
				return err
			}
			return in.Auth.EndAccess(ctx, m.ID, "parley account delete")
		}),
		a.named("reset-link NAME", "Print a one-time link for a new password", func(ctx context.Context, in *instance.Instance, m *social.Account) error {
			link, expires, err := in.Auth.ResetLink(ctx, m.ID, "parley account reset-link")
			if err == nil {
				printLink(in, "/reset?code="+link, expires)
			}
			return err
		}))
	return c
}

func (a *app) accountCreate() *cobra.Command {
	var n social.NewAccount
	var role string
	var stdin, asJSON bool
	c := &cobra.Command{Use: "create NAME", Short: "Create a member", Args: args(cobra.ExactArgs(1)), RunE: func(cmd *cobra.Command, given []string) error {
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			var password string
			if stdin { // before anything is written: a bad one leaves no member behind
				var err error
				if password, err = readPassword(os.Stdin); err != nil {
					return err
				}
			}
			n.Username, n.Role, n.By = given[0], social.Role(role), "parley account create"
			m, err := in.Social.CreateAccount(ctx, n)
			if err != nil {
				return err
			}
			if stdin {
				if err := in.Auth.SetPassword(ctx, m.ID, password); err != nil {
					return err
				}
			}
			if asJSON {
				return json.NewEncoder(os.Stdout).Encode(map[string]string{"id": m.ID.String(), "name": m.Username, "uri": m.URI, "role": string(m.Role)})
			}
			fmt.Printf("created @%s@%s\n", m.Username, in.Config.Domain)
			if !stdin {
				fmt.Printf("set a password with: parley account reset-link %s\n", m.Username)
			}
			return nil
		})
	}}
	c.Flags().StringVar(&n.Email, "email", "", "mail address")
	c.Flags().StringVar(&n.DisplayName, "display-name", "", "name as shown")
	c.Flags().StringVar(&role, "role", "member", "member, communications, moderator or admin")
	c.Flags().BoolVar(&stdin, "password-stdin", false, "read the password from standard input")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// readPassword reads one line, and says whether it can be a password.
func readPassword(r io.Reader) (string, error) {
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil && line == "" {
		return "", fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimRight(line, "\r\n")
	return password, auth.CheckPassword(password)
}

func (a *app) accountList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "list", Short: "List members", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			list, err := in.Social.LocalAccounts(ctx, "", social.Page{Limit: 1000})
			if err != nil {
				return err
			}
			rows := [][]string{}
			for _, m := range list {
				rows = append(rows, []string{m.Username, m.DisplayName, string(m.Role), state(m)})
			}
			return table(asJSON, []string{"name", "display_name", "role", "state"}, rows)
		})
	}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) accountRole() *cobra.Command {
	return &cobra.Command{Use: "role NAME ROLE", Short: "Give a member another role: member, communications, moderator or admin", Args: args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
				m, err := member(ctx, in, given[0])
				if err != nil {
					return err
				}
				return in.Social.SetRole(ctx, m.ID, social.Role(given[1]), "parley account role")
			})
		}}
}

func (a *app) accountShow() *cobra.Command {
	var asJSON bool
	c := a.named("show NAME", "Show a member", func(_ context.Context, in *instance.Instance, m *social.Account) error {
		return record(asJSON, [][2]string{{"name", m.Username}, {"handle", "@" + m.Username + "@" + in.Config.Domain}, {"display_name", m.DisplayName},
			{"email", m.Email}, {"role", string(m.Role)}, {"state", state(m)}, {"language", m.Language}, {"created", date(m.CreatedAt)}, {"uri", m.URI},
			{"posts", fmt.Sprint(m.PostsCount)}, {"followers", fmt.Sprint(m.FollowersCount)}, {"following", fmt.Sprint(m.FollowingCount)}})
	})
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) peerShow() *cobra.Command {
	var asJSON bool
	c := a.host("show HOST", "Show what is known of a server", 1, func(ctx context.Context, in *instance.Instance, host string, _ []string) error {
		peers, err := in.Social.PeerViews(ctx)
		if err != nil {
			return err
		}
		for _, p := range peers {
			if p.Authority != host {
				continue
			}
			health, err := in.DB.Host(ctx, host)
			if err != nil {
				return err
			}
			read, err := readOf(ctx, in, host)
			if err != nil {
				return err
			}
			return record(asJSON, append([][2]string{{"host", p.Authority}, {"zone", p.Zone.String()}, {"zone_that_counts", p.Counts.String()}, {"trust", p.Trust},
				{"pairing", string(p.Paired.State)}, {"pairing_cause", p.Paired.Cause}, {"organisation", p.Paired.Name}, {"keeper", p.Paired.Keeper}, {"paired_since", date(p.Paired.Since)},
				{"pairing_expires", date(p.Paired.ExpiresAt)}, {"pairing_ended", date(p.Paired.EndedAt)}, {"history_from", date(p.Paired.HistoryFrom)}, {"data", strings.Join(p.Paired.DataClasses, ",")},
				{"own_fingerprint", p.OwnKey}, {"their_fingerprint", p.TheirKey}, {"former_key_until", date(p.Paired.FormerUntil)}, {"zone_since", date(p.ZonedAt)}, {"reason", p.Reason},
				{"software", p.Software}, {"dialect", p.Dialect}, {"known_since", date(p.KnownAt)}, {"last_in", date(p.LastInAt)}, {"last_out", date(p.LastOutAt)},
				{"last_error", p.LastError}, {"failures", fmt.Sprint(health.Failures)}, {"next_try", date(health.NextTry)}}, read...))
		}
		return fmt.Errorf("nothing is known of %s; see parley peer list and parley peer requests", host)
	})
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// state of a member in a word.
func state(m *social.Account) string {
	switch {
	case !m.DeletedAt.IsZero():
		return "deleted"
	case !m.SuspendedAt.IsZero():
		return "suspended"
	case !m.ClosedAt.IsZero():
		return "closed"
	}
	return "active"
}

// leaving is a command by which a member leaves, for a reason that the audit log keeps.
func (a *app) leaving(use, short string, run func(ctx context.Context, in *instance.Instance, m *social.Account, why string) error) *cobra.Command {
	var why string
	c := a.named(use, short, func(ctx context.Context, in *instance.Instance, m *social.Account) error { return run(ctx, in, m, why) })
	c.Flags().StringVar(&why, "reason", "", "why, for the audit log")
	return c
}

// named is a command about one member.
func (a *app) named(use, short string, run func(ctx context.Context, in *instance.Instance, m *social.Account) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: args(cobra.ExactArgs(1)), RunE: func(cmd *cobra.Command, given []string) error {
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			m, err := member(ctx, in, given[0])
			if err != nil {
				return err
			}
			return run(ctx, in, m)
		})
	}}
}

func member(ctx context.Context, in *instance.Instance, name string) (m *social.Account, err error) {
	err = in.DB.View(ctx, func(tx social.Tx) error {
		m, err = tx.AccountByName(ctx, strings.TrimPrefix(name, "@"), "")
		return err
	})
	if errors.Is(err, social.ErrNotFound) {
		err = fmt.Errorf("nobody here is called %s; see parley account list", name)
	}
	return m, err
}

func (a *app) peer() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "peer", Short: "Other servers"}
	list := &cobra.Command{Use: "list", Short: "List peers", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			peers, err := in.Social.PeerViews(ctx)
			if err != nil {
				return err
			}
			rows := [][]string{}
			for _, p := range peers {
				rows = append(rows, []string{p.Authority, p.Zone.String(), string(p.Paired.State), date(p.Paired.Since), p.Paired.Keeper, date(p.Paired.ExpiresAt), p.Trust,
					p.Dialect, date(p.LastInAt), date(p.LastOutAt), p.LastError})
			}
			return table(asJSON, []string{"host", "zone", "pairing", "since", "keeper", "expires", "trust", "dialect", "last_in", "last_out", "last_error"}, rows)
		})
	}}
	list.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	requests := &cobra.Command{Use: "requests", Short: "List servers that want to connect; admit with parley peer zone HOST ZONE, or parley peer block HOST", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			waiting, err := in.Social.ConnectRequests(ctx)
			if err != nil {
				return err
			}
			rows := [][]string{}
			for _, r := range waiting {
				rows = append(rows, []string{r.Authority, r.Actor, r.Wanted, date(r.Since), date(r.LastAt), fmt.Sprint(r.Count)})
			}
			return table(asJSON, []string{"host", "actor", "wanted", "since", "last", "count"}, rows)
		})
	}}
	requests.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.AddCommand(list, requests, a.peerShow(), a.peerUnpark(), a.peerDigest(), a.peerCatchUp(),
		a.peerZone(),
		a.host("block HOST", "Exchange nothing with a server and its subdomains", 1, func(ctx context.Context, in *instance.Instance, host string, _ []string) error {
			return in.Social.SetZone(ctx, host, social.Zone{Kind: social.ZoneBlocked}, "set by parley peer block", "parley peer block")
		}),
		a.host("remove HOST", "Forget the decision about a server; end its pairing, or take it off the roster that is kept here", 1, func(ctx context.Context, in *instance.Instance, host string, _ []string) error {
			return in.Social.RemovePeer(ctx, host, "parley peer remove")
		}))
	c.AddCommand(a.pairing()...)
	return c
}

func (a *app) peerZone() *cobra.Command {
	var name string
	c := a.host("zone HOST ZONE", "Put a server into a zone: company, partner:<name>, public or blocked", 2, func(ctx context.Context, in *instance.Instance, host string, rest []string) error {
		z, err := social.ParseZone(rest[0])
		if err == nil && name != "" && z.Kind != social.ZonePartner {
			err = errors.New("--name is for a partner: partner:<name>")
		}
		if err != nil {
			return &usageError{err}
		}
		if err := in.Social.SetZone(ctx, host, z, "set by parley peer zone", "parley peer zone"); err != nil || name == "" {
			return err
		}
		return in.Social.NamePartner(ctx, z.Name, name, "parley peer zone")
	})
	c.Flags().StringVar(&name, "name", "", "what people read for a partner (default made of the zone's name: ACME)")
	return c
}

// host is a command about one other server.
func (a *app) host(use, short string, n int, run func(ctx context.Context, in *instance.Instance, host string, rest []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: args(cobra.ExactArgs(n)), RunE: func(cmd *cobra.Command, given []string) error {
		host, err := activitypub.HostPort(given[0])
		if err != nil {
			return &usageError{err}
		}
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error { return run(ctx, in, host, given[1:]) })
	}}
}

func (a *app) delivery() *cobra.Command {
	var peer string
	var asJSON bool
	c := &cobra.Command{Use: "delivery", Short: "What waits to be sent"}
	c.PersistentFlags().StringVar(&peer, "peer", "", "only this server")
	// A host has one spelling in the queue; any other would name nobody's deliveries.
	c.PersistentPreRunE = func(*cobra.Command, []string) (err error) {
		if peer == "" {
			return nil
		}
		if peer, err = activitypub.HostPort(peer); err != nil {
			err = &usageError{fmt.Errorf("--peer: %w", err)}
		}
		return err
	}
	status := &cobra.Command{Use: "status", Short: "Show the queue of each server", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			hosts, err := in.DB.Hosts(ctx)
			if err != nil {
				return err
			}
			rows := [][]string{}
			for _, h := range hosts {
				if peer == "" || h.Name == peer {
					rows = append(rows, []string{h.Name, fmt.Sprint(h.Queued), date(h.OldestAt), fmt.Sprint(h.Failures), date(h.NextTry), date(h.HeldAt), h.LastError})
				}
			}
			return table(asJSON, []string{"host", "queued", "oldest", "failures", "next_try", "held", "last_error"}, rows)
		})
	}}
	status.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	retry := &cobra.Command{Use: "retry", Short: "Try everything again now", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			n, err := in.RetryNow(ctx, peer, "parley delivery retry")
			if err == nil {
				fmt.Printf("%d deliveries are due now\n", n)
			}
			return err
		})
	}}
	drop := &cobra.Command{Use: "drop --peer HOST", Short: "Give up what waits for a server", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		if peer == "" {
			return &usageError{errors.New("name the server with --peer HOST")}
		}
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			n, err := in.Drop(ctx, peer, "parley delivery drop")
			if err == nil {
				fmt.Printf("%d deliveries dropped\n", n)
			}
			return err
		})
	}}
	c.AddCommand(status, retry, drop,
		a.hold(&peer, "hold --peer HOST", "Keep back what goes to a server, also what comes later", true, "parley delivery hold", "%d deliveries are held\n"),
		a.hold(&peer, "release --peer HOST", "Let go what is held for a server", false, "parley delivery release", "%d deliveries are released\n"))
	return c
}

func (a *app) hold(peer *string, use, short string, held bool, by, done string) *cobra.Command {
	var reason string
	c := &cobra.Command{Use: use, Short: short, Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		host, err := activitypub.HostPort(*peer)
		if err != nil {
			return &usageError{errors.New("name the server with --peer HOST")}
		}
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			n, err := in.Hold(ctx, host, held, reason, by)
			if err == nil {
				fmt.Printf(done, n)
			}
			return err
		})
	}}
	if held {
		c.Flags().StringVar(&reason, "reason", "set by "+by, "why, for the audit row")
	}
	return c
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// table prints rows for people or as JSON objects.
func table(asJSON bool, head []string, rows [][]string) error {
	if asJSON {
		out := []map[string]string{}
		for _, r := range rows {
			o := map[string]string{}
			for i, h := range head {
				o[h] = r[i]
			}
			out = append(out, o)
		}
		return json.NewEncoder(os.Stdout).Encode(out)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, strings.ToUpper(strings.Join(head, "\t")))
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	if len(rows) == 0 {
		fmt.Fprintln(w, "(none)")
	}
	return w.Flush()
}

// record prints one thing for people or as a JSON object.
func record(asJSON bool, fields [][2]string) error {
	if asJSON {
		out := map[string]string{}
		for _, f := range fields {
			out[f[0]] = f[1]
		}
		return json.NewEncoder(os.Stdout).Encode(out)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	for _, f := range fields {
		fmt.Fprintf(w, "%s\t%s\n", f[0], f[1])
	}
	return w.Flush()
}
