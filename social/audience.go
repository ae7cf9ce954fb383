package social

import (
	"strings"
	"time"
)

// AudienceKind is one of the eight audiences of a post.
type AudienceKind string

const (
	AudienceDirect    AudienceKind = "direct"    // the people mentioned
	AudienceFollowers AudienceKind = "followers" // accepted followers, and the people mentioned
	AudienceGroup     AudienceKind = "group"     // members of the group named
	AudienceInstance  AudienceKind = "instance"  // members of this instance
	AudienceCompany   AudienceKind = "company"   // members of all paired sisters
	AudiencePartner   AudienceKind = "partner"   // the company and the peers of the zone named
	AudienceUnlisted  AudienceKind = "unlisted"  // everybody, quietly
	AudiencePublic    AudienceKind = "public"    // everybody
)

// Audience says who may see a post. It has no rank: two audiences can only be
// intersected, by asking both.
type Audience struct {
	Kind AudienceKind
	// Name tells audiences of one kind apart: the zone's name for partner; the
	// URI of the actor whose followers, of the post whose people or of the group
	// whose members are meant for followers, direct and group.
	Name string
	// Owner is the authority that alone decides the members.
	Owner string
}

// IsZero says that no audience is set, which in a ceiling means "no further bound".
func (a Audience) IsZero() bool { return a.Kind == "" }

// Everybody says that the audience is not bounded to known people.
func (a Audience) Everybody() bool {
	return a.Kind == AudiencePublic || a.Kind == AudienceUnlisted
}

// Counted says that a post counts in its author's profile: only when every member here
// may see it, else the number would betray it.
func (a Audience) Counted() bool {
	switch a.Kind {
	case AudienceInstance, AudienceCompany, AudiencePartner, AudienceUnlisted, AudiencePublic:
		return true
	}
	return false
}

// Label is the form people and apps write: "company", "partner:acme".
func (a Audience) Label() string {
	if a.Kind == AudiencePartner || a.Kind == AudienceGroup {
		return string(a.Kind) + ":" + a.Name
	}
	return string(a.Kind)
}

// Visibility is the value of the Mastodon API, a closed set of four.
func (a Audience) Visibility() string {
	switch a.Kind {
	case AudiencePublic, AudienceUnlisted, AudienceDirect:
		return string(a.Kind)
	}
	return "private"
}

// ParseAudience reads a label. The owner is the instance that publishes.
func ParseAudience(label, owner string) (Audience, error) {
	kind, name, named := strings.Cut(strings.TrimSpace(label), ":")
	a := Audience{Kind: AudienceKind(kind), Name: name, Owner: owner}
	switch a.Kind {
	case AudienceDirect, AudienceFollowers, AudienceInstance, AudienceCompany, AudienceUnlisted, AudiencePublic:
		if !named {
			return a, nil
		}
	case AudiencePartner:
		if validZoneName(name) {
			return a, nil
		}
	case AudienceGroup: // by its handle; whoever stores it puts the group's URI in its place
		if validGroupName(name) {
			return a, nil
		}
	}
	return Audience{}, Errorf(Invalid, "unknown audience %.40q; use direct, followers, instance, company, partner:<name>, unlisted or public", label)
}

// Facts are what the audience function must know of a reader and a post,
// looked up by the caller in one batch.
type Facts struct {
	Author    bool      // the reader wrote the post
	Mentioned bool      // the post names the reader (for a peer: somebody there)
	Follows   bool      // the reader is an accepted follower of the audience's actor (for a peer: somebody there)
	Member    bool      // the reader is a member of the audience's group
	Named     bool      // the reader is one of the people of the post the audience names
	At        time.Time // when the post was published; zero: it is about no post
}

