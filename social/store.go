package social

import (
	"context"
	"time"

	"parley/queue"
)

// Store keeps everything. SQLite and PostgreSQL stand behind it.
type Store interface {
	// Tx runs fn in one read-write transaction. Inside there is no network,
	// password hashing or image work and no further Tx. fn may run more than
	// once; effects outside the database only by tx.AfterCommit.
	Tx(ctx context.Context, fn func(tx Tx) error) error
	// View runs fn on a consistent snapshot, without blocking writers. Writing
	// methods of its tx fail.
	View(ctx context.Context, fn func(tx Tx) error) error
}

// Tx is one transaction. Look-ups of one thing answer a NotFound error when it
// is missing; look-ups of many leave the missing out. Inserts set missing IDs.
type Tx interface {
	AccountStore
	PostStore
	TimelineStore
	FollowStore
	NotificationStore
	NoticePolicyStore
	PushStore
	PeerStore
	PairingStore
	OutboxStore
	CatchUpStore
	CollectionStore
	GroupStore
	PersonStore
	UnsentStore
	ListStore
	FilterStore
	RegardStore
	ConversationStore
	ReadingStore
	SearchStore
	SettingStore
	AuditStore
	queue.Adder

	// AfterCommit runs fn once, after the commit succeeded.
	AfterCommit(fn func())
}

// AccountStore keeps members and remote actors.
type AccountStore interface {
	Account(ctx context.Context, id ID) (*Account, error)
	Accounts(ctx context.Context, ids []ID) (map[ID]*Account, error)
	// AccountByName compares the username and host folded; host "" is here.
	AccountByName(ctx context.Context, username, host string) (*Account, error)
	AccountByURI(ctx context.Context, uri string) (*Account, error)
	AccountsByURI(ctx context.Context, uris []string) (map[string]*Account, error)
	AccountByEmail(ctx context.Context, email string) (*Account, error)
	// SearchAccounts matches the beginning of usernames and of words of display
	// names, folded; local ones first. Suspended and deleted ones are left out.
	SearchAccounts(ctx context.Context, q AccountQuery) ([]*Account, error)
	// LocalAccounts lists members whose name, display name or mail address holds a text,
	// folded; "" lists all.
	LocalAccounts(ctx context.Context, text string, p Page) ([]*Account, error)
	// Staff lists the members who get reports.
	Staff(ctx context.Context) ([]*Account, error)
	CountLocalAccounts(ctx context.Context) (members, posts int, err error)
	// InsertAccount fails with a Conflict when the name (also of a deleted one) or URI is taken.
	InsertAccount(ctx context.Context, a *Account) error
	// UpdateAccount writes everything but the counts.
	UpdateAccount(ctx context.Context, a *Account) error

	PutKey(ctx context.Context, k Key) error
	DeleteKey(ctx context.Context, uri string) error
	KeyByURI(ctx context.Context, uri string) (Key, error)
	KeysOf(ctx context.Context, account ID) ([]Key, error)
	// TakeFetchToken records an attempt to fetch a URL and says whether it may
	// go ahead: at most once in every, kept in a table of bounded size.
	TakeFetchToken(ctx context.Context, url string, now time.Time, every time.Duration) (bool, error)
}

// PostFilter narrows a list of posts.
type PostFilter struct {
	OnlyMedia      bool
	ExcludeReplies bool
	ExcludeBoosts  bool
	Pinned         bool
	Everybody      bool         // only what everybody may see
	Audience       AudienceKind // only posts to this one; "" for any
	Tag            string
}

