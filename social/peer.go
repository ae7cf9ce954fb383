package social

import "time"

// ZoneKind is the trust level of a peer.
type ZoneKind string

const (
	ZoneCompany ZoneKind = "company" // a sister
	ZonePartner ZoneKind = "partner" // a named business partner
	ZonePublic  ZoneKind = "public"  // the rest of the fediverse, admitted
	ZoneBlocked ZoneKind = "blocked" // nothing in, nothing out; covers subdomains
	ZoneUnknown ZoneKind = ""        // never decided; the federation mode says what that means
)

// Zone is where a peer stands. Name is set for partner only.
type Zone struct {
	Kind ZoneKind
	Name string
}

// String writes a zone as ParseZone reads it.
func (z Zone) String() string {
	if z.Kind == ZonePartner {
		return "partner:" + z.Name
	}
	return string(z.Kind)
}

// Widens says that whoever comes here from another zone may have what it could not
// have before.
func (z Zone) Widens(from Zone) bool {
	reach := map[ZoneKind]int{ZonePublic: 1, ZonePartner: 2, ZoneCompany: 3}
	return z != from && reach[z.Kind] > 0 && reach[z.Kind] >= reach[from.Kind]
}

// ParseZone reads "company", "partner:acme", "public" or "blocked".
func ParseZone(s string) (Zone, error) {
	switch ZoneKind(s) {
	case ZoneCompany, ZonePublic, ZoneBlocked:
		return Zone{Kind: ZoneKind(s)}, nil
	}
	if name, ok := cutPrefix(s, "partner:"); ok && validZoneName(name) {
		return Zone{Kind: ZonePartner, Name: name}, nil
	}
	return Zone{}, Errorf(Invalid, "unknown zone %q; use company, partner:<name>, public or blocked", s)
}

func cutPrefix(s, prefix string) (string, bool) {
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		return s[len(prefix):], true
	}
	return "", false
}

// validZoneName keeps names fit for URLs: a-z, 0-9 and inner hyphens, at most 40.
func validZoneName(s string) bool {
	if len(s) == 0 || len(s) > 40 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// Peer is another server, known by its authority (lower-case A-label or IP, with
// the port unless it is the scheme's default).
type Peer struct {
	Authority string
	Zone      Zone
	Reason    string    // why the zone was given
	Software  string    // from NodeInfo; "" unknown
	Dialect   string    // signature dialect learnt; "" unknown
	KnownAt   time.Time // first contact: no post of the peer is dated earlier than its account
	ZonedAt   time.Time // when the zone was given
	LastInAt  time.Time // last verified activity from there
	LastOutAt time.Time // last accepted delivery
	LastError string    // of the last failed delivery; "" after a success

	Pairing     PairingState // "" when it was never paired
	PairedUntil time.Time    // zero: no end is agreed
	VisibleFrom time.Time    // of a pairing: older posts for the company are not for it
}

// effective is the zone that counts now. Sisters, and partners that are paired, have
// none but "blocked" unless the pairing holds: their name alone proves nothing.
func (p Peer) effective(m FederationMode, now time.Time) Zone {
	z := m.Effective(p.Zone)
	holds := p.Pairing == PairingActive && (p.PairedUntil.IsZero() || now.Before(p.PairedUntil))
	if z.Kind == ZoneCompany && !holds || z.Kind == ZonePartner && !holds && (p.Pairing == PairingActive || p.Pairing == PairingParked) {
		return Zone{Kind: ZoneBlocked}
	}
	return z
}

// FederationMode says what an undecided peer means.
type FederationMode string

const (
	ModeAllowlist FederationMode = "allowlist" // refused; becomes a request to connect
	ModeOpen      FederationMode = "open"      // zone public
	ModeOff       FederationMode = "off"       // nobody
)

// Effective turns a stored zone into the one that counts: the mode decides for
// unknown peers, and mode off blocks all.
func (m FederationMode) Effective(z Zone) Zone {
	switch {
	case m == ModeOff:
		return Zone{Kind: ZoneBlocked}
	case z.Kind == ZoneUnknown && m == ModeOpen:
		return Zone{Kind: ZonePublic}
	case z.Kind == ZoneUnknown:
		return Zone{Kind: ZoneBlocked}
	}
	return z
}

// ConnectRequest is an unknown host that wanted in: one row a host, counted.
type ConnectRequest struct {
	Authority string
	Actor     string // who asked first
	Wanted    string // whom they wanted: a member's name, an address, or a path
	Since     time.Time
	LastAt    time.Time
	Count     int
}
