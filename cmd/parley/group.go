package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"parley/instance"
	"parley/social"
)

// administrator is who runs commands: everything of the instance is theirs to run.
func administrator(in *instance.Instance) social.Reader {
	return social.Reader{System: true, Home: in.Social.HomeAuthority()}
}

// groupCommand is parley group.
func (a *app) groupCommand() *cobra.Command {
	c := &cobra.Command{Use: "group", Short: "Communities of this instance"}
	change := func(use, short, done string, run func(ctx context.Context, in *instance.Instance, group, who social.ID) error) *cobra.Command {
		return a.inGroup(use, short, 2, func(ctx context.Context, in *instance.Instance, g *social.GroupView, rest []string) error {
			who, err := anybodyKnown(ctx, in, rest[0])
			if err == nil {
				err = run(ctx, in, g.Account.ID, who.ID)
			}
			if err == nil {
				fmt.Printf(done+"\n", who.Acct(), g.Account.Username)
			}
			return err
		})
	}
	as := administrator
	c.AddCommand(a.groupCreate(), a.groupList(), a.groupShow(),
		a.groupPeople("members NAME", "List members", (*social.Service).GroupMembers),
		a.groupPeople("requests NAME", "List who asks to join", (*social.Service).GroupRequests),
		change("add NAME WHO", "Make somebody a member; somebody elsewhere becomes one by asking", "%s belongs to %s, or may join it", func(ctx context.Context, in *instance.Instance, g, who social.ID) error {
			return in.Social.AddMember(ctx, as(in), g, who)
		}),
		change("approve NAME WHO", "Take in somebody who asks to join", "%s belongs to %s", func(ctx context.Context, in *instance.Instance, g, who social.ID) error {
			return in.Social.AnswerJoin(ctx, as(in), g, who, true)
		}),
		change("decline NAME WHO", "Turn down somebody who asks to join", "%s does not belong to %s", func(ctx context.Context, in *instance.Instance, g, who social.ID) error {
			return in.Social.AnswerJoin(ctx, as(in), g, who, false)
		}),
		change("remove NAME WHO", "End somebody's membership", "%s does not belong to %s any more", func(ctx context.Context, in *instance.Instance, g, who social.ID) error {
			return in.Social.RemoveMember(ctx, as(in), g, who)
		}),
		change("owner NAME WHO", "Give a community another owner", "%s owns %s", func(ctx context.Context, in *instance.Instance, g, who social.ID) error {
			return in.Social.HandOver(ctx, as(in), g, who)
		}),
		a.inGroup("delete NAME", "Close a community for good; the name is never given again", 1, func(ctx context.Context, in *instance.Instance, g *social.GroupView, _ []string) error {
			err := in.Social.DeleteGroup(ctx, as(in), g.Account.ID)
			if err == nil {
				fmt.Printf("%s is closed\n", g.Account.Username)
			}
			return err
		}))
	return c
}

// inGroup is a command about one community.
func (a *app) inGroup(use, short string, n int, run func(ctx context.Context, in *instance.Instance, g *social.GroupView, rest []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: args(cobra.ExactArgs(n)), RunE: func(cmd *cobra.Command, given []string) error {
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			g, err := in.Social.GroupByName(ctx, administrator(in), given[0])
			if errors.Is(err, social.ErrNotFound) || err == nil && !g.Account.Local() {
				return fmt.Errorf("no community here is called %s; see parley group list", given[0])
			}
			if err != nil {
				return err
			}
			return run(ctx, in, g, given[1:])
		})
	}}
}

// anybodyKnown finds a member, or somebody elsewhere by name@host.
func anybodyKnown(ctx context.Context, in *instance.Instance, handle string) (*social.Account, error) {
	if !strings.Contains(strings.TrimPrefix(handle, "@"), "@") {
		return member(ctx, in, handle)
	}
	who, err := in.Social.FindHandle(ctx, administrator(in), handle)
	if errors.Is(err, social.ErrNotFound) {
		err = fmt.Errorf("nobody is called %s; write name@host", handle)
	}
	return who, err
}

