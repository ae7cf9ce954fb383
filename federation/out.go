package federation

import (
	"context"
	"fmt"
	"sync"

	"parley/activitypub/httpsig"
	"parley/queue"
	"parley/social"
)

// outParts is what the outgoing half keeps.
type outParts struct {
	clocks     clocks
	deliveries *queue.Runner
	keys       keyCache
}

// keyCache holds parsed private keys of members; parsing an RSA key costs as much
// as a signature.
type keyCache struct {
	mu   sync.Mutex
	keys map[keyOwner]httpsig.Key
}

type keyOwner struct {
	account social.ID
	kind    string // "rsa" or "ed25519"
}

// get finds a key of one kind, loading the account's keys when it is not held.
func (c *keyCache) get(account social.ID, kind string, load func() ([]social.Key, error)) (httpsig.Key, error) {
	owner := keyOwner{account, kind}
	c.mu.Lock()
	k, ok := c.keys[owner]
	c.mu.Unlock()
	if ok {
		return k, nil
	}
	keys, err := load()
	if err != nil {
		return k, err
	}
	for _, stored := range keys {
		if stored.Kind != kind || stored.Private == nil {
			continue
		}
		private, err := httpsig.ParsePrivate(stored.Private)
		if err != nil {
			return k, err
		}
		k = httpsig.Key{ID: stored.URI, Private: private}
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.keys) >= cachedKeys {
			clear(c.keys)
		}
		c.keys[owner] = k
		return k, nil
	}
	return k, fmt.Errorf("account %s has no %s key", account, kind)
}

const (
	cachedKeys = 4096
	// deliveryWorkers are many more than a few silent hosts can hold (8 each), and
	// each is only a waiting goroutine.
	deliveryWorkers = 256
	// deliveryPatience is how often an inbox may refuse an activity before the
	// actor's later ones overtake it.
	deliveryPatience = 3
)

func (o *outParts) init(s *Server) {
	o.keys.keys = map[keyOwner]httpsig.Key{}
	o.deliveries = queue.NewRunner(s.Queue, queue.Options{Kind: "deliver", Workers: deliveryWorkers, PerHost: 8,
		Lease: leaseTime, Patience: deliveryPatience, Handler: s.deliver, Now: s.Now, Log: s.Log})
}

// signingKey is the RSA key of a member or of the instance.
func (s *Server) signingKey(ctx context.Context, account social.ID) (httpsig.Key, error) {
	return s.keys.get(account, "rsa", func() (keys []social.Key, err error) {
		err = s.Store.View(ctx, func(tx social.Tx) error {
			keys, err = tx.KeysOf(ctx, account)
			return err
		})
		return keys, err
	})
}

// Record implements social.Outbox: it writes the activity and its deliveries in
// the transaction of the change.
func (s *Server) Record(ctx context.Context, tx social.Tx, c social.Change) error {
	switch c.Verb {
	case social.VerbPass:
		return s.pass(ctx, tx, c)
	case social.VerbPeople:
		return s.recordPeople(ctx, tx, c)
	case social.VerbForgetPeople:
		return s.recordForget(ctx, tx, c)
	}
	id := social.NewID(s.Now())
	o, audience, err := s.activity(ctx, tx, id, c)
	if err != nil || o == nil {
		noteMade(ctx, c.URI)
		return err
	}
	noteMade(ctx, o.ID())
	body, err := s.prove(ctx, tx, c.Actor.ID, o)
	if err != nil {
		return err
	}
	if c.Verb == social.VerbAllowQuote {
		if err := s.keepAuthorization(ctx, tx, c); err != nil {
			return err
		}
	}
	var inboxes []social.InboxRef
	if !c.Told {
		if inboxes, err = s.recipients(ctx, tx, c); err != nil {
			return err
		}
	}
	a := &social.Activity{ID: id, URI: o.ID(), Verb: c.Verb, ActorID: c.Actor.ID, Audience: audience, Body: body, CreatedAt: s.Now()}
	if p := about(c); p != nil {
		a.PostID, a.ObjectURI, a.Ceiling = p.ID, p.URI, p.Ceiling
	}
	a.About, a.Peer = thing(c)
	a.Retraction = c.Verb == social.VerbDelete || c.Verb == social.VerbUnboost || c.Verb == social.VerbNarrow
	if err := s.enqueue(ctx, tx, a, inboxes); err != nil {
		return err
	}
	return s.passOwn(ctx, tx, c, body)
}

