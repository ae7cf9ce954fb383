package federation

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/activitypub/seal"
	"parley/queue"
	"parley/social"
)

// Followers are compared with the servers that have them (FEP-8fcf): an Undo or Reject
// that was lost would show posts to people who are not meant, for ever.

const (
	// syncMost is how many followers at one server are compared; more are not.
	syncMost = 10_000
	syncPage = 1000
	// syncsHour bounds the lists that are read because of one actor, peerSyncsHour
	// because of all actors of a server.
	syncsHour     = 12
	peerSyncsHour = 240
	syncTries     = 5
	syncFetches   = 2 + syncMost/syncPage // the list, its pages, and one for luck
	syncValue     = 2000                  // bytes of the header
	syncJob       = "followers"
)

// digestOf is the XOR of the SHA-256 of each follower's URI, each counted once.
func digestOf(uris []string) string {
	var sum [sha256.Size]byte
	seen := map[string]bool{}
	for _, uri := range uris {
		if seen[uri] {
			continue
		}
		seen[uri] = true
		for i, b := range sha256.Sum256([]byte(uri)) {
			sum[i] ^= b
		}
	}
	return hex.EncodeToString(sum[:])
}

// followersAt is the header for a delivery of what is for its author's followers: what
// the author knows of those at the peer.
func (s *Server) followersAt(ctx context.Context, p *social.Post, peer string) (header string, err error) {
	if p == nil || p.Audience.Kind != social.AudienceFollowers || p.Audience.Owner != s.Links.Home() {
		return "", nil
	}
	err = s.Store.View(ctx, func(tx social.Tx) error {
		author, err := tx.Account(ctx, p.AuthorID)
		if err != nil || author.URI != p.Audience.Name {
			return err
		}
		uris, _, err := tx.FollowersAt(ctx, peer, author.ID, social.Page{Limit: syncMost + 1})
		if len(uris) <= syncMost {
			header = fmt.Sprintf(`collectionId="%s", url="%s", digest="%s"`, author.FollowersURI, s.Links.FollowersOf(author.ID), digestOf(uris))
		}
		return err
	})
	return header, err
}

// membersFollowing lists the members here who follow an account of another server.
func (s *Server) membersFollowing(ctx context.Context, account social.ID) (uris []string, err error) {
	err = s.Store.View(ctx, func(tx social.Tx) error {
		uris, _, err = tx.FollowersAt(ctx, s.Links.Home(), account, social.Page{Limit: syncMost + 1})
		return err
	})
	return uris, err
}

// synchronize sets the header.
func (d *decision) synchronize(r *http.Request) {
	if d.sync != "" {
		r.Header.Set(httpsig.Synchronization, d.sync)
	}
}

// synchronizeSealed sets the header so that the paired peer alone can read it: it tells
// of who follows whom.
func (d *decision) synchronizeSealed(r *http.Request, target string) error {
	if d.sync == "" {
		return nil
	}
	sealed, _, err := d.bond.seal([]byte(d.sync), d.bond.to(seal.Header, target, nil))
	if err == nil {
		r.Header.Set(httpsig.Synchronization, base64.StdEncoding.EncodeToString(sealed))
	}
	return err
}

// openedHeader is the value of the header of a sealed delivery; one that does not open
// says nothing.
func (s *Server) openedHeader(r *http.Request, b *bond) string {
	sealed, err := base64.StdEncoding.DecodeString(r.Header.Get(httpsig.Synchronization))
	if err != nil || len(sealed) == 0 {
		return ""
	}
	value, _, err := seal.Open(sealed, b.from(seal.Header, s.asked(r), nil), b.open, b.senders, syncValue)
	if err != nil {
		return ""
	}
	return string(value)
}

var syncParameter = regexp.MustCompile(`(collectionId|url|digest)="([^"]*)"`)

// readSync reads the header as far as the actor may say it: of the own followers, with
// a list on the own server.
func readSync(value string, actor *social.Account) (digest, list string, ok bool) {
	if len(value) > syncValue {
		return "", "", false
	}
	said := map[string]string{}
	for _, m := range syncParameter.FindAllStringSubmatch(value, -1) {
		said[m[1]] = m[2]
	}
	digest, list = strings.ToLower(said["digest"]), said["url"]
	sum, err := hex.DecodeString(digest)
	ok = err == nil && len(sum) == sha256.Size && actor.FollowersURI != "" && said["collectionId"] == actor.FollowersURI &&
		activitypub.SameAuthority(list, actor.URI) && !strings.ContainsAny(list, " \t\r\n")
	return digest, list, ok
}

