package social

import (
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// adminErrorf is Errorf for those who run the instance: they read it in a terminal or
// from the admin API, in English and in the words of the code.
func adminErrorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Public: fmt.Sprintf(format, args...)}
}

// Times of codes and keys.
const (
	codeLife    = 7 * 24 * time.Hour  // of a code, where nothing else is said
	longestCode = 90 * 24 * time.Hour // of any code
	// KeyOverlap is how long a key and the one before it are good beside each other.
	KeyOverlap = 7 * 24 * time.Hour
)

// Data classes that may flow to a paired instance.
const (
	DataPosts     = "posts"
	DataDirectory = "directory" // with a field: directory.name
)

// dataClasses that flow where nothing else is said: sisters share everything that a
// member shows them, partners only name, unit and title of people.
func dataClasses(z Zone) []string {
	if z.Kind == ZoneCompany {
		return []string{DataPosts, DataDirectory}
	}
	return []string{DataPosts, DataDirectory + ".name", DataDirectory + ".department", DataDirectory + ".title"}
}

func checkDataClasses(list []string) error {
	for _, c := range list {
		class, field, _ := strings.Cut(c, ".")
		if !slices.Contains([]string{DataPosts, DataDirectory}, class) || field != "" && class != DataDirectory || len(c) > 60 {
			return adminErrorf(Invalid, "unknown data class %.60q; use posts, directory or directory.<field>", c)
		}
	}
	return nil
}

// Terms are what one side of a pairing says of itself, in a statement that it signed.
type Terms struct {
	Authority    string
	Name         string // of the organisation
	Zone         Zone   // where it puts the other
	DataClasses  []string
	Capabilities []string // FEP-844e
	SigningKey   []byte   // raw Ed25519
	SealingKey   []byte   // raw X25519
	Created      time.Time
	Expires      time.Time // zero: never
}

// InviteRequest asks for a code.
type InviteRequest struct {
	Host        string // the authority that is to accept
	Zone        Zone   // where it will stand here; company when empty
	For         time.Duration
	Until       time.Time // when the pairing ends by itself; zero: never
	DataClasses []string  // that flow to a partner; nil: the default
	By          string
}

