package social

import "time"

// AccountKind is what an account stands for.
type AccountKind string

const (
	KindPerson       AccountKind = "person"
	KindService      AccountKind = "service" // a bot
	KindGroup        AccountKind = "group"
	KindOrganization AccountKind = "organization"
	KindApplication  AccountKind = "application" // an instance actor
)

// Role of a member.
type Role string

const (
	RoleMember    Role = "member"    // reads and writes
	RoleModerator Role = "moderator" // also gets the reports
	RoleAdmin     Role = "admin"     // also gets the reports, and runs the instance
	// RoleCommunications is a member who speaks for the organisation: a policy can let
	// this role alone publish for everybody.
	RoleCommunications Role = "communications"
)

// Roles are all that a member can have.
func Roles() []Role { return []Role{RoleMember, RoleCommunications, RoleModerator, RoleAdmin} }

// Account is an actor: a member here or somebody elsewhere. What is zero is not stored,
// since every list takes many of them apart.
type Account struct {
	ID       ID          `json:",omitzero"`
	Kind     AccountKind `json:",omitzero"`
	Username string      `json:",omitzero"` // as shown; compared folded to lower case
	Host     string      `json:",omitzero"` // domain of the handle; "" for members here
	// Authority keys the peer: that of URI. Our own for members.
	Authority string `json:",omitzero"`

	DisplayName string  `json:",omitzero"` // plain text
	Note        string  `json:",omitzero"` // safe HTML
	NoteSource  string  `json:",omitzero"` // what a member typed
	Fields      []Field `json:",omitzero"` // name and safe HTML value
	Emojis      []Emoji `json:",omitzero"`
	AvatarID    ID      `json:",omitzero"` // local media; zero for none
	HeaderID    ID      `json:",omitzero"` // local media; zero for none
	AvatarURL   string  `json:",omitzero"` // remote
	Face        Face    `json:",omitzero"` // our copy of what is there
	HeaderURL   string  `json:",omitzero"` // remote
	Language    string  `json:",omitzero"` // of a member's interface and posts: de or en

	Locked       bool `json:",omitzero"` // follows wait for approval
	Discoverable bool `json:",omitzero"`
	Indexable    bool `json:",omitzero"`
	Bot          bool `json:",omitzero"`
	HideNetwork  bool `json:",omitzero"` // others see how many follow and are followed, not who

	Role            Role               `json:",omitzero"`
	Email           string             `json:",omitzero"`
	DefaultAudience string             `json:",omitzero"` // label; "" means the instance's default
	UndoSeconds     *int               `json:",omitzero"` // see UndoTime; nil if nothing was chosen
	Group           *Group             `json:",omitzero"` // of KindGroup only
	Welcome         Welcome            `json:",omitzero"` // of a member
	Notices         NoticePolicy       `json:",omitzero"`
	Unwanted        []NotificationKind `json:",omitempty"` // of which the member does not want to hear

	URI, URL                     string    `json:",omitzero"`
	InboxURI, SharedInboxURI     string    `json:",omitzero"`
	OutboxURI, FollowersURI      string    `json:",omitzero"`
	FollowingURI, FeaturedURI    string    `json:",omitzero"`
	MovedToURI                   string    `json:",omitzero"`
	MovedAt                      time.Time `json:",omitzero"`
	AlsoKnownAs                  []string  `json:",omitzero"`
	CreatedAt, FetchedAt         time.Time `json:",omitzero"`
	SuspendedAt, DeletedAt       time.Time `json:",omitzero"`
	ClosedAt                     time.Time `json:",omitzero"` // of a member who left: what they wrote stays
	PostsCount                   int       `json:",omitzero"` // what every member may see
	FollowersCount               int       `json:",omitzero"`
	FollowingCount               int       `json:",omitzero"`
	LastPostAt                   time.Time `json:",omitzero"`
	RemoteFollowers, RemotePosts int       `json:",omitzero"` // what a remote server claims; never mixed with ours
}

// Field is a line of a profile.
type Field struct {
	Name       string    `json:"name"`
	Value      string    `json:"value"`
	VerifiedAt time.Time `json:"verified_at,omitzero"`
}

// Emoji is a custom emoji of a post or name.
type Emoji struct {
	Shortcode string `json:"shortcode"` // without colons
	URL       string `json:"url"`
}

// Local says that the account is a member of this instance.
func (a *Account) Local() bool { return a.Host == "" }

// Active says that the account may act.
func (a *Account) Active() bool { return a.Shown() && a.ClosedAt.IsZero() }

// MayAct answers an error of a kind for an account that is not active.
func (a *Account) MayAct(k Kind) error {
	switch {
	case a.Active():
		return nil
	case !a.ClosedAt.IsZero() && a.Shown():
		return Errorf(k, "this account is closed")
	}
	return Errorf(k, "this account is suspended")
}

// Shown says that the account and what it wrote are in view.
func (a *Account) Shown() bool { return a.SuspendedAt.IsZero() && a.DeletedAt.IsZero() }

// Acct is the handle as the Mastodon API writes it: "alice" here, "bob@b.test" elsewhere.
func (a *Account) Acct() string {
	if a.Host == "" {
		return a.Username
	}
	return a.Username + "@" + a.Host
}

// Name is the display name, else the username.
func (a *Account) Name() string {
	if a.DisplayName != "" {
		return a.DisplayName
	}
	return a.Username
}

// DeliveryInbox is the shared inbox where there is one, else the personal one.
func (a *Account) DeliveryInbox() string {
	if a.SharedInboxURI != "" {
		return a.SharedInboxURI
	}
	return a.InboxURI
}

// Key is a signing key of an actor. Remote ones have no private part.
type Key struct {
	URI       string // e.g. https://a.test/users/1#main-key
	AccountID ID
	Kind      string // "rsa", "ed25519", or "x25519" (of the instance alone)
	Public    []byte // PKIX PEM
	Private   []byte // PKCS#8 PEM; nil for remote keys
	FetchedAt time.Time
	ExpiresAt time.Time // zero: none
}

// FollowState of a follow.
type FollowState string

const (
	FollowPending  FollowState = "pending"  // asked, not answered yet
	FollowAccepted FollowState = "accepted" // posts for followers reach the follower
)

// Follow is an edge between accounts, asked for or accepted.
type Follow struct {
	ID         ID
	FollowerID ID
	TargetID   ID
	State      FollowState
	URI        string // of the Follow activity
	ShowBoosts bool
	Notify     bool
	CreatedAt  time.Time
}

// Relationship is what a reader has with another account.
type Relationship struct {
	AccountID                                ID
	Following, FollowedBy, Requested         bool
	RequestedBy, Blocking, BlockedBy, Muting bool
	ShowBoosts, Notify                       bool
	DomainBlocking                           bool
	Regard
}