func (a *app) groupCreate() *cobra.Command {
	var n social.NewGroup
	var owner string
	var asJSON bool
	c := &cobra.Command{Use: "create NAME", Short: "Make a community", Args: args(cobra.ExactArgs(1)), RunE: func(cmd *cobra.Command, given []string) error {
		if owner == "" {
			return &usageError{errors.New("a community needs an owner; add --owner NAME (see parley account list)")}
		}
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			who, err := member(ctx, in, owner)
			if err != nil {
				return err
			}
			n.Name, n.OwnerID = given[0], who.ID
			g, err := in.Social.CreateGroup(ctx, administrator(in), n)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(os.Stdout).Encode(map[string]string{"id": g.Account.ID.String(), "name": g.Account.Username, "uri": g.Account.URI})
			}
			fmt.Printf("created @%s@%s, owned by %s\n", g.Account.Username, in.Config.Domain, who.Username)
			return nil
		})
	}}
	c.Flags().StringVar(&n.DisplayName, "display-name", "", "name as shown")
	c.Flags().StringVar(&n.Purpose, "purpose", "", "what it is for")
	c.Flags().StringVar(&owner, "owner", "", "the member who runs it")
	c.Flags().StringVar(&n.Join, "join", "open", "how people join: open, request or closed")
	c.Flags().StringVar(&n.Widest, "widest", "company", "whose members may join: instance, company, partner:<name> or public")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) groupList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "list", Short: "List communities", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error {
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			rows := [][]string{}
			for at := social.ID(0); ; {
				groups, err := in.Social.Groups(ctx, administrator(in), social.Page{Max: at, Limit: 80})
				if err != nil {
					return err
				}
				if len(groups) == 0 {
					break
				}
				for _, g := range groups {
					rows = append(rows, []string{g.Account.Username, g.Account.DisplayName, ownerName(g), string(g.Account.Group.Join),
						g.Account.Group.Widest.Label(), fmt.Sprint(g.Account.FollowersCount), fmt.Sprint(g.Waiting)})
					at = g.Account.ID
				}
			}
			return table(asJSON, []string{"name", "display_name", "owner", "join", "widest", "members", "requests"}, rows)
		})
	}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func ownerName(g *social.GroupView) string {
	if g.Owner == nil {
		return ""
	}
	return g.Owner.Username
}

func (a *app) groupShow() *cobra.Command {
	var asJSON bool
	c := a.inGroup("show NAME", "Show a community", 1, func(_ context.Context, in *instance.Instance, g *social.GroupView, _ []string) error {
		var moderators []string
		for _, m := range g.Moderators {
			moderators = append(moderators, m.Username)
		}
		return record(asJSON, [][2]string{{"name", g.Account.Username}, {"handle", "@" + g.Account.Username + "@" + in.Config.Domain},
			{"display_name", g.Account.DisplayName}, {"purpose", g.Account.NoteSource}, {"owner", ownerName(g)}, {"moderators", strings.Join(moderators, " ")},
			{"join", string(g.Account.Group.Join)}, {"widest", g.Account.Group.Widest.Label()}, {"members", fmt.Sprint(g.Account.FollowersCount)},
			{"requests", fmt.Sprint(g.Waiting)}, {"created", date(g.Account.CreatedAt)}, {"uri", g.Account.URI}})
	})
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// groupPeople lists the people around a community.
func (a *app) groupPeople(use, short string, list func(*social.Service, context.Context, social.Reader, social.ID, social.Page) ([]*social.Account, []social.ID, error)) *cobra.Command {
	var asJSON bool
	c := a.inGroup(use, short, 1, func(ctx context.Context, in *instance.Instance, g *social.GroupView, _ []string) error {
		rows := [][]string{}
		for at := social.ID(0); ; {
			people, cursors, err := list(in.Social, ctx, administrator(in), g.Account.ID, social.Page{Max: at, Limit: 80})
			if err != nil {
				return err
			}
			if len(people) == 0 {
				return table(asJSON, []string{"handle", "display_name", "role"}, rows)
			}
			for i, p := range people {
				role := "member"
				switch {
				case p.ID == g.Account.Group.OwnerID:
					role = "owner"
				case g.Account.Group.Runs(p.ID):
					role = "moderator"
				}
				rows, at = append(rows, []string{p.Acct(), p.DisplayName, role}), cursors[i]
			}
		}
	})
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
