package social

import (
	"context"
	"time"
)

// Verb says what a Change did.
type Verb string

const (
	VerbCreate      Verb = "create"
	VerbEdit        Verb = "edit"
	VerbNarrow      Verb = "narrow" // an edit left readers out: for them the post is gone
	VerbDelete      Verb = "delete"
	VerbBoost       Verb = "boost"
	VerbUnboost     Verb = "unboost"
	VerbFavourite   Verb = "favourite"
	VerbUnfavourite Verb = "unfavourite"
	VerbFollow      Verb = "follow"
	VerbUnfollow    Verb = "unfollow"
	VerbAccept      Verb = "accept" // of a follow
	VerbReject      Verb = "reject" // of a follow, also after it was accepted
	VerbBlock       Verb = "block"
	VerbUnblock     Verb = "unblock"
	VerbVote        Verb = "vote"
	VerbPollCount   Verb = "poll_count" // new counts of an own poll
	VerbReport      Verb = "report"
	VerbProfile     Verb = "profile" // a member changed the profile
	VerbPin         Verb = "pin"
	VerbUnpin       Verb = "unpin"
	VerbLeave       Verb = "leave" // a member's account was deleted
	VerbMove        Verb = "move"  // to another account, which followers are to follow
	VerbAllowQuote  Verb = "allow_quote"
	VerbRefuseQuote Verb = "refuse_quote"
	VerbPass        Verb = "pass" // a group, or the owner of a thread, hands on what somebody said in it
	// VerbPeople: entries of the directory changed; VerbForgetPeople takes all back.
	VerbPeople       Verb = "people"
	VerbForgetPeople Verb = "forget_people"
	VerbRoster       Verb = "roster"  // a new roster of the company
	VerbUnpair       Verb = "unpair"  // a pairing has ended
	VerbNewKeys      Verb = "newkeys" // of the instance
)

// Change is something a member did that others may have to know.
type Change struct {
	Verb    Verb
	Actor   *Account // a member; a group or the instance when it hands on
	Post    *Post    // what it is about: the post, the boost, the poll voted in
	Subject *Post    // the post boosted, favourited or quoted
	Target  *Account // the account followed, blocked, reported, or whose request is answered
	Follow  *Follow
	URI     string // of the like that is made or taken back; of a pairing that ended, its invitation
	Choices []int  // of a vote: indices into the poll's options
	Comment string
	Said    Said    // what is handed on
	Posts   []*Post // of a report
	Quote   *QuoteRequest
	Told    bool      // others know: only the change log says it once more
	People  []*Person // entries that changed
	Peer    string    // only this server is told; "" for all whom it concerns
	Roster  *Roster   // the new one
	At      time.Time
}

// Outbox writes what a change means for others, inside the transaction of the
// change itself: payload, receipts and delivery rows. So nothing is enqueued
// after a commit, and nothing is sent that was not committed.
type Outbox interface {
	// Record writes the activity of a change and a delivery for each inbox that it
	// concerns. Its error undoes the change.
	Record(ctx context.Context, tx Tx, c Change) error
	// SignRoster writes a roster that this instance keeps as a document with its proof.
	SignRoster(ctx context.Context, tx Tx, r Roster) ([]byte, error)
}

// Activity is an entry of the change log: what this instance told others. Its
// body is opaque here.
type Activity struct {
	ID        ID
	URI       string
	Verb      Verb
	ActorID   ID
	PostID    ID     // zero when it is not about a post of ours
	ObjectURI string // what a receipt is kept for
	// About tells of what this entry gives the state: of all entries about one thing only
	// the newest is told to whoever catches up. "" is for what was news and no state.
	About string
	// Peer is the only server that it concerns; "" leaves that to the audience.
	Peer string
	// Retraction takes something back (ids only): it may leave if and only if a
	// receipt for the object and peer exists.
	Retraction bool
	Audience   Audience
	Ceiling    Audience
	Body       []byte
	Epoch, Seq int64 // place in the change log; set by the store in commit order
	CreatedAt  time.Time
}

// ReceiptHow says how an object got to a peer.
type ReceiptHow string

const (
	ReceiptSent      ReceiptHow = "sent"      // we delivered it
	ReceiptFetched   ReceiptHow = "fetched"   // the peer asked for it
	ReceiptForwarded ReceiptHow = "forwarded" // another server passed it on
)

// Receipt remembers that a peer has an object of ours; it outlives deliveries.
type Receipt struct {
	ObjectURI string
	PostID    ID
	Peer      string
	Inbox     string // where it was sent; "" when fetched
	How       ReceiptHow
	At        time.Time
	BackAsked time.Time // when it was taken back because the pairing ended
	BackAt    time.Time // when the peer confirmed that
}

// RefusalState says who ended a delivery that did not arrive.
type RefusalState string

const (
	// StateRefused: the other server does not want it.
	StateRefused RefusalState = "refused"
	// StateDropped: we gave up, or an administrator did.
	StateDropped RefusalState = "dropped"
)

// Refusal remembers that a post's first delivery to an inbox ended without success.
// The receipt stays beside it: only the other server knows what it kept.
type Refusal struct {
	PostID ID
	Peer   string
	Inbox  string
	State  RefusalState
	Reason string
	At     time.Time
}

// Delivery states of a post, as its author sees them.
type DeliveryState struct {
	Peer      string    `json:"peer"`
	Inbox     string    `json:"inbox"`
	State     string    `json:"state"` // delivered, fetched, waiting, held, refused, dropped
	Attempts  int       `json:"attempts"`
	NextAt    time.Time `json:"next_at,omitzero"`
	At        time.Time `json:"at,omitzero"`
	LastError string    `json:"last_error,omitempty"`
}

// Inbound is an activity that was verified and taken: durable before 202 is said.
type Inbound struct {
	ID         ID
	URI        string // of the activity
	InboxID    ID     // the member whose inbox it came to; zero for the shared one
	Peer       string
	Actor      string // URI of the verified actor
	Body       []byte
	ReceivedAt time.Time
	SignedAt   time.Time // of the request that brought it, by the sender's clock
	// CaughtUp says that the sender's change log told it; such a one is not kept.
	CaughtUp bool
}
