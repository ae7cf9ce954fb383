package social

import (
	"slices"
	"strings"
	"time"

	"parley/media"
)

// PostKind is the shape of a post's content.
type PostKind string

const (
	PostNote    PostKind = "note"
	PostArticle PostKind = "article"
	PostPage    PostKind = "page"
	PostPoll    PostKind = "poll"
	PostEvent   PostKind = "event"
	PostMedia   PostKind = "media" // a video, audio or image published as such elsewhere
	PostBoost   PostKind = "boost" // BoostOfID says of what
)

// Post is what somebody published, or a boost of it.
type Post struct {
	ID       ID
	URI, URL string
	AuthorID ID
	Kind     PostKind

	Title     string // of articles, pages and events; plain text
	Content   string // safe HTML
	Source    string // what a member typed
	Summary   string // content warning, plain text
	Sensitive bool
	Language  string // BCP 47; "" unknown

	InReplyToID        ID
	InReplyToURI       string // kept when the parent is not known here
	InReplyToAccountID ID
	ThreadID           ID     // of the root post; its own for a root
	ContextURI         string // FEP-7888; "" none
	BoostOfID          ID
	QuoteOfID          ID
	QuoteOfURI         string

	Audience Audience
	Ceiling  Audience // zero: no further bound
	GroupID  ID       // of the group it stands in, also when everybody may read that; zero for none
	Via      string   // authority that vouched for it in its author's place; "" for all that came proved or from its origin

	Mentions    []Mention
	Tags        []string // folded, without #
	Emojis      []Emoji
	Attachments []Attachment
	Poll        *Poll

	Local       bool
	PublishedAt time.Time
	EditedAt    time.Time
	DeletedAt   time.Time
	ArrivedAt   time.Time
	Version     int // 1, and one more with each edit

	RepliesCount, BoostsCount, FavouritesCount int
	Question                                   bool // its author wants an answer
	// Counted says that this reply stands in its parent's RepliesCount; kept by the store.
	Counted bool
	// RepliesMissing is how many replies the origin of a remote post tells of, and nobody
	// here has: what only some here may see is not among them.
	RepliesMissing int

	Raw []byte // the origin's bytes of a remote object, so that unknown properties survive; written, not read along
}

// Deleted says that only the tombstone is left.
func (p *Post) Deleted() bool { return !p.DeletedAt.IsZero() }

// CountsFor says that a reply counts for what it answers: only when all who may see
// that may see the reply too, else the number would betray it.
func (p *Post) CountsFor(parent *Post) bool {
	return p.Audience.Everybody() || p.Audience == parent.Audience
}

// Told are the people of a post as everybody who sees it may know them.
func (p *Post) Told() []Mention {
	return slices.DeleteFunc(slices.Clone(p.Mentions), func(m Mention) bool { return m.Blind })
}

// MentionsAccount says whether an account is named in the post.
func (p *Post) MentionsAccount(id ID) bool {
	for _, m := range p.Mentions {
		if m.AccountID == id {
			return true
		}
	}
	return false
}

// Mention names an account in a post. Kept with the post, so a page of posts
// needs no further look-up.
type Mention struct {
	AccountID ID     `json:"id,string"`
	URI       string `json:"uri"`
	URL       string `json:"url"`
	Acct      string `json:"acct"` // as Account.Acct
	Authority string `json:"authority"`
	// Addressed says that the text does not name them: a program addressed the post to
	// them, and Blind that nobody else is told so (bto and bcc, ActivityPub 6.2).
	Addressed bool `json:"addressed,omitempty"`
	Blind     bool `json:"blind,omitempty"`
}

// Attachment is a file with a post: our own media (MediaID) or a remote address.
type Attachment struct {
	MediaID     ID      `json:"media_id,string,omitempty"`
	Kind        string  `json:"kind"` // image, video, gifv, audio, unknown
	MediaType   string  `json:"media_type"`
	Name        string  `json:"name,omitempty"` // file name of documents
	URL         string  `json:"url,omitempty"`  // remote
	Description string  `json:"description,omitempty"`
	Blurhash    string  `json:"blurhash,omitempty"`
	Width       int     `json:"width,omitempty"`
	Height      int     `json:"height,omitempty"`
	SmallWidth  int     `json:"small_width,omitempty"`
	SmallHeight int     `json:"small_height,omitempty"`
	FocusX      float64 `json:"focus_x,omitempty"`
	FocusY      float64 `json:"focus_y,omitempty"`
}

// Copied says that members see a file of another server through a copy of ours:
// pictures and documents. Films, sounds and pages stay links.
func (a Attachment) Copied() bool {
	if a.MediaID != 0 || !strings.HasPrefix(a.URL, "https://") && !strings.HasPrefix(a.URL, "http://") {
		return false
	}
	_, known := media.Extension(a.MediaType)
	return known || a.Kind == "image" && a.MediaType == ""
}

// Media is an uploaded file. Until a post takes it, only its owner sees it.
type Media struct {
	ID         ID
	AccountID  ID
	PostID     ID // zero until posted
	Attachment Attachment
	File       string // name in the blob store
	Small      string // name of the thumbnail; "" none
	Size       int64
	CreatedAt  time.Time
}