// Admits is the one function that answers "may this reader see this". Reading,
// listing, counting, searching, streaming, notifying, exporting, serving media
// and sending all ask it, through MaySee.
func (a Audience) Admits(r Reader, f Facts) bool {
	if r.Zone.Kind == ZoneBlocked {
		return false
	}
	if a.bounded() && r.speaksFor(a.Owner) {
		return true
	}
	switch a.Kind {
	case AudiencePublic, AudienceUnlisted:
		return true
	case AudienceDirect:
		return r.Known() && (f.Author || f.Mentioned || f.Named)
	case AudienceFollowers:
		return r.Known() && (f.Author || f.Mentioned || f.Follows)
	case AudienceGroup:
		return r.Known() && (f.Author || f.Member)
	case AudienceInstance:
		return r.Local() || f.Author
	case AudienceCompany:
		return r.Local() || f.Author || r.inZone(a, f, ZoneCompany, "")
	case AudiencePartner:
		return r.Local() || f.Author || r.inZone(a, f, ZoneCompany, "") || r.inZone(a, f, ZonePartner, a.Name)
	}
	return false
}

// Between says that the audience concerns nobody but a post's author and one other
// server: members are decided by one of them, or named by the author. What belongs to a
// third server is that one's to tell.
func (a Audience) Between(author, other string) bool {
	return !a.bounded() || a.Owner == author || a.Owner == other
}

// bounded says that an owner keeps the list of members.
func (a Audience) bounded() bool {
	switch a.Kind {
	case AudienceFollowers, AudienceGroup, AudienceCompany, AudiencePartner:
		return true
	}
	return false
}

// speaksFor says that the reader is the other instance as a whole, which owns the
// audience: what is written for its members goes to it, and it distributes.
func (r Reader) speaksFor(owner string) bool {
	return r.Peer != "" && r.Peer == owner && r.Peer != r.Home &&
		(r.Account == nil || r.Account.Kind == KindApplication)
}

// inZone lets a remote reader in by its zone, but only into audiences that this
// instance owns: a foreign owner distributes to its own members itself. What was
// written before the other joined is not for it.
func (r Reader) inZone(a Audience, f Facts, kind ZoneKind, name string) bool {
	return r.Peer != "" && a.Owner == r.Home && r.Zone.Kind == kind && r.Zone.Name == name && (f.At.IsZero() || !f.At.Before(r.From))
}

// MayReturn says that a server which lost a post, and not by its deletion, can get it
// again: zones, memberships and follows decide that, and they change. What was narrowed
// to the members here or to the people named never comes back.
func (p *Post) MayReturn() bool {
	return !p.Deleted() && p.Audience.Kind != AudienceInstance && p.Audience.Kind != AudienceDirect
}

// MaySee decides on a post: the reader needs both its audience and its ceiling.
func (p *Post) MaySee(r Reader, audience, ceiling Facts) bool {
	if p.Deleted() && !r.System {
		return false
	}
	if !p.Audience.Admits(r, audience) {
		return false
	}
	return p.Ceiling.IsZero() || p.Ceiling.Admits(r, ceiling)
}

// Reader is who asks: nobody, a member here, an actor of another instance, or a
// whole peer.
type Reader struct {
	Account *Account    // who asks; nil for nobody and for a whole peer
	Peer    string      // authority of the instance that asks; "" for nobody and for members
	Zone    Zone        // of that peer, read from the database for this question
	Home    string      // our own authority
	Grant   string      // label of the widest audience that the app of a member may publish to, or GrantOnly; "" for any
	From    time.Time   // of a paired peer: posts for its zone that are older are not for it
	Place   FilterPlace // where a member reads: what their filters hide there is left out
	System  bool        // a job of our own that needs tombstones too; never set by an edge
}

// AsHad is the reader as regards what it has already: what a server got before it
// joined stays true there.
func (r Reader) AsHad() Reader {
	r.From = time.Time{}
	return r
}

// Nobody is a signed-out visitor.
func Nobody(home string) Reader { return Reader{Home: home} }

// Member is a signed-in person of this instance.
func Member(a *Account, home string) Reader { return Reader{Account: a, Home: home} }

// Local says that the reader is a member of this instance.
func (r Reader) Local() bool { return r.Account != nil && r.Account.Local() && r.Peer == "" }

// Known says that the reader is a person or a peer, not nobody.
func (r Reader) Known() bool { return r.Account != nil || r.Peer != "" }

// AccountID is zero for nobody and for a whole peer.
func (r Reader) AccountID() ID {
	if r.Account == nil {
		return 0
	}
	return r.Account.ID
}
