package federation

import (
	"context"
	"time"

	"parley/activitypub"
	"parley/queue"
	"parley/social"
)

// logEntry is an item of another server's log.
type logEntry struct {
	in    *social.Inbound
	o     object
	known bool // the post is here, in an earlier state perhaps
}

// open parses the items of a page and leaves out what is here as they tell it.
func (r *logRun) open(ctx context.Context, page *logDocument) ([]logEntry, error) {
	var items []logEntry
	var posts, follows []string
	for _, raw := range page.Items {
		o, err := activitypub.Parse(raw)
		if err != nil {
			r.state.Refused++
			r.Log.Info("an item of a change log was not taken", "peer", r.peer, "reason", err)
			continue
		}
		e := logEntry{o: o, in: &social.Inbound{URI: o.ID(), Peer: r.peer, Actor: o.Ref("actor"), Body: raw, ReceivedAt: r.Now(), SignedAt: r.said(o), CaughtUp: true}}
		if o.Type() == activitypub.OrderedCollection {
			e.in.Actor = o.Ref("attributedTo")
		}
		items = append(items, e)
		posts, follows = append(posts, e.post()), append(follows, e.follow())
	}
	var had map[string]*social.Post
	var asked map[string]*social.Follow
	err := r.Store.View(ctx, func(tx social.Tx) (err error) {
		if had, err = tx.PostsByURI(ctx, posts); err != nil {
			return err
		}
		asked, err = tx.FollowsByURI(ctx, follows)
		return err
	})
	kept := items[:0]
	for _, e := range items {
		p, f := had[e.post()], asked[e.follow()]
		if p != nil && e.told(p) || f != nil && f.State == social.FollowAccepted {
			continue
		}
		e.known = p != nil
		kept = append(kept, e)
	}
	return kept, err
}

// said is when an item was said: by its date, else by its proof.
func (r *logRun) said(o object) time.Time {
	at := o.Time("published")
	if e, ok := o.Embedded("object"); ok && e.Has("published") {
		at = e.Time("published")
	}
	if p, ok := o.Embedded("proof"); ok && at.IsZero() {
		at = p.Time("created")
	}
	if at.IsZero() || at.After(r.Now()) {
		return r.Now()
	}
	return at
}

// post is the URI of the post that an item tells.
func (e logEntry) post() string {
	switch e.o.Type() {
	case activitypub.Create, activitypub.Delete:
		return e.o.Ref("object")
	case activitypub.Announce:
		return e.o.ID()
	}
	return ""
}

// follow is the URI of the request that an item makes or accepts.
func (e logEntry) follow() string {
	switch e.o.Type() {
	case activitypub.Follow:
		return e.o.ID()
	case activitypub.Accept:
		return e.o.Ref("object")
	}
	return ""
}

// told says that a post is here as the item tells it.
func (e logEntry) told(p *social.Post) bool {
	if e.o.Type() == activitypub.Delete {
		return false // kept with its proof, also when the post is gone already
	}
	if p.Deleted() || e.o.Type() == activitypub.Announce {
		return true
	}
	note, _ := e.o.Embedded("object")
	return note.Type() != activitypub.Question && note.Time("updated").Equal(p.EditedAt)
}

// takeOne applies an item as if the inbox had brought it: of the peer's own actors
// alone, with the proof checked that it bears.
func (r *logRun) takeOne(ctx context.Context, e logEntry) error {
	at, err := activitypub.Authority(e.in.Actor)
	if err != nil || at != r.peer {
		return social.Errorf(social.Invalid, "it is of another server")
	}
	actor, err := r.stillAdmitted(ctx, e.in, e.o)
	if err != nil {
		return err
	}
	if e.o.Has("proof") {
		p, err := r.claim(e.in.Body, e.in.Actor)
		if err != nil {
			return err
		}
		if _, err := r.speaker(ctx, actor, e.in.Actor, p); err != nil {
			return err
		}
	}
	if e.o.Type() == activitypub.OrderedCollection {
		if e.o.ID() == "" || e.o.ID() != actor.FeaturedURI {
			return social.Errorf(social.Invalid, "it is no collection that is read here")
		}
		return r.social.ApplyPins(ctx, actor, e.o.Refs("orderedItems"))
	}
	if err := r.shape(e.o, e.in.Actor); err != nil {
		return &social.Error{Kind: social.Invalid, Public: err.Error()}
	}
	ctx = r.social.Late(ctx, e.in.SignedAt)
	err = r.guarded(e.in, func() error {
		if e.o.Type() == activitypub.Create && e.known {
			return r.applyUpdate(ctx, e.in, actor, e.o)
		}
		return r.perform(ctx, e.in, actor, e.o)
	})
	if transient(err) && e.o.Type() == activitypub.Announce {
		return r.later(ctx, e.in) // what it shares is on a third server, which holds up nothing else
	}
	return err
}

// later leaves an item to the workers of the inbox, who try again for a while.
func (r *logRun) later(ctx context.Context, in *social.Inbound) error {
	return r.Store.Tx(ctx, func(tx social.Tx) error {
		if fresh, err := tx.InsertInbound(ctx, in); err != nil || !fresh {
			return err
		}
		tx.AfterCommit(r.inbound.Wake)
		return tx.AddJobs(ctx, []queue.Job{{Kind: "inbox", Ref: int64(in.ID)}})
	})
}