// enqueue writes an activity and a delivery of it for each inbox; the deliveries of one
// actor keep their order at each.
func (s *Server) enqueue(ctx context.Context, tx social.Tx, a *social.Activity, inboxes []social.InboxRef) error {
	if err := tx.InsertActivity(ctx, a); err != nil || len(inboxes) == 0 {
		return err
	}
	jobs := make([]queue.Job, 0, len(inboxes))
	for _, in := range inboxes {
		jobs = append(jobs, queue.Job{Kind: "deliver", Host: in.Peer, Ref: int64(a.ID), Target: in.Inbox, Chain: int64(a.ActorID)})
	}
	tx.AfterCommit(s.deliveries.Wake)
	return tx.AddJobs(ctx, jobs)
}

// about is the own post that an activity carries or takes back.
func about(c social.Change) *social.Post {
	switch c.Verb {
	case social.VerbCreate, social.VerbEdit, social.VerbNarrow, social.VerbDelete, social.VerbBoost, social.VerbUnboost, social.VerbPollCount:
		return c.Post
	}
	return nil
}

// thing says of what a change gives the state, for the change log, and the one server
// that it concerns, if it is between two people. Reports and answers to quotes are
// news and no state: whoever missed them does not get them later.
func thing(c social.Change) (uri, peer string) {
	if p := about(c); p != nil {
		return p.URI, ""
	}
	switch c.Verb {
	case social.VerbProfile, social.VerbLeave:
		return c.Actor.URI, ""
	case social.VerbPin, social.VerbUnpin:
		return c.Actor.FeaturedURI, ""
	}
	if c.Target == nil || c.Target.Local() {
		return "", ""
	}
	between := " " + c.Actor.URI + " " + c.Target.URI
	switch c.Verb {
	case social.VerbFollow, social.VerbUnfollow:
		return "follow" + between, c.Target.Authority
	case social.VerbAccept, social.VerbReject:
		return "answer" + between, c.Target.Authority
	case social.VerbBlock, social.VerbUnblock:
		return "block" + between, c.Target.Authority
	case social.VerbFavourite, social.VerbUnfavourite:
		return "like " + c.Actor.URI + " " + c.Subject.URI, c.Target.Authority
	case social.VerbVote:
		return "vote " + c.Actor.URI + " " + c.Subject.URI, c.Target.Authority
	}
	return "", ""
}

// recipients lists the inboxes that a change concerns, each once. Egress decides
// again for each attempt.
func (s *Server) recipients(ctx context.Context, tx social.Tx, c social.Change) ([]social.InboxRef, error) {
	r := &inboxSet{home: s.Links.Home(), seen: map[string]bool{}}
	if c.Peer != "" && c.Post != nil {
		return s.havers(ctx, tx, c, r)
	}
	switch c.Verb {
	case social.VerbRoster, social.VerbUnpair, social.VerbNewKeys:
		for _, peer := range s.pairingPeers(c) {
			r.add(s.Links.Of(peer).SharedInbox(), peer)
		}
	case social.VerbCreate, social.VerbBoost, social.VerbPollCount:
		if err := s.readers(ctx, tx, c, r); err != nil {
			return nil, err
		}
	case social.VerbEdit, social.VerbNarrow, social.VerbDelete, social.VerbUnboost:
		// Whoever has it, fetched or sent, and whoever may be getting it at this moment.
		if err := r.addReceipts(ctx, tx, c.Post.URI); err != nil {
			return nil, err
		}
		if c.Verb == social.VerbNarrow {
			break // egress lets it go to those of them only who lost the post
		}
		if err := s.readers(ctx, tx, c, r); err != nil {
			return nil, err
		}
	case social.VerbLeave:
		// Sisters have company posts without following anybody.
		inboxes, err := tx.ReceiptInboxes(ctx, c.Actor.ID)
		if err != nil {
			return nil, err
		}
		for _, in := range inboxes {
			r.add(in.Inbox, in.Peer)
		}
		if err := r.addFollowers(ctx, tx, c.Actor.ID); err != nil {
			return nil, err
		}
	case social.VerbProfile, social.VerbPin, social.VerbUnpin, social.VerbMove:
		if err := r.addFollowers(ctx, tx, c.Actor.ID); err != nil {
			return nil, err
		}
	default:
		if c.Target != nil {
			r.addAccount(c.Target, true)
		}
	}
	return r.list, nil
}