// Raw is the 32 bytes of a public Ed25519 or X25519 key.
func (k Key) Raw() ([]byte, error) {
	block, _ := pem.Decode(k.Public)
	if block == nil {
		return nil, fmt.Errorf("the key %s is not PEM", k.URI)
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	switch public := public.(type) {
	case ed25519.PublicKey:
		return public, nil
	case *ecdh.PublicKey:
		return public.Bytes(), nil
	}
	return nil, errors.Join(err, fmt.Errorf("the key %s is neither Ed25519 nor X25519", k.URI))
}

// OwnTerms are ours: the name and the keys of the instance as they are now.
func (s *Service) OwnTerms(ctx context.Context, tx Tx) (Terms, error) {
	t := Terms{Authority: s.home, Created: s.Now()}
	name, err := tx.Setting(ctx, "organisation.name")
	if err != nil {
		return t, err
	}
	if t.Name = name; name == "" {
		t.Name = s.Links.Domain
	}
	for uri, to := range map[string]*[]byte{s.Links.EdKey(s.Links.InstanceActor()): &t.SigningKey, s.Links.SealingKey(): &t.SealingKey} {
		k, err := tx.KeyByURI(ctx, uri)
		if err != nil {
			return t, err
		}
		if *to, err = k.Raw(); err != nil {
			return t, err
		}
	}
	return t, nil
}

// Invite makes the code with which another instance joins. A newer code for the same
// host makes older ones void.
func (s *Service) Invite(ctx context.Context, r InviteRequest) (Code, error) {
	if r.Zone.Kind == ZoneUnknown {
		r.Zone.Kind = ZoneCompany
	}
	if r.For == 0 {
		r.For = codeLife
	}
	switch {
	case s.Mode == ModeOff:
		return Code{}, adminErrorf(Conflict, "federation is off here (federation.mode); nobody can join")
	case r.For < time.Minute || r.For > longestCode:
		return Code{}, adminErrorf(Invalid, "a code is good for a minute to 90 days")
	case !r.Until.IsZero() && !r.Until.After(s.Now()):
		return Code{}, adminErrorf(Invalid, "the pairing would have ended before it began")
	}
	if err := checkDataClasses(r.DataClasses); err != nil {
		return Code{}, err
	}
	if len(r.DataClasses) == 0 {
		r.DataClasses = dataClasses(r.Zone)
	}
	var code Code
	err := s.Store.Tx(ctx, func(tx Tx) error {
		if err := s.MayPair(ctx, tx, r.Host, r.Zone); err != nil {
			return err
		}
		if err := s.mayInvite(ctx, tx, r.Zone); err != nil {
			return err
		}
		own, err := s.OwnTerms(ctx, tx)
		if err != nil {
			return err
		}
		if code, err = newCode(s.home, r.Zone, own.SigningKey, s.Now().Add(r.For)); err != nil {
			return err
		}
		if err := tx.DropInvitations(ctx, r.Host, s.Now()); err != nil {
			return err
		}
		if err := tx.PutInvitation(ctx, Invitation{ID: code.InvitationID(), Authority: r.Host, Zone: r.Zone, DataClasses: r.DataClasses,
			MACKey: code.MACKey(), ExpiresAt: code.ExpiresAt, Until: r.Until, By: r.By}); err != nil {
			return err
		}
		return s.auditPairing(ctx, tx, AuditRow{Peer: r.Host, Zone: r.Zone.String(), Subject: code.InvitationID(), Rule: "code", Result: "invited", By: r.By})
	})
	return code, err
}

// OpenInvitations lists the codes that somebody can still answer.
func (s *Service) OpenInvitations(ctx context.Context) (open []Invitation, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		open, err = tx.OpenInvitations(ctx, s.Now())
		return err
	})
	return open, err
}

// Revoke makes a code useless that nobody has answered yet. What was agreed by one that
// was answered is ended in another way: it has been told to others.
func (s *Service) Revoke(ctx context.Context, id, by string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		i, err := tx.Invitation(ctx, id)
		if err != nil {
			return err
		}
		if !i.UsedAt.IsZero() || !s.Now().Before(i.ExpiresAt) {
			return NotFoundError()
		}
		if err := tx.DropInvitations(ctx, i.Authority, s.Now()); err != nil {
			return err
		}
		return s.auditPairing(ctx, tx, AuditRow{Peer: i.Authority, Zone: i.Zone.String(), Subject: i.ID, Rule: "code", Result: "revoked", By: by})
	})
}

func (s *Service) auditPairing(ctx context.Context, tx Tx, r AuditRow) error {
	r.At, r.Kind = s.Now(), AuditPairing
	return tx.AppendAudit(ctx, r)
}

// MayPair refuses a pairing that would put a host into two zones, or that no code can
// bring about.
func (s *Service) MayPair(ctx context.Context, tx Tx, host string, z Zone) error {
	if host == s.home {
		return adminErrorf(Invalid, "%s is this instance itself", host)
	}
	if z.Kind != ZoneCompany && z.Kind != ZonePartner {
		return adminErrorf(Invalid, "a code is for the zone company or partner:<name>, not %q", z)
	}
	p, err := tx.Peer(ctx, host)
	if err != nil {
		return err
	}
	switch {
	case p.Zone.Kind == ZoneBlocked:
		return adminErrorf(Conflict, "%s is blocked here (%s); lift that first: parley peer remove HOST, or of the domain above it", host, p.Reason)
	case p.Zone == z, p.Zone.Kind == ZoneUnknown, p.Zone.Kind == ZonePublic, p.Pairing == PairingLeft:
		return nil
	}
	return adminErrorf(Conflict, "%s stands in the zone %s already, and a server has one zone; end that first: parley peer remove %s", host, p.Zone, host)
}

