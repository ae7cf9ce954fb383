package federation_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// secrets is an instance with everything that strangers must not learn of.
type secrets struct {
	in      *instance.Instance
	alice   social.Reader
	eve     social.Reader   // suspended
	hidden  *social.Post    // for members only
	deleted *social.Post    // it was for members only
	foreign *social.Account // of another server
	theirs  *social.Post    // of that account
	edit    string          // address of the activity that edited what is hidden
}

func keepSecrets(t *testing.T, in *instance.Instance, net *instancetest.Network) *secrets {
	t.Helper()
	ctx := context.Background()
	s := &secrets{in: in, alice: net.Member(in, "alice"), eve: net.Member(in, "eve")}
	s.hidden = publish(t, in, s.alice, social.Draft{Text: "canary", Audience: "instance"})
	if _, err := in.Social.Edit(ctx, s.alice, s.hidden.ID, social.Draft{Text: "canary, edited"}); err != nil {
		t.Fatal(err)
	}
	if err := in.DB.View(ctx, func(tx social.Tx) error {
		list, err := tx.ActivitiesOf(ctx, s.hidden.ID)
		s.edit = list[len(list)-1].URI
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s.deleted = publish(t, in, s.alice, social.Draft{Text: "canary", Audience: "instance"})
	if _, err := in.Social.Delete(ctx, s.alice, s.deleted.ID); err != nil {
		t.Fatal(err)
	}
	if err := in.Social.Suspend(ctx, s.eve.Account.ID, true, "test"); err != nil {
		t.Fatal(err)
	}
	other := second(t, in, social.ZonePublic)
	if other.sendJSON(in.Config.PublicURL+"/inbox", other.create(1)) != 202 {
		t.Fatal("setting up")
	}
	net.Settle()
	s.foreign = accountOf(t, in, other.actor("mallory"))
	v, err := in.Social.PostByURI(ctx, s.alice, other.url("/notes/1"))
	if err != nil {
		t.Fatal(err)
	}
	s.theirs = v.Post
	return s
}

// pairs lists for every route the address of something hidden and of something that
// never was.
func (s *secrets) pairs() map[string][2]string {
	base, none := s.in.Config.PublicURL, social.NewID(time.Now()).String()
	alice := base + "/users/" + s.alice.Account.ID.String()
	out := map[string][2]string{}
	posts := map[string]*social.Post{"hidden": s.hidden, "deleted": s.deleted}
	for name, p := range posts {
		for _, tail := range []string{"", "/activity", "/replies", "/replies?page=true", "/quotes/0123"} {
			out[name+" post"+tail] = [2]string{alice + "/statuses/" + p.ID.String() + tail, alice + "/statuses/" + none + tail}
		}
		out[name+" by page"] = [2]string{base + "/@alice/" + p.ID.String(), base + "/@alice/" + none}
		out[name+" context"] = [2]string{base + "/contexts/" + p.ID.String(), base + "/contexts/" + none}
		out[name+" context page"] = [2]string{base + "/contexts/" + p.ID.String() + "?page=true", base + "/contexts/" + none + "?page=true"}
	}
	out["foreign post"] = [2]string{base + "/users/" + s.foreign.ID.String() + "/statuses/" + s.theirs.ID.String(), alice + "/statuses/" + none}
	for name, a := range map[string]*social.Account{"suspended": s.eve.Account, "foreign": s.foreign} {
		for _, tail := range []string{"", "/outbox", "/outbox?page=true", "/followers", "/followers?page=true", "/following", "/featured"} {
			out[name+" account"+tail] = [2]string{base + "/users/" + a.ID.String() + tail, base + "/users/" + none + tail}
		}
	}
	out["edit of a hidden post"] = [2]string{s.edit, base + "/activities/" + none}
	finger := base + "/.well-known/webfinger?resource="
	out["suspended name"] = [2]string{base + "/users/eve", base + "/users/nobody"}
	out["suspended page"] = [2]string{base + "/@eve", base + "/@nobody"}
	out["suspended handle"] = [2]string{finger + "acct:eve@" + s.in.Config.Domain, finger + "acct:nobody@" + s.in.Config.Domain}
	out["suspended address"] = [2]string{finger + s.eve.Account.URI, finger + base + "/users/" + none}
	out["foreign handle"] = [2]string{finger + s.foreign.URI, finger + "https://else.example/users/1"}
	out["names of followers"] = [2]string{alice + "/followers?page=true", base + "/users/" + none + "/followers?page=true"}
	out["names of followed"] = [2]string{alice + "/following?page=true", base + "/users/" + none + "/following?page=true"}
	out["company"] = [2]string{base + "/audiences/company", base + "/audiences/partner/none"}
	out["partner"] = [2]string{base + "/audiences/partner/acme", base + "/audiences/partner/none"}
	return out
}

// told is all that an answer says, without what changes with each request.
func told(t *testing.T, as *remote, method, address string) string {
	t.Helper()
	q, err := http.NewRequest(method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Accept", "application/activity+json")
	if as != nil {
		if err := httpsig.Sign(q, nil, as.key, httpsig.Cavage, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for name := range res.Header {
		if name == "Date" || name == "X-Request-Id" || strings.HasPrefix(name, "X-Ratelimit-") {
			res.Header.Del(name)
		}
	}
	return fmt.Sprint(res.StatusCode, res.Header, string(body))
}

// T60, DESIGN section 3: hidden and missing answer alike on every address that
// other servers read, whoever asks and with GET and HEAD.
func TestHiddenIsMissingOnEveryRoute(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	s := keepSecrets(t, in, net)
	partner := newRemote(t)
	if err := in.Social.SetZone(context.Background(), partner.host(), social.Zone{Kind: social.ZonePartner, Name: "acme"}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	for name, pair := range s.pairs() {
		for _, method := range []string{"GET", "HEAD"} {
			for who, as := range map[string]*remote{"nobody": nil, "the world": r} {
				hidden, missing := told(t, as, method, pair[0]), told(t, as, method, pair[1])
				if hidden != missing {
					t.Errorf("%s, %s, %s tells them apart:\n%s\n%s", name, who, method, hidden, missing)
				}
				if !strings.HasPrefix(hidden, "404") || strings.Contains(hidden, "canary") || !strings.Contains(hidden, "Vary:") && !strings.Contains(name, "handle") && !strings.Contains(name, "address") {
					t.Errorf("%s, %s, %s: %s", name, who, method, hidden)
				}
			}
		}
	}
}

// HEAD says what GET says, without the body, and what is private says so to caches.
func TestHeadSaysWhatGetSays(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	alice := net.Member(in, "alice")
	p := publish(t, in, alice, social.Draft{Text: "hello", Audience: "public"})
	for _, address := range []string{in.Config.PublicURL + "/actor", alice.Account.URI, alice.Account.OutboxURI, alice.Account.FollowersURI,
		alice.Account.FollowingURI, alice.Account.FeaturedURI, p.URI, p.URI + "/activity", p.URI + "/replies",
		in.Config.PublicURL + "/contexts/" + p.ID.String(), in.Config.PublicURL + "/actor/outbox"} {
		get, head := fetch(t, r, "GET", address), fetch(t, r, "HEAD", address)
		if get.status != 200 || head.status != 200 || head.body != "" || get.doc["id"] != address {
			t.Errorf("%s: GET %d, HEAD %d %q, id %v", address, get.status, head.status, head.body, get.doc["id"])
		}
		for _, name := range []string{"Content-Type", "Vary", "Cache-Control", "X-Content-Type-Options"} {
			if get.header.Get(name) == "" || get.header.Get(name) != head.header.Get(name) {
				t.Errorf("%s: %s is %q and %q", address, name, get.header.Get(name), head.header.Get(name))
			}
		}
		if !strings.Contains(get.header.Get("Vary"), "Signature") || !strings.Contains(get.header.Get("Cache-Control"), "private") {
			t.Errorf("%s: %v", address, get.header)
		}
	}
}