// havers are the inboxes of one peer that has a post, by whatever way it got it.
func (s *Server) havers(ctx context.Context, tx social.Tx, c social.Change, r *inboxSet) ([]social.InboxRef, error) {
	receipts, err := tx.Receipts(ctx, c.Post.URI, c.Peer)
	for _, rc := range receipts {
		r.add(rc.Inbox, rc.Peer)
	}
	return r.list, err
}

// readers adds those who may read the post of a change.
func (s *Server) readers(ctx context.Context, tx social.Tx, c social.Change, r *inboxSet) error {
	p := c.Post
	switch p.Audience.Kind {
	case social.AudienceGroup:
		return r.addGroup(ctx, tx, p.Audience.Name) // one of ours hands it on itself
	case social.AudienceCompany, social.AudiencePartner:
		if p.Audience.Owner != s.Links.Home() {
			return s.addOwner(ctx, tx, p.Audience.Owner, r)
		}
	}
	if p.GroupID != 0 {
		g, err := tx.Account(ctx, p.GroupID)
		if err != nil {
			return err
		}
		r.addAccount(g, false)
	}
	direct := p.Audience.Kind == social.AudienceDirect
	ids := []social.ID{p.InReplyToAccountID}
	for _, m := range p.Mentions {
		ids = append(ids, m.AccountID)
	}
	if c.Subject != nil {
		ids = append(ids, c.Subject.AuthorID)
	}
	people, err := tx.Accounts(ctx, ids)
	if err != nil {
		return err
	}
	for _, a := range people {
		r.addAccount(a, direct)
	}
	var zones []social.Zone
	switch p.Audience.Kind {
	case social.AudiencePublic, social.AudienceUnlisted:
		return r.addFollowers(ctx, tx, c.Actor.ID)
	case social.AudienceFollowers:
		owner, err := tx.AccountByURI(ctx, p.Audience.Name)
		if err != nil {
			return err
		}
		r.addAccount(owner, false)
		return r.addFollowers(ctx, tx, owner.ID)
	case social.AudiencePartner:
		zones = append(zones, social.Zone{Kind: social.ZonePartner, Name: p.Audience.Name}, social.Zone{Kind: social.ZoneCompany})
	case social.AudienceCompany:
		zones = append(zones, social.Zone{Kind: social.ZoneCompany})
	}
	inboxes, err := tx.PeerInboxes(ctx, zones)
	for _, in := range inboxes {
		r.add(in.Inbox, in.Peer)
	}
	return err
}

// addOwner adds the server to which a thread belongs: it hands on what is said there.
func (s *Server) addOwner(ctx context.Context, tx social.Tx, owner string, r *inboxSet) error {
	zone, err := s.social.ZoneIn(ctx, tx, owner)
	if err != nil {
		return err
	}
	inboxes, err := tx.PeerInboxes(ctx, []social.Zone{zone})
	for _, in := range inboxes {
		if in.Peer == owner {
			r.add(in.Inbox, in.Peer)
		}
	}
	return err
}

// inboxSet collects inboxes of others, each once.
type inboxSet struct {
	home string
	seen map[string]bool
	list []social.InboxRef
}

func (r *inboxSet) add(inbox, peer string) {
	if inbox == "" || peer == r.home || r.seen[inbox] {
		return
	}
	r.seen[inbox] = true
	r.list = append(r.list, social.InboxRef{Inbox: inbox, Peer: peer})
}

func (r *inboxSet) addAccount(a *social.Account, personal bool) {
	switch {
	case a == nil || a.Local():
	case personal:
		r.add(a.InboxURI, a.Authority)
	default:
		r.add(a.DeliveryInbox(), a.Authority)
	}
}

func (r *inboxSet) addGroup(ctx context.Context, tx social.Tx, uri string) error {
	g, err := tx.AccountByURI(ctx, uri)
	if err == nil {
		r.addAccount(g, false)
	}
	return err
}

// addReceipts adds whoever has an object, sent or fetched.
func (r *inboxSet) addReceipts(ctx context.Context, tx social.Tx, object string) error {
	receipts, err := tx.Receipts(ctx, object, "")
	for _, rc := range receipts {
		if rc.Inbox != "" {
			r.add(rc.Inbox, rc.Peer)
		}
	}
	return err
}

func (r *inboxSet) addFollowers(ctx context.Context, tx social.Tx, target social.ID) error {
	inboxes, err := tx.FollowerInboxes(ctx, target)
	for _, in := range inboxes {
		r.add(in.Inbox, in.Peer)
	}
	return err
}