// PostStore keeps posts, polls, votes, favourites, boosts, bookmarks and media.
// It does not decide who may see them: callers ask MaySee.
type PostStore interface {
	// Post and Posts return tombstones too. Posts come with poll, mentions, tags,
	// emojis and attachments in a bounded number of queries.
	Post(ctx context.Context, id ID) (*Post, error)
	Posts(ctx context.Context, ids []ID) (map[ID]*Post, error)
	PostByURI(ctx context.Context, uri string) (*Post, error)
	// RawPost gives the origin's bytes of a remote post, which no other method loads.
	RawPost(ctx context.Context, id ID) ([]byte, error)
	PostsByURI(ctx context.Context, uris []string) (map[string]*Post, error)
	// PostsBy lists posts of an author by post id, without tombstones.
	PostsBy(ctx context.Context, author ID, p Page, f PostFilter) ([]*Post, error)
	// PublicPosts lists posts for the public timelines: no replies, no boosts, audiences
	// public, company, partner and instance; local: authored here, remote: elsewhere.
	PublicPosts(ctx context.Context, p Page, local, remote bool, f PostFilter) ([]*Post, error)
	// TaggedPosts lists posts with hashtags by post id, without tombstones.
	TaggedPosts(ctx context.Context, p Page) ([]*Post, error)
	// Replies lists direct replies, oldest first.
	Replies(ctx context.Context, parent ID, p Page) ([]*Post, error)
	// QuotesOf lists the posts that quote one, by post id, without tombstones.
	QuotesOf(ctx context.Context, post ID, p Page) ([]*Post, error)
	// Thread lists all posts of a thread, oldest first, at most limit.
	Thread(ctx context.Context, thread ID, limit int) ([]*Post, error)
	// InsertPost fails with a Conflict when the URI is known. It counts up the
	// author's posts and the parent's replies (or boosts) and indexes tags and mentions.
	InsertPost(ctx context.Context, p *Post) error
	// UpdatePost writes content, attachments, poll options, audience, EditedAt
	// and Version, and keeps the former state in post_version.
	UpdatePost(ctx context.Context, p *Post) error
	// PostVersions lists former states, oldest first.
	PostVersions(ctx context.Context, id ID) ([]*Post, error)
	// DeletePost leaves a tombstone: audience, ceiling, author, URI, times and, unless
	// everybody could read it, the accounts it named and answered.
	// It takes back counts, boosts of it, timeline and notification rows,
	// favourites, bookmarks and the index, and says which media files are now free.
	DeletePost(ctx context.Context, id ID, at time.Time) (files []string, err error)
	// ForgetPost removes the tombstone of a remote post, as if it had never been here;
	// what answers it waits for it again.
	ForgetPost(ctx context.Context, id ID) error
	// ResolveReplies hangs posts that were waiting for this URI under their parent.
	ResolveReplies(ctx context.Context, uri string, parent *Post) error
	// BoostOf finds an account's boost of a post.
	BoostOf(ctx context.Context, account, post ID) (*Post, error)
	// BoostersOf and FavouritersOf list accounts, newest first (second result: cursors).
	BoostersOf(ctx context.Context, post ID, p Page) ([]*Account, []ID, error)
	FavouritersOf(ctx context.Context, post ID, p Page) ([]*Account, []ID, error)

	// SetFavourite and SetBookmark say whether something changed. uri is the
	// activity's for favourites.
	SetFavourite(ctx context.Context, account, post ID, uri string, on bool, at time.Time) (bool, error)
	FavouriteByURI(ctx context.Context, uri string) (account, post ID, err error)
	// FavouriteURI is the activity of a like; ErrNotFound if there is none.
	FavouriteURI(ctx context.Context, account, post ID) (string, error)
	SetBookmark(ctx context.Context, account, post ID, on bool, at time.Time) (bool, error)
	// SetKept writes what is kept with a bookmark that there is.
	SetKept(ctx context.Context, account, post ID, k Kept) error
	// BookmarkFolders lists an account's by name.
	BookmarkFolders(ctx context.Context, account ID) ([]Folder, error)
	// RenameFolder answers how many bookmarks were in it.
	RenameFolder(ctx context.Context, account ID, from, to string) (int64, error)
	// TakeReminders ends those that are due the longest, and answers them in any order; nobody
	// else is given the same ones.
	TakeReminders(ctx context.Context, now time.Time, limit int) ([]Reminded, error)
	SetPin(ctx context.Context, account, post ID, on bool, at time.Time) (bool, error)
	// PinnedBy lists what an account or a group shows on top, newest first.
	PinnedBy(ctx context.Context, account ID, limit int) ([]*Post, error)
	// Marks tells which of the posts an account has favourited, boosted, bookmarked, pinned,
	// and of which it hears nothing more.
	Marks(ctx context.Context, account ID, posts []ID) (map[ID]Marks, error)
	// Favourites and Bookmarks list by the mark's own id (second result: cursors); bookmarks
	// those of one folder unless it is "".
	Favourites(ctx context.Context, account ID, p Page) ([]*Post, []ID, error)
	Bookmarks(ctx context.Context, account ID, p Page, folder string) ([]*Post, []ID, error)

	// AddVotes records the votes of one account, once per choice, and counts
	// them; it fails with a Conflict when the account has voted (or, in a poll
	// with one choice, voted for another).
	AddVotes(ctx context.Context, post, account ID, choices []int, at time.Time) error
	Votes(ctx context.Context, account ID, posts []ID) (map[ID][]int, error)
	// SetPollCounts writes counts that the poll's origin announced.
	SetPollCounts(ctx context.Context, p *Poll) error
	// PollsEnding lists own open polls whose end has passed.
	PollsEnding(ctx context.Context, now time.Time, limit int) ([]*Post, error)

	InsertMedia(ctx context.Context, m *Media) error
	Media(ctx context.Context, id ID) (*Media, error)
	MediaOf(ctx context.Context, ids []ID) (map[ID]*Media, error)
	// UpdateMedia writes PostID and the attachment's description and focus.
	UpdateMedia(ctx context.Context, m *Media) error
	// OrphanMedia lists media never posted, and kept for no unsent post, older than before.
	OrphanMedia(ctx context.Context, before time.Time, limit int) ([]*Media, error)
	DeleteMedia(ctx context.Context, id ID) error

	// RemoteMedia finds the copy of a file of another server's post.
	RemoteMedia(ctx context.Context, post ID, url string) (*RemoteMedia, error)
	// PutRemoteMedia keeps a copy, in place of an earlier one of that post and address.
	PutRemoteMedia(ctx context.Context, m *RemoteMedia) error
	// EvictRemoteMedia forgets copies older than before, and the oldest until all
	// together have at most room bytes; a thousand at a time. This and the next two
	// say which files are now free.
	EvictRemoteMedia(ctx context.Context, before time.Time, room int64) (files []string, err error)
	// KeepRemoteMedia forgets the copies of a post but those from the addresses given.
	KeepRemoteMedia(ctx context.Context, post ID, urls []string) (files []string, err error)
	// DropBlockedMedia forgets copies from servers that are blocked, and of posts from there.
	DropBlockedMedia(ctx context.Context) (files []string, err error)

	// Remember stores the result of an idempotency key for an hour; Recall finds it.
	Remember(ctx context.Context, account ID, key string, post ID, at time.Time) error
	Recall(ctx context.Context, account ID, key string, after time.Time) (ID, error)
}

