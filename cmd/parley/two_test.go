package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/mattn/go-mastodon"
)

// side is a person of one instance with how the other's person looks from there.
type side struct {
	*person
	in    *served
	other *mastodon.Account
}

// Two served instances: their people find and follow each other, get what was said
// before, and everything that one does reaches the other, both ways.
func TestTwoServedInstances(t *testing.T) {
	trust := newTrust(t)
	a, b := serveTLS(t, trust), serveTLS(t, trust)
	a.joinedBy(b)
	alice, bob := &side{person: join(a, "alice"), in: a}, &side{person: join(b, "bob"), in: b}
	for _, one := range []struct{ from, to *side }{{alice, bob}, {bob, alice}} {
		before := one.to.post(mastodon.Toot{Status: "said before anybody followed"})
		one.from.finds(one.to)
		one.from.home(before.URI)
	}
	alice.hears(bob)
	bob.hears(alice)
	for _, one := range []struct{ here, there *served }{{a, b}, {b, a}} {
		one.here.run("peer", "catchup", one.there.host)
		eventually(t, "the log of "+one.there.host+" was read", func() bool {
			return !strings.Contains(one.here.run("peer", "show", one.there.host, "--json"), `"log_read":""`) &&
				strings.Contains(one.here.run("peer", "show", one.there.host, "--json"), `"log_read"`)
		})
		if out := one.here.run("peer", "digest", one.there.host, "--json"); !strings.Contains(out, `"equal":"true"`) {
			t.Error(out)
		}
	}
}

// finds resolves the other's handle, follows, and is accepted.
func (s *side) finds(other *side) {
	s.t.Helper()
	found := ok[*mastodon.Results](s.t)(s.Search(s.t.Context(), "@"+other.Username+"@"+other.in.host, true))
	if len(found.Accounts) != 1 {
		s.t.Fatalf("%s is found %d times", other.Username, len(found.Accounts))
	}
	s.other = found.Accounts[0]
	ok[*mastodon.Relationship](s.t)(s.AccountFollow(s.t.Context(), s.other.ID))
	eventually(s.t, s.Username+" follows "+other.Username, func() bool {
		return ok[[]*mastodon.Relationship](s.t)(s.GetAccountRelationships(s.t.Context(), []string{string(s.other.ID)}))[0].Following
	})
}

// home waits until a post stands in the home timeline.
func (s *side) home(uri string) (found *mastodon.Status) {
	s.t.Helper()
	eventually(s.t, uri+" is at "+s.Username+"'s home", func() bool {
		for _, p := range ok[[]*mastodon.Status](s.t)(s.GetTimelineHome(s.t.Context(), nil)) {
			if p.URI == uri {
				found = p
			}
		}
		return found != nil
	})
	return found
}

// status waits until a post is as it should be.
func (s *side) status(id mastodon.ID, what string, is func(p *mastodon.Status) bool) {
	s.t.Helper()
	eventually(s.t, what, func() bool { return is(ok[*mastodon.Status](s.t)(s.GetStatus(s.t.Context(), id))) })
}

// hears is the exchange about what the other says: reply, like, share, edit, vote,
// deletion.
func (s *side) hears(other *side) {
	s.t.Helper()
	ctx := s.t.Context()
	said := other.post(mastodon.Toot{Status: "a new one", Visibility: mastodon.VisibilityPublic})
	here := s.home(said.URI)

	reply := s.post(mastodon.Toot{Status: "an answer", InReplyToID: here.ID})
	ok[*mastodon.Status](s.t)(s.Favourite(ctx, here.ID))
	ok[*mastodon.Status](s.t)(s.Reblog(ctx, here.ID))
	other.status(said.ID, "it is answered, liked and shared", func(p *mastodon.Status) bool {
		return p.RepliesCount == 1 && p.FavouritesCount == 1 && p.ReblogsCount == 1
	})
	thread := ok[*mastodon.Context](s.t)(other.GetStatusContext(ctx, said.ID))
	if len(thread.Descendants) != 1 || thread.Descendants[0].URI != reply.URI {
		s.t.Errorf("the thread below is %v", uris(thread.Descendants))
	}
	eventually(s.t, other.Username+" is told of all three", func() bool {
		told := other.told()
		return slices.Contains(told, "mention by "+other.other.Acct) && slices.Contains(told, "favourite by "+other.other.Acct) && slices.Contains(told, "reblog by "+other.other.Acct)
	})

	ok[*mastodon.Status](s.t)(other.UpdateStatus(ctx, &mastodon.Toot{Status: "a new one, corrected"}, said.ID))
	s.status(here.ID, "the edit has arrived", func(p *mastodon.Status) bool { return p.Content == "<p>a new one, corrected</p>" })

	asked := other.post(mastodon.Toot{Status: "tea or coffee?", Poll: &mastodon.TootPoll{Options: []string{"tea", "coffee"}, ExpiresInSeconds: 3600}})
	poll := s.home(asked.URI).Poll
	if poll == nil {
		s.t.Fatal("the poll came without its answers")
	}
	ok[*mastodon.Poll](s.t)(s.PollVote(ctx, poll.ID, 1))
	other.status(asked.ID, "the vote counts", func(p *mastodon.Status) bool { return p.Poll.VotesCount == 1 && p.Poll.Options[1].VotesCount == 1 })

	if err := other.DeleteStatus(ctx, said.ID); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, "what was deleted is gone", func() bool {
		_, err := s.GetStatus(ctx, here.ID)
		return missing(err)
	})
}
