package social

import (
	"context"
	"time"
)

// Place is a place in a change log. A restore begins a new epoch; within one, seq
// follows the order of commits. The zero Place stands before everything.
type Place struct{ Epoch, Seq int64 }

// IsZero says that the place stands before everything.
func (p Place) IsZero() bool { return p == Place{} }

// Less orders places as they were written.
func (p Place) Less(q Place) bool { return p.Epoch < q.Epoch || p.Epoch == q.Epoch && p.Seq < q.Seq }

// Retraction is another server's word that an object of its is gone, with a proof of
// its author: kept so that we can tell that we know, and give it back to whoever
// lost it.
type Retraction struct {
	ObjectURI string
	Authority string // of the object
	Actor     string // URI of its author
	Body      []byte // the activity, byte for byte
	At        time.Time
}

// CatchUp is how far the change log of another server was read.
type CatchUp struct {
	Peer  string
	Epoch string // of its log when it was last read; "" never
	Top   string // the newest place that was heard of; "" none
	Gaps  []Gap  // what lies below Top and was not read yet, newest first

	Pages     int       // read since its end was reached last
	Items     int       // taken since then
	Refused   int       // not taken since then
	StartedAt time.Time // of the last new beginning
	NextAt    time.Time // when it is due again
	DoneAt    time.Time // when nothing was left to read
	Failures  int       // in a row
	LastError string    // "" when all is well

	// ReclaimedEpoch is the epoch of ours for which the peer gave back what it holds
	// of us; ReclaimingEpoch that for which it is asked, and ReclaimAt where to go on.
	ReclaimedEpoch, ReclaimingEpoch int64
	ReclaimAt                       string
	Reclaimed                       int // objects that came back
}

const (
	// hastened is less than lies between two readings of a log in good times.
	hastened = 50 * time.Minute
	// readingGrace is how long a reading may be overdue before it counts as missing.
	readingGrace = 15 * time.Minute
)

// Complete says that nothing is missing of the log as far as we know: it was read to
// its end, and neither we nor the peer were away since, which makes it due early.
func (c CatchUp) Complete(now time.Time) bool {
	if c.DoneAt.IsZero() || c.LastError != "" || len(c.Gaps) > 0 {
		return false
	}
	if c.NextAt.Sub(c.DoneAt) < hastened {
		return now.Before(c.NextAt)
	}
	return now.Before(c.NextAt.Add(readingGrace))
}

// Gap is a part of a change log that is still to be read, downwards from UpTo to
// After. The texts are the other server's; "" stands for its end.
type Gap struct {
	After string `json:"after"`
	UpTo  string `json:"up_to"`
}

// Held is what is known here of an object of another server.
type Held struct {
	Author, Post        ID
	URI                 string
	Audience, Ceiling   Audience
	EditedAt, DeletedAt time.Time
	Raw                 []byte // the origin's bytes, where they are asked for
}

// CatchUpStore reads the change log for others, and keeps how far we have read theirs.
type CatchUpStore interface {
	// LogPage lists entries above after and up to upTo, newest first: of each thing
	// only the newest entry, and only those for everybody or for this peer. Bodies
	// come with entries for one peer alone.
	LogPage(ctx context.Context, peer string, after, upTo Place, limit int) ([]*Activity, error)
	// LogHead is the place of the newest entry.
	LogHead(ctx context.Context) (Place, error)
	// LogEpoch is the present epoch, and NewLogEpoch begins another.
	LogEpoch(ctx context.Context) (int64, error)
	NewLogEpoch(ctx context.Context) (int64, error)

	// HaveReceipts tells which of the objects a peer has, and was not asked to give back.
	HaveReceipts(ctx context.Context, peer string, objectURIs []string) (map[string]bool, error)
	// FollowedFrom tells which of the accounts somebody at a peer follows.
	FollowedFrom(ctx context.Context, peer string, targets []ID) (map[ID]bool, error)
	// FollowsByURI finds follows by the URI of their request.
	FollowsByURI(ctx context.Context, uris []string) (map[string]*Follow, error)

	// LocalPosts lists posts of members above an id, oldest first, tombstones too.
	LocalPosts(ctx context.Context, after ID, limit int) ([]*Post, error)
	// HeldPosts lists posts of an authority's authors in the order of (author, post),
	// above a place in it: those that are there, or tombstones. Raw comes when asked for.
	HeldPosts(ctx context.Context, authority string, author, after ID, limit int, gone, raw bool) ([]Held, error)
	// PutRetraction keeps one; the first for an object stays.
	PutRetraction(ctx context.Context, r Retraction) error
	// NeverHeld lists what was taken back and never was here, but for what went with
	// its author, by URI above one.
	NeverHeld(ctx context.Context, authority, after string, limit int) ([]string, error)
	// Retractions lists those of an authority by the object's URI, above one.
	Retractions(ctx context.Context, authority, after string, limit int) ([]Retraction, error)

	// CatchUp is the zero one with its peer when nothing was read yet.
	CatchUp(ctx context.Context, peer string) (CatchUp, error)
	PutCatchUp(ctx context.Context, c CatchUp) error
	// DueCatchUps lists sisters and partners whose log is due to be read.
	DueCatchUps(ctx context.Context, now time.Time, limit int) ([]string, error)
	// HastenCatchUps makes the reading due no later than at; peer "" means all.
	HastenCatchUps(ctx context.Context, peer string, at time.Time) error
}