// RemoteMedia is our copy of a file of another server's post, made when somebody
// here first looked at it. The time of its ID says when.
type RemoteMedia struct {
	ID        ID
	PostID    ID
	URL       string
	Origin    string // authority of URL
	File      string // name in the blob store
	MediaType string
	Size      int64
}

// Poll of a post, keyed by the post's id.
type Poll struct {
	PostID    ID
	Options   []PollOption
	Multiple  bool
	ExpiresAt time.Time // zero: never
	ClosedAt  time.Time
	Voters    int
}

// Closed says that no more votes count at the moment now.
func (p *Poll) Closed(now time.Time) bool {
	return !p.ClosedAt.IsZero() || !p.ExpiresAt.IsZero() && now.After(p.ExpiresAt)
}

// Counts are the votes of each option, in their order.
func (p *Poll) Counts() []int {
	counts := make([]int, len(p.Options))
	for i, o := range p.Options {
		counts[i] = o.Votes
	}
	return counts
}

// known leaves out votes for options that an edit of the poll took away.
func (p *Poll) known(choices []int) []int {
	if p == nil {
		return nil
	}
	return slices.DeleteFunc(choices, func(c int) bool { return c < 0 || c >= len(p.Options) })
}

// PollOption with the votes counted so far.
type PollOption struct {
	Title string `json:"title"`
	Votes int    `json:"votes"`
}

// PostView is a post with all that one reader needs to see it.
type PostView struct {
	Post       *Post
	Author     *Account
	Group      *Account  // in which the post stands; nil for none
	Boost      *PostView // what is boosted
	Quote      *PostView // what is quoted, when the reader may see it
	Favourited bool
	Boosted    bool
	Bookmarked bool
	Kept       Kept // with the bookmark
	Pinned     bool
	Muted      bool // its thread
	Voted      bool
	OwnVotes   []int
	Filtered   []Filtered  // by filters of the reader's
	Place      FilterPlace // of the list that it was read for; "" for none
	// Clamped says that the author wanted a wider audience than the thread, or what
	// the app was granted, allows.
	Clamped bool
	// Under is the post below which it stands in a thread: what it answers or, where the
	// reader has not got that, what is above it next. Zero elsewhere.
	Under ID
	// Cursor is the place in the list it was read from; the post's id elsewhere.
	Cursor ID
}

// AudienceLabel is how the post's audience is written: of what stands in a group,
// "group:" and the group's handle.
func (v *PostView) AudienceLabel() string {
	if v.Group != nil {
		return v.Group.groupLabel()
	}
	return v.Post.Audience.Label()
}

// Draft is what a member wants to publish or to change a post into.
type Draft struct {
	Text           string
	Summary        string
	Sensitive      bool
	Question       *bool // nil: as it was, or none
	Language       string
	Audience       string // label; "" means the default, or the parent's in a reply
	Visibility     string // Mastodon's word, used when Audience is empty
	InReplyTo      ID
	QuoteOf        ID
	Named, Blind   []ID // people it is for beside those whom its text names; the others are not told of Blind
	MediaIDs       []ID
	Poll           *PollDraft
	IdempotencyKey string    // 1 hour per account
	At             time.Time // when to publish it; see Schedule
	UnsentID       ID        // what is kept of it on the server, and gone when it is published
}

// PollDraft is a poll to be published.
type PollDraft struct {
	Options   []string
	Multiple  bool
	ExpiresIn time.Duration
}

// NotificationKind uses the words of the Mastodon API.
type NotificationKind string

const (
	NotifyMention       NotificationKind = "mention"
	NotifyFavourite     NotificationKind = "favourite"
	NotifyReblog        NotificationKind = "reblog"
	NotifyFollow        NotificationKind = "follow"
	NotifyFollowRequest NotificationKind = "follow_request"
	NotifyPoll          NotificationKind = "poll"
	NotifyUpdate        NotificationKind = "update"
	NotifyReport        NotificationKind = "admin.report"
	NotifyUnsent        NotificationKind = "parley.unsent"        // an own post was not published when it was due
	NotifyReportClosed  NotificationKind = "parley.report_closed" // what one reported was dealt with
	NotifyReminder      NotificationKind = "parley.reminder"      // of a bookmark, at the time that its member chose
	NotifyJoinRequest   NotificationKind = "parley.group_request" // somebody asks to join a group, which it is from
)

// Notification tells a member of something somebody did.
type Notification struct {
	ID        ID
	AccountID ID // whom it is for
	Kind      NotificationKind
	FromID    ID
	PostID    ID // zero for follows
	CreatedAt time.Time
	ReadAt    time.Time
	Held      bool // by the member's policy
}

// NotificationView is a notification with what it speaks of.
type NotificationView struct {
	Notification *Notification
	From         *Account
	Post         *PostView // nil for follows
}

// Report is a complaint about an account and, where named, its posts.
type Report struct {
	ID        ID
	FromID    ID // zero: sent by another server in its own name
	FromPeer  string
	TargetID  ID
	PostIDs   []ID
	Comment   string
	Forward   bool
	CreatedAt time.Time
	ClosedAt  time.Time
}