// Marks of one account on one post.
type Marks struct {
	Favourited, Boosted, Bookmarked, Pinned bool
	Muted                                   bool // its thread
	Kept                                    Kept // with the bookmark
}

// TimelineItem is a row of a home timeline; its ID says when it arrived here.
type TimelineItem struct {
	ID     ID
	PostID ID
}

// TimelineStore keeps home timelines, written when posts arrive.
type TimelineStore interface {
	// AddToTimelines puts a post into the home timelines of local owners: those
	// that follow the author (boosts only where shown) or the post's group, and extra. An owner gets
	// a post once, and not when a boost of it stands among the newest 40. It stands on
	// top, or where its date puts it when at is a while ago.
	AddToTimelines(ctx context.Context, post *Post, extra []ID, at time.Time) (owners []ID, err error)
	// Timeline leaves out what people in exclusive lists of the owner's brought.
	Timeline(ctx context.Context, owner ID, p Page) ([]TimelineItem, error)
	// InTimeline finds where posts stand in it, each under the id that was asked for; who
	// boosts a post is found where it stands.
	InTimeline(ctx context.Context, owner ID, posts []ID) ([]TimelineItem, error)
	// FillTimeline adds an author's or a group's newest posts (after a follow) in their order.
	FillTimeline(ctx context.Context, owner, author ID, limit int) error
	// ClearTimeline takes out an author's or a group's posts (after an unfollow or block),
	// but for the owner's own.
	ClearTimeline(ctx context.Context, owner, author ID) error
}

