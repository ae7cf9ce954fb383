package social

import (
	"context"
	"slices"
	"strings"
	"time"

	"parley/text"
)

// PersonField is a part of a person's entry in the directory.
type PersonField string

const (
	FieldName       PersonField = "name"
	FieldDepartment PersonField = "department"
	FieldTitle      PersonField = "title"
	FieldManager    PersonField = "manager"
	FieldSkills     PersonField = "skills"
	FieldLanguages  PersonField = "languages"
	FieldLocation   PersonField = "location"
	FieldPronouns   PersonField = "pronouns"
	FieldPhoto      PersonField = "photo"
)

// PersonFields are all of them, in the order in which they are shown.
func PersonFields() []PersonField {
	return []PersonField{FieldName, FieldDepartment, FieldTitle, FieldManager, FieldSkills, FieldLanguages, FieldLocation, FieldPronouns, FieldPhoto}
}

// Person is an entry of the directory: a member here with all that is known, or
// somebody elsewhere as far as their server tells us. It is replaced whole.
type Person struct {
	ID        ID     // the account's for members, else of the row
	URI       string // of the account
	Peer      string // authority of the server that says so; "" for members here
	AccountID ID     // the account of that URI as known here; zero when nobody here has met it
	Version   int64  // of the entry; grows with each change, also over a restored backup
	Gone      bool   // left: nothing but the version counts
	SyncedAt  time.Time

	Username, Host string // of the handle; Host is "" for members here
	Name           string
	Department     string
	Title          string
	Manager        string // URI of an account; "" for none
	Skills         []string
	Languages      []string
	Location       string
	Pronouns       string
	Photo          string // address of a picture

	// Shown says for each field of a member how far it goes; see Reach. What is not
	// named goes as far as DefaultReach says.
	Shown map[PersonField]Reach
	// Imported says that a list of people keeps this member; LeftAt is when that
	// list left them out, which suspended them.
	Imported bool
	LeftAt   time.Time
}

// Acct is the handle as the Mastodon API writes it.
func (p *Person) Acct() string {
	if p.Host == "" {
		return p.Username
	}
	return p.Username + "@" + p.Host
}

// Reach says to which zones a field of a person goes, beside the members here.
type Reach string

const (
	ReachInstance Reach = "instance" // to nobody else
	ReachCompany  Reach = "company"  // to sisters
	ReachPartners Reach = "partners" // to sisters and all partners; "partner:<name>" is to one of them
)

// ParseReach reads "instance", "company", "partners" or "partner:<name>".
func ParseReach(s string) (Reach, error) {
	switch r := Reach(s); r {
	case ReachInstance, ReachCompany, ReachPartners:
		return r, nil
	}
	if name, ok := cutPrefix(s, "partner:"); ok && validZoneName(name) {
		return Reach(s), nil
	}
	return "", Errorf(Invalid, "unknown circle %.40q for a field; use instance, company, partners or partner:<name>", s)
}

// Includes says that a zone is within reach.
func (r Reach) Includes(z Zone) bool {
	switch z.Kind {
	case ZoneCompany:
		return r != ReachInstance
	case ZonePartner:
		return r == ReachPartners || r == Reach("partner:"+z.Name)
	}
	return false
}

// DefaultReach is how far a field goes where its person has not chosen: name,
// department and title to everybody we are paired with, the rest to nobody.
func DefaultReach(f PersonField) Reach {
	switch f {
	case FieldName, FieldDepartment, FieldTitle:
		return ReachPartners
	}
	return ReachInstance
}

// ReachOf is how far a field of a member goes, as far as the instance's policy lets it.
func (p *Person) ReachOf(f PersonField) Reach {
	if r, ok := p.Shown[f]; ok {
		return r
	}
	return DefaultReach(f)
}

// FieldPolicy says which fields the instance lets out into a zone.
type FieldPolicy func(f PersonField, z Zone) bool

// For is the whole person as a zone may see it. A field goes there when the person and
// the policy both let it. Whose name does not is gone there: nothing of them is shown.
func (p *Person) For(z Zone, allowed FieldPolicy) *Person {
	out := &Person{URI: p.URI, Version: p.Version, Username: p.Username, Host: p.Host}
	goes := func(f PersonField) bool { return allowed(f, z) && p.ReachOf(f).Includes(z) }
	if out.Gone = p.Gone || !goes(FieldName); out.Gone {
		return out
	}
	out.Name = p.Name
	for f, copied := range map[PersonField]func(){
		FieldDepartment: func() { out.Department = p.Department }, FieldTitle: func() { out.Title = p.Title },
		FieldManager: func() { out.Manager = p.Manager }, FieldLocation: func() { out.Location = p.Location },
		FieldPronouns: func() { out.Pronouns = p.Pronouns }, FieldPhoto: func() { out.Photo = p.Photo },
		FieldSkills: func() { out.Skills = p.Skills }, FieldLanguages: func() { out.Languages = p.Languages },
	} {
		if goes(f) {
			copied()
		}
	}
	return out
}

