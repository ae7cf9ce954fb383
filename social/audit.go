package social

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"
	"unicode/utf8"
)

// AuditKind says what was decided.
type AuditKind string

const (
	AuditSend    AuditKind = "send"    // whether an activity of ours leaves
	AuditFetch   AuditKind = "fetch"   // whether a server gets a document it asked for
	AuditReceive AuditKind = "receive" // whether an activity of another server is taken
	AuditZone    AuditKind = "zone"    // where a peer stands from now on
	AuditPairing AuditKind = "pairing" // a statement of a pairing or of the roster
	AuditPolicy  AuditKind = "policy"  // what members may reach from now on
	AuditMember  AuditKind = "member"  // an account: made, hidden, signed out, given a link
	AuditQueue   AuditKind = "queue"   // what waits for a server: held, let go, tried, given up
	AuditChain   AuditKind = "chain"   // the chain of these rows itself
)

// Results of a decision that are the same for many kinds.
const (
	AuditAllowed = "allowed"
	AuditRefused = "refused"
)

// AuditRow is one decision. It names things by their ids and holds no word of what
// a member wrote.
type AuditRow struct {
	Seq     int64 // place in the chain, from 1; zero until it is linked
	At      time.Time
	Kind    AuditKind
	Subject string // URI of the activity or object; of a policy, its key; @name of a member
	Peer    string // authority of the other server
	Zone    string // where the peer stood when it was decided, as Zone.String writes it
	Rule    string // what decided: an audience's label, "retraction", "zone", ...
	Key     string // id of the key that signed
	Result  string // AuditAllowed, AuditRefused, or what the kind calls it
	Cause   string // why it was refused, or the reason that was given
	By      string // the member who decided, or the command; "" for a rule
}

// AuditMark is a row whose hash somebody noted before, where whoever changes the
// database cannot change it too.
type AuditMark struct {
	Row  int64
	Hash string // in hexadecimal
}

// AuditStore keeps the audit rows. Nothing changes or removes one.
type AuditStore interface {
	// AppendAudit writes a decision in the transaction that acts on it. The row
	// waits until it is linked into the chain, which takes about a second. Texts
	// are cleaned as Clean does; a zero At means now.
	AppendAudit(ctx context.Context, r AuditRow) error
	// Audit lists linked rows by their place in the chain, newest first.
	Audit(ctx context.Context, p Page) ([]AuditRow, error)
	// Acts lists those alone that tell what somebody did with members, servers or rules.
	Acts(ctx context.Context, p Page) ([]AuditRow, error)
	// RefusedSends lists those alone that tell what was not sent because a rule forbade it.
	RefusedSends(ctx context.Context, p Page) ([]AuditRow, error)
}

// auditText is how many bytes of one text a row keeps.
const auditText = 500

// Clean makes the texts of a row fit for the store: valid UTF-8 without NUL, each
// cut at 500 bytes. What other servers call themselves and their activities is
// theirs to choose.
func (r AuditRow) Clean() AuditRow {
	for _, text := range r.texts() {
		*text = storable(*text)
	}
	return r
}

// storable is a text that others chose as both databases take it, cut at 500 bytes.
func storable(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD")
	if len(s) > auditText {
		end := auditText
		for !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	return s
}

// texts are the columns of a row in the order of its hash.
func (r *AuditRow) texts() []*string {
	return []*string{(*string)(&r.Kind), &r.Subject, &r.Peer, &r.Zone, &r.Rule, &r.Key, &r.Result, &r.Cause, &r.By}
}

// Hash links a row to its forerunner: SHA-256 over the forerunner's hash (none for
// the first), the place, the time in milliseconds, and each text after its length.
// So no row can be changed, moved, left out or put in without changing all later
// hashes.
func (r AuditRow) Hash(previous []byte) []byte {
	h := sha256.New()
	var number [8]byte
	put := func(n int64) {
		binary.BigEndian.PutUint64(number[:], uint64(n))
		_, _ = h.Write(number[:]) // a hash takes everything
	}
	put(int64(len(previous)))
	_, _ = h.Write(previous)
	put(r.Seq)
	put(r.At.UnixMilli())
	for _, text := range r.texts() {
		put(int64(len(*text)))
		_, _ = h.Write([]byte(*text))
	}
	return h.Sum(nil)
}
