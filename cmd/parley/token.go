package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"parley/auth"
	"parley/instance"
	"parley/social"
)

func (a *app) token() *cobra.Command {
	c := &cobra.Command{Use: "token", Short: "Tokens for programs"}
	c.AddCommand(a.tokenCreate(), a.tokenList(), a.tokenRevoke())
	return c
}

func (a *app) tokenCreate() *cobra.Command {
	n := auth.NewToken{}
	var audiences []string
	var bot bool
	c := &cobra.Command{Use: "create NAME", Short: "Create a token for a member and print it alone", Args: args(cobra.ExactArgs(1)), RunE: func(cmd *cobra.Command, given []string) error {
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			m, err := member(ctx, in, given[0])
			if err != nil {
				return err
			}
			if err := checkAudiences(ctx, in, audiences); err != nil {
				return err
			}
			if len(audiences) > 0 {
				n.Bound = social.GrantOnly(audiences...)
			}
			if err := in.Auth.Audit(ctx, m.ID, "given a token", "parley token create"); err != nil {
				return err
			}
			text, err := in.Auth.CreateToken(ctx, m.ID, n)
			if err == nil && bot {
				_, err = in.Social.UpdateProfile(ctx, social.Member(m, in.Social.HomeAuthority()), social.ProfileChange{Bot: &bot})
			}
			if err == nil {
				fmt.Println(text)
			}
			return err
		})
	}}
	c.Flags().StringVar(&n.Scopes, "scopes", "read write follow push", "space separated")
	c.Flags().StringVar(&n.App, "app", "parley token create", "what the member sees it by, under connected apps")
	c.Flags().StringSliceVar(&audiences, "audience", nil, "the only audiences it may publish for, such as company, instance or group:NAME; the first is its default")
	c.Flags().BoolVar(&bot, "bot", false, "mark the member as a program, for all to see")
	return c
}

// checkAudiences refuses labels that no post could have.
func checkAudiences(ctx context.Context, in *instance.Instance, labels []string) error {
	for _, label := range labels {
		if _, err := social.ParseAudience(label, in.Social.HomeAuthority()); err != nil {
			return err
		}
		handle, group := strings.CutPrefix(label, string(social.AudienceGroup)+":")
		if !group {
			continue
		}
		name, host, _ := strings.Cut(handle, "@")
		err := in.DB.View(ctx, func(tx social.Tx) error {
			g, err := tx.AccountByName(ctx, name, host)
			if err == nil && g.Kind != social.KindGroup {
				err = social.NotFoundError()
			}
			return err
		})
		if social.KindOf(err) == social.NotFound {
			return fmt.Errorf("no community is called %s; see parley group list", handle)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *app) tokenList() *cobra.Command {
	var asJSON bool
	c := a.named("list NAME", "List the apps and programs that act for a member", func(ctx context.Context, in *instance.Instance, m *social.Account) error {
		tokens, err := in.Auth.Tokens(ctx, m.ID)
		if err != nil {
			return err
		}
		rows := [][]string{}
		for _, t := range tokens {
			rows = append(rows, []string{t.ID.String(), t.App, t.Scopes, t.Bound, date(t.CreatedAt), date(t.LastUsedAt)})
		}
		return table(asJSON, []string{"id", "app", "scopes", "bound", "created", "last_used"}, rows)
	})
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (a *app) tokenRevoke() *cobra.Command {
	return &cobra.Command{Use: "revoke NAME ID", Short: "End a token of a member at once", Args: args(cobra.ExactArgs(2)), RunE: func(cmd *cobra.Command, given []string) error {
		return a.open(cmd, func(ctx context.Context, in *instance.Instance) error {
			m, err := member(ctx, in, given[0])
			if err != nil {
				return err
			}
			tokens, err := in.Auth.Tokens(ctx, m.ID)
			if err != nil {
				return err
			}
			for _, t := range tokens {
				if t.ID.String() == given[1] {
					if err := in.Auth.Audit(ctx, m.ID, "taken a token", "parley token revoke"); err != nil {
						return err
					}
					return in.Auth.Revoke(ctx, m.ID, t.ID)
				}
			}
			return fmt.Errorf("%s has no token %s; see parley token list %s", given[0], given[1], given[0])
		})
	}}
}