// FollowStore keeps follows, blocks and mutes.
type FollowStore interface {
	Follow(ctx context.Context, follower, target ID) (*Follow, error)
	FollowByURI(ctx context.Context, uri string) (*Follow, error)
	// PutFollow inserts or updates and keeps the counts of accepted follows right.
	PutFollow(ctx context.Context, f *Follow) error
	// DeleteFollow says whether there was one.
	DeleteFollow(ctx context.Context, follower, target ID) (bool, error)
	// FollowsTo tells which of the targets an account follows (accepted or pending).
	FollowsTo(ctx context.Context, follower ID, targets []ID) (map[ID]*Follow, error)
	// FollowsFrom tells which of the accounts follow the target.
	FollowsFrom(ctx context.Context, target ID, followers []ID) (map[ID]*Follow, error)
	// Followers, Following and FollowRequests list by the follow's id (second result).
	Followers(ctx context.Context, target ID, p Page) ([]*Account, []ID, error)
	Following(ctx context.Context, follower ID, p Page) ([]*Account, []ID, error)
	FollowRequests(ctx context.Context, target ID, p Page) ([]*Account, []ID, error)
	// FollowerInboxes lists the distinct delivery inboxes of accepted remote followers.
	FollowerInboxes(ctx context.Context, target ID) ([]InboxRef, error)
	// FollowersAt lists the URIs of a target's accepted followers whose accounts are of
	// an authority, by the follow's id (second result).
	FollowersAt(ctx context.Context, authority string, target ID, p Page) ([]string, []ID, error)
	// PeerFollows says whether anybody at a peer is an accepted follower of the target.
	PeerFollows(ctx context.Context, peer string, target ID) (bool, error)

	SetBlock(ctx context.Context, account, target ID, on bool, at time.Time) (bool, error)
	SetMute(ctx context.Context, account, target ID, on bool, at time.Time) (bool, error)
	// Blocks tells for each other account whether it blocks (by) or is blocked (of) or is muted.
	Blocks(ctx context.Context, account ID, others []ID) (map[ID]Blocks, error)
	Blocked(ctx context.Context, account ID, p Page) ([]*Account, []ID, error)
	Muted(ctx context.Context, account ID, p Page) ([]*Account, []ID, error)
}

// Blocks between an account and another.
type Blocks struct {
	Blocking, BlockedBy, Muting bool
}

// InboxRef is an inbox and the peer it belongs to.
type InboxRef struct {
	Inbox string
	Peer  string
}

// GroupStore finds groups and what stands in them. Their members are followers.
type GroupStore interface {
	// LocalGroups lists the groups of this instance by id.
	LocalGroups(ctx context.Context, p Page) ([]*Account, error)
	// GroupsOf lists the groups, also elsewhere, that an account is a member of or has
	// asked to join, by name.
	GroupsOf(ctx context.Context, account ID, limit int) ([]*Account, error)
	// FindGroups lists the groups of this instance with a name or a word of it that
	// begins with a text, those with most members first.
	FindGroups(ctx context.Context, prefix string, skip, limit int) ([]*Account, error)
	// GroupPosts lists the posts that begin a thread in a group by id, without tombstones.
	GroupPosts(ctx context.Context, group ID, p Page) ([]*Post, error)
}

// NotificationStore keeps notifications and reports.
type NotificationStore interface {
	// InsertNotification writes one; the same (account, kind, from, post) once.
	InsertNotification(ctx context.Context, n *Notification) error
	// RenewNotification writes one in place of the same one before, read or not.
	RenewNotification(ctx context.Context, n *Notification) error
	// Notifications lists an account's; of what is put together only the newest.
	Notifications(ctx context.Context, account ID, p Page, f NotificationFilter) ([]*Notification, error)
	// GroupFacts says what stands together with each of the newest: how many, the oldest
	// from an id on, and who did it, so many names at most.
	GroupFacts(ctx context.Context, account ID, newest []ID, f NotificationFilter, from ID, names int) (map[ID]GroupFacts, error)
	Notification(ctx context.Context, account, id ID) (*Notification, error)
	// CountUnread counts what would be listed and is not read, up to most.
	CountUnread(ctx context.Context, account ID, f NotificationFilter, most int) (int, error)
	MarkRead(ctx context.Context, account ID, upTo ID, at time.Time) error
	DeleteNotifications(ctx context.Context, account ID, f NotificationFilter) error
	InsertReport(ctx context.Context, r *Report) error
	Report(ctx context.Context, id ID) (*Report, error)
	Reports(ctx context.Context, p Page) ([]*Report, error)
	// OpenReports lists those that nobody dealt with yet; CountOpenReports counts them.
	OpenReports(ctx context.Context, p Page) ([]*Report, error)
	CountOpenReports(ctx context.Context) (int, error)
	// CloseReport writes when one was dealt with, once.
	CloseReport(ctx context.Context, id ID, at time.Time) error
}