// compareFollowers orders a look at the sender's list when it knows of other followers
// here than we do. Bounded for each actor and server.
func (s *Server) compareFollowers(ctx context.Context, v *verified) ([]queue.Job, error) {
	if v.sync == "" || v.forwarded() {
		return nil, nil
	}
	digest, list, ok := readSync(v.sync, v.account)
	if !ok {
		return nil, nil
	}
	have, err := s.membersFollowing(ctx, v.account.ID)
	if err != nil || digestOf(have) == digest {
		return nil, err
	}
	if !s.syncs.take(v.account.URI, s.Now()) || !s.peerSyncs.take(v.peer, s.Now()) {
		return nil, nil
	}
	return []queue.Job{{Kind: syncJob, Host: v.peer, Ref: int64(v.account.ID), Target: digest + " " + list}}, nil
}

// synchronize is the handler of those jobs: it reads the list, and believes it when it
// is the one that was announced.
func (s *Server) synchronize(ctx context.Context, j queue.Job) queue.Result {
	digest, list, _ := strings.Cut(j.Target, " ")
	var owner *social.Account
	err := s.Store.View(ctx, func(tx social.Tx) (err error) {
		owner, err = tx.Account(ctx, social.ID(j.Ref))
		return err
	})
	if err != nil {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	before, err := s.membersFollowing(ctx, owner.ID)
	if err == nil && digestOf(before) == digest {
		return queue.Result{Verdict: queue.Done} // what was on its way has arrived
	}
	var listed []string
	if err == nil {
		listed, err = s.listedFollowers(withBudget(ctx, syncFetches), owner, list)
	}
	switch {
	case transient(err) && j.Attempts < syncTries:
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	case err == nil && digestOf(listed) != digest:
		err = social.Errorf(social.Conflict, "the list of followers is not the one that was announced")
	case err == nil:
		err = s.social.SyncFollowers(ctx, owner, listed, before)
	}
	if err != nil {
		s.Log.Info("followers were not compared", "peer", j.Host, "actor", owner.URI, "reason", err.Error())
		return queue.Result{Verdict: queue.Done, Reason: err.Error()}
	}
	s.Log.Info("followers are as their owner knows them", "peer", j.Host, "actor", owner.URI)
	return queue.Result{Verdict: queue.Done}
}

// listedFollowers reads the part of an actor's followers that are of this server, on
// the actor's server only.
func (s *Server) listedFollowers(ctx context.Context, owner *social.Account, list string) (uris []string, err error) {
	part, err := s.page(ctx, 0, owner, list)
	if err != nil {
		return nil, err
	}
	if e, ok := part.Embedded("first"); ok && e.Type() != "" {
		part = e
	} else if first := part.Ref("first"); first != "" {
		if part, err = s.page(ctx, 0, owner, first); err != nil {
			return nil, err
		}
	}
	for {
		uris = append(append(uris, part.Refs("items")...), part.Refs("orderedItems")...)
		if len(uris) > syncMost || slices.ContainsFunc(uris, func(uri string) bool { return !s.Links.Owns(uri) }) {
			return nil, social.Errorf(social.Invalid, "the list of followers is too long, or names others than ours")
		}
		next := part.Ref("next")
		if next == "" {
			return uris, nil
		}
		if part, err = s.page(ctx, 0, owner, next); err != nil {
			return nil, err
		}
	}
}

// getFollowersOf lists to a server its own people among a member's followers, and tells
// nobody else that there is such a list.
func (s *Server) getFollowersOf(tx social.Tx, q *query) (object, error) {
	a, err := s.member(tx, q)
	if err != nil {
		return nil, err
	}
	if q.reader.Peer == "" || q.reader.Account == nil {
		return nil, social.NotFoundError()
	}
	at, list := cursor(q, "max_id"), s.Links.FollowersOf(a.ID)
	uris, ids, err := tx.FollowersAt(q.Context(), q.reader.Peer, a.ID, social.Page{Max: at, Limit: syncPage + 1})
	if err != nil {
		return nil, err
	}
	o := object{"id": list, "type": activitypub.OrderedCollection}
	if len(uris) > syncPage {
		if uris = uris[:syncPage]; paged(q) {
			o["next"] = pageOf(list, "max_id", ids[syncPage-1])
		} else {
			o["first"] = pageOf(list, "", 0)
			return o, nil
		}
	}
	if paged(q) {
		o["id"], o["type"], o["partOf"] = pageOf(list, "max_id", at), activitypub.OrderedCollectionPage, list
	}
	items := []any{}
	for _, uri := range uris {
		items = append(items, uri)
	}
	o["orderedItems"], q.rule = items, "followers"
	return o, nil
}