// paired is what both sides do when they agree: the zone, the pinned keys, and since
// when what is written is for the other. Who was paired before and only lost its keys
// goes on where it was. by is who made or took the code, "" for the roster.
func (s *Service) paired(ctx context.Context, tx Tx, p Pairing, by string) error {
	was, err := tx.Pairing(ctx, p.Authority)
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return err
	case was.State != PairingLeft && was.Zone == p.Zone:
		p.Since, p.HistoryFrom = was.Since, was.HistoryFrom
	}
	before, err := s.ZoneIn(ctx, tx, p.Authority)
	if err != nil {
		return err
	}
	if before.Kind == ZonePartner && was.State != PairingActive {
		before = Zone{} // not paired, it was told of nobody
	}
	p.State = PairingActive
	if err := tx.SetZone(ctx, p.Authority, p.Zone, "paired", s.Now()); err != nil {
		return err
	}
	if err := tx.TouchPeer(ctx, PeerTouch{Authority: p.Authority, SharedInbox: s.Links.Of(p.Authority).SharedInbox(), Software: "parley"}); err != nil {
		return err
	}
	if err := tx.PutPairing(ctx, p); err != nil {
		return err
	}
	if err := s.putVeto(ctx, tx, p.Authority, false); err != nil {
		return err
	}
	if err := s.moveDirectory(ctx, tx, p.Authority, before); err != nil {
		return err
	}
	rule := "roster"
	if p.Invitation != "" {
		rule = "code"
	}
	return s.auditPairing(ctx, tx, AuditRow{Peer: p.Authority, Zone: p.Zone.String(), Subject: p.Invitation, Rule: rule,
		Key: base64.RawURLEncoding.EncodeToString(Fingerprint(p.SigningKey)), Result: string(PairingActive), By: by})
}

// Answer is the inviter's side: theirs is the verified statement of whoever has the
// code. It answers what ours says; asked again with the same keys, the same.
func (s *Service) Answer(ctx context.Context, id string, theirs Terms) (own Terms, err error) {
	err = s.Store.Tx(ctx, func(tx Tx) error {
		i, err := tx.Invitation(ctx, id)
		if err != nil {
			return err
		}
		keys := slices.Concat(theirs.SigningKey, theirs.SealingKey)
		if !i.usable(theirs.Authority, keys, s.Now()) || i.Zone.Kind != theirs.Zone.Kind {
			return NotFoundError()
		}
		if own, err = s.OwnTerms(ctx, tx); err != nil {
			return err
		}
		own.Zone, own.DataClasses, own.Expires = i.Zone, i.DataClasses, i.Until
		was, err := tx.Pairing(ctx, theirs.Authority)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if !i.UsedAt.IsZero() {
			if was.Invitation != i.ID || was.State != PairingActive {
				return NotFoundError() // it ended since
			}
			return nil
		}
		if err := s.MayPair(ctx, tx, theirs.Authority, i.Zone); err != nil {
			return err
		}
		if err := s.mayInvite(ctx, tx, i.Zone); err != nil {
			return err
		}
		i.UsedAt, i.UsedBy = s.Now(), keys
		if err := tx.PutInvitation(ctx, i); err != nil {
			return err
		}
		p := Pairing{Authority: theirs.Authority, Zone: i.Zone, Name: theirs.Name, SigningKey: theirs.SigningKey, SealingKey: theirs.SealingKey, OwnKey: own.SigningKey,
			DataClasses: i.DataClasses, Capabilities: theirs.Capabilities, Since: s.Now().Truncate(time.Millisecond), ExpiresAt: earlier(i.Until, theirs.Expires), Invitation: i.ID}
		if i.Zone.Kind == ZoneCompany {
			p.Keeper = s.home
		}
		if err := s.paired(ctx, tx, p, i.By); err != nil || i.Zone.Kind != ZoneCompany {
			return err
		}
		return s.keep(ctx, tx, own, theirs.Authority)
	})
	return own, err
}