// Bounds of an entry: characters of a field, entries of a list, and characters of each.
const (
	personName     = 200
	personText     = 200
	personPronouns = 60
	personSkills   = 30
	personTongues  = 20
	personWord     = 60
	personAddress  = 1000 // bytes of an address
)

// clean takes out of a person what is no plain text, and what is too long.
func (p *Person) clean(plain func(s string, most int) string) {
	p.Name, p.Department, p.Title = plain(p.Name, personName), plain(p.Department, personText), plain(p.Title, personText)
	p.Location, p.Pronouns = plain(p.Location, personText), plain(p.Pronouns, personPronouns)
	p.Skills, p.Languages = cleanList(p.Skills, personSkills, plain), cleanList(p.Languages, personTongues, plain)
	p.Manager, p.Photo = webAddress(p.Manager), webAddress(p.Photo)
}

func cleanList(list []string, most int, plain func(string, int) string) []string {
	var out []string
	for _, s := range list {
		if s = plain(s, personWord); s != "" && !slices.Contains(out, s) && len(out) < most {
			out = append(out, s)
		}
	}
	return out
}

// webAddress lets http addresses through, and nothing else.
func webAddress(s string) string {
	if len(s) > personAddress || !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") || strings.ContainsAny(s, " \t\r\n\"<>\\") {
		return ""
	}
	return s
}

// Words are the folded words by which a person is found; none for who has left.
func (p *Person) Words() []string {
	if p.Gone {
		return nil
	}
	return text.Words(strings.Join(append([]string{p.Name, p.Username, p.Department, p.Title, p.Location}, p.Skills...), " "))
}

// text is what stands in a field that can be searched by itself; "" for the others.
func (p *Person) text(f PersonField) string {
	switch f {
	case FieldDepartment:
		return p.Department
	case FieldTitle:
		return p.Title
	case FieldLocation:
		return p.Location
	case FieldSkills:
		return strings.Join(p.Skills, " ")
	case FieldLanguages:
		return strings.Join(p.Languages, " ")
	}
	return ""
}

// PeopleQuery asks for people whose words begin with all of the given folded ones.
type PeopleQuery struct {
	Words []string
	Peers []string // only entries of these servers; "" is here
	Limit int
	Skip  int
}

// PersonStore keeps the directory: members here and the entries of other servers.
type PersonStore interface {
	// Person and PeopleByURI find entries by the account's URI, also of who is gone.
	Person(ctx context.Context, uri string) (*Person, error)
	PeopleByURI(ctx context.Context, uris []string) (map[string]*Person, error)
	// PersonByHandle compares name and host folded; who is there comes before who is gone.
	PersonByHandle(ctx context.Context, username, host string) (*Person, error)
	// PutPerson writes an entry in place of the one of that URI.
	PutPerson(ctx context.Context, p *Person) error
	// PeopleOf lists the entries of a server, "" for here, above an id, by id, also of who is gone.
	PeopleOf(ctx context.Context, peer string, above ID, limit int) ([]*Person, error)
	// CountPeople counts the entries of a server, also of who is gone.
	CountPeople(ctx context.Context, peer string) (int, error)
	// PeopleByPeer counts the entries of each server that has some, without who is gone;
	// "" is here.
	PeopleByPeer(ctx context.Context) (map[string]int, error)
	// PeoplePeers lists the servers that have entries.
	PeoplePeers(ctx context.Context) ([]string, error)
	// SearchPeople lists who is there by name.
	SearchPeople(ctx context.Context, q PeopleQuery) ([]*Person, error)
	// DropPeople forgets all entries of another server.
	DropPeople(ctx context.Context, peer string) error
	// RenewPeople raises the version of all members' entries to at least version.
	RenewPeople(ctx context.Context, version int64) error
	// MembersOffList lists members who are persons and have no entry.
	MembersOffList(ctx context.Context, limit int) ([]*Account, error)
}