// PeerStore keeps peers, zones and requests to connect.
type PeerStore interface {
	// Peer returns the stored peer, or one with ZoneUnknown. A block of a parent
	// domain counts for its subdomains.
	Peer(ctx context.Context, authority string) (Peer, error)
	Peers(ctx context.Context) ([]Peer, error)
	PeersInZone(ctx context.Context, z Zone) ([]Peer, error)
	SetZone(ctx context.Context, authority string, z Zone, reason string, at time.Time) error
	RemovePeer(ctx context.Context, authority string) error
	// TouchPeer notes contact: in, out or a failure; and learnt facts when not "".
	TouchPeer(ctx context.Context, t PeerTouch) error
	// PeerInboxes lists one shared (or any delivery) inbox a peer, for all peers of the zones.
	PeerInboxes(ctx context.Context, zones []Zone) ([]InboxRef, error)
	// Knock counts a request to connect; the table is bounded.
	Knock(ctx context.Context, r ConnectRequest) error
	ConnectRequests(ctx context.Context) ([]ConnectRequest, error)
}

// PeerTouch is what a contact with a peer taught.
type PeerTouch struct {
	Authority   string
	InAt        time.Time
	OutAt       time.Time
	Dialect     string
	Software    string
	SharedInbox string
	Error       string
}

// OutboxStore keeps the change log, receipts and inbound activities.
type OutboxStore interface {
	// InsertActivity gives the entry its place (epoch, seq) in commit order.
	InsertActivity(ctx context.Context, a *Activity) error
	Activity(ctx context.Context, id ID) (*Activity, error)
	ActivityByURI(ctx context.Context, uri string) (*Activity, error)
	// ActivitiesOf lists what was said about a post.
	ActivitiesOf(ctx context.Context, post ID) ([]*Activity, error)

	PutReceipt(ctx context.Context, r Receipt) error
	// Receipts of an object; peer "" means all.
	Receipts(ctx context.Context, objectURI, peer string) ([]Receipt, error)
	// ReceiptInboxes lists the inboxes of all who have something an author wrote.
	ReceiptInboxes(ctx context.Context, author ID) ([]InboxRef, error)
	ReceiptsOfPost(ctx context.Context, post ID) ([]Receipt, error)

	// PutRefusal notes that a post did not arrive; DropRefusal that it did after all.
	PutRefusal(ctx context.Context, r Refusal) error
	DropRefusal(ctx context.Context, post ID, inbox string) error
	RefusalsOf(ctx context.Context, post ID) ([]Refusal, error)

	// InsertInbound keeps an activity durably. It says false when the same
	// (activity, inbox) was taken before, unless it was taken back since and this
	// request was signed after that. Then what took it back may come again too.
	InsertInbound(ctx context.Context, in *Inbound) (bool, error)
	// TakeBackInbound notes that an actor's finished activity was taken back by the
	// activity by, in a request signed at the time at; it says whether it was there.
	TakeBackInbound(ctx context.Context, uri, actor, by string, at time.Time) (bool, error)
	// WasInbound says that an activity was taken, by whichever inbox.
	WasInbound(ctx context.Context, uri string) (bool, error)
	Inbound(ctx context.Context, id ID) (*Inbound, error)
	// FinishInbound forgets the body; the key (activity, inbox) stays remembered.
	FinishInbound(ctx context.Context, id ID, result string) error
	// Seen marks an activity or a deletion that came first as known; it says false when it was.
	Seen(ctx context.Context, key string, at time.Time) (bool, error)
	WasSeen(ctx context.Context, key string) (bool, error)
	Unsee(ctx context.Context, key string) error
	// Forget removes seen marks and finished inbound keys older than before.
	Forget(ctx context.Context, before time.Time) error
}

// SettingStore keeps single values: organisation.name, domain, epoch...
type SettingStore interface {
	Setting(ctx context.Context, key string) (string, error) // "" when unset
	PutSetting(ctx context.Context, key, value string) error
}