// earlier is the first of two ends; zero is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// OfferTerms are what an accepter says to the one whose code it has, after it looked
// whether the two can be paired.
func (s *Service) OfferTerms(ctx context.Context, c Code, z Zone, data []string) (own Terms, err error) {
	if err := checkDataClasses(data); err != nil {
		return own, err
	}
	if z.Kind != c.Zone.Kind {
		return own, adminErrorf(Conflict, "the code is for the zone %s, not %s", c.Zone, z)
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		if err := s.mayAccept(ctx, tx, c, z); err != nil {
			return err
		}
		if own, err = s.OwnTerms(ctx, tx); err != nil {
			return err
		}
		own.Zone, own.DataClasses = z, data
		if len(data) == 0 {
			own.DataClasses = dataClasses(z)
		}
		return nil
	})
	return own, err
}

func (s *Service) mayAccept(ctx context.Context, tx Tx, c Code, z Zone) error {
	if err := s.MayPair(ctx, tx, c.Authority, z); err != nil || z.Kind != ZoneCompany {
		return err
	}
	keeper, err := s.keeper(ctx, tx)
	if err == nil && keeper != "" && keeper != c.Authority {
		err = adminErrorf(Conflict, "this instance is in the roster that %s keeps, and can be in one only; leave it first: parley peer leave", keeper)
	}
	return err
}

// Agree is the accepter's side, when the inviter has answered; by is who took the code.
func (s *Service) Agree(ctx context.Context, c Code, own, theirs Terms, by string) (p Pairing, err error) {
	err = s.Store.Tx(ctx, func(tx Tx) error {
		if err := s.mayAccept(ctx, tx, c, own.Zone); err != nil {
			return err
		}
		p = Pairing{Authority: theirs.Authority, Zone: own.Zone, Name: theirs.Name, SigningKey: theirs.SigningKey, SealingKey: theirs.SealingKey, OwnKey: own.SigningKey,
			DataClasses: own.DataClasses, Capabilities: theirs.Capabilities, Since: s.Now().Truncate(time.Millisecond), ExpiresAt: theirs.Expires, Invitation: c.InvitationID()}
		if own.Zone.Kind == ZoneCompany {
			p.Keeper = theirs.Authority
		}
		if err := s.paired(ctx, tx, p, by); err != nil {
			return err
		}
		p, err = tx.Pairing(ctx, p.Authority)
		return err
	})
	return p, err
}

// Accept answers a code: this instance and the one that made it are paired afterwards.
// z is the zone of the inviter here; empty means the one that the code offers. by is who
// took the code.
func (s *Service) Accept(ctx context.Context, text string, z Zone, data []string, by string) (Pairing, error) {
	c, err := s.ReadCode(text)
	if err != nil {
		return Pairing{}, err
	}
	if z.Kind == ZoneUnknown {
		z = c.Zone
	}
	return s.Remote.Accept(ctx, c, z, data, by)
}

// ReadCode reads a code that this instance can accept now.
func (s *Service) ReadCode(text string) (Code, error) {
	c, err := ParseCode(text)
	switch {
	case err != nil:
	case s.Mode == ModeOff:
		err = adminErrorf(Conflict, "federation is off here (federation.mode); nobody can be joined")
	case c.Authority == s.home:
		err = adminErrorf(Invalid, "this code was made here; it is for another instance to accept")
	case !s.Now().Before(c.ExpiresAt):
		err = adminErrorf(Invalid, "the code ran out at %s; ask %.100s for a new one", c.ExpiresAt.Format(time.RFC3339), c.Authority)
	}
	return c, err
}

// OwnFingerprint is that of our key, as people compare it.
func (s *Service) OwnFingerprint(ctx context.Context) (text string, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		own, err := s.OwnTerms(ctx, tx)
		text = ShowFingerprint(own.SigningKey)
		return err
	})
	return text, err
}

// Pairings lists all pairings, those that ended too.
func (s *Service) Pairings(ctx context.Context) (list []Pairing, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		list, err = tx.Pairings(ctx)
		return err
	})
	return list, err
}
