package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/mattn/go-mastodon"
)

// Three companies share a roster; the fourth joins with two commands, one at the keeper
// and one at itself, and is a sister of all. A customer's server knocks, is admitted,
// follows the press account and gets its public posts, and nothing else.
func TestFourCompaniesAndACustomer(t *testing.T) {
	trust := newTrust(t)
	keeper, second, third := serveTLS(t, trust), serveTLS(t, trust), serveTLS(t, trust)
	keeper.joinedBy(second)
	keeper.joinedBy(third)
	sisters(t, keeper, second, third)

	fourth := serveTLS(t, trust)
	keeper.joinedBy(fourth)
	sisters(t, keeper, second, third, fourth)
	said := ok[*mastodon.Status](t)(client(fourth, fourth.member("dora")).PostStatus(t.Context(), &mastodon.Toot{Status: "Hello from the fourth"}))
	for i, s := range []*served{keeper, second, third} {
		reader := client(s, s.member(fmt.Sprintf("reader%d", i)))
		eventually(t, "the fourth is read at "+s.host, func() bool { return listed(t, reader, said.URI) == 1 })
	}
	t.Run("customer", func(t *testing.T) { customerKnocks(t, trust, keeper) })
}

// sisters waits until each stands in the zone company at each other.
func sisters(t *testing.T, all ...*served) {
	t.Helper()
	for _, here := range all {
		for _, there := range all {
			if here == there {
				continue
			}
			eventually(t, there.host+" is a sister at "+here.host, func() bool {
				var peers []struct{ Host, Zone string }
				if err := json.Unmarshal([]byte(here.run("peer", "list", "--json")), &peers); err != nil {
					t.Fatal(err)
				}
				for _, p := range peers {
					if p.Host == there.host {
						return p.Zone == "company"
					}
				}
				return false
			})
		}
	}
}

// listed counts a post in what everybody here may read.
func listed(t *testing.T, c *mastodon.Client, uri string) (n int) {
	t.Helper()
	for _, s := range ok[[]*mastodon.Status](t)(c.GetTimelinePublic(t.Context(), false, nil)) {
		if s.URI == uri {
			n++
		}
	}
	return n
}

func customerKnocks(t *testing.T, trust *trust, s *served) {
	customer := startPeer(t, trust, "rfc9421")
	token := s.member("press")
	press := client(s, token)
	customer.tries("follow", with{"who": "@press@" + s.host})
	eventually(t, "the customer's server waits for an answer", func() bool {
		return strings.Contains(s.run("peer", "requests", "--json"), customer.host())
	})
	s.run("peer", "zone", customer.host(), "public")
	if waiting := s.run("peer", "requests", "--json"); waiting != "[]" {
		t.Errorf("an answered request still waits: %s", waiting)
	}
	customer.do("follow", with{"who": "@press@" + s.host})
	me := ok[*mastodon.Account](t)(press.GetAccountCurrentUser(t.Context()))
	customer.gets("Accept", me.URI)

	inside := ok[*mastodon.Status](t)(press.PostStatus(t.Context(), &mastodon.Toot{Status: "Only for the group"}))
	outside := ok[*mastodon.Status](t)(press.PostStatus(t.Context(), &mastodon.Toot{Status: "For the press", Visibility: "public"}))
	customer.gets("Create", outside.URI)
	for _, e := range customer.log().Effects {
		if e.Object == inside.URI || strings.Contains(e.Content, "Only for the group") {
			t.Errorf("the customer got %+v", e)
		}
	}
}

// tries has the peer do something that may be refused.
func (p *peer) tries(verb string, a with) {
	p.t.Helper()
	body, err := json.Marshal(a)
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := http.Post(p.control+"/"+verb, "application/json", bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	_ = res.Body.Close() // whatever it says
}
