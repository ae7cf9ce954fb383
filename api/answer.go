package api

// The answers, as the document of the API describes them: a pointer may be null unless
// its tag says never, what may be missing says omitempty. Fields stand in the order of their names, as they
// are written.

type empty struct{}

type emoji struct {
	Shortcode string `json:"shortcode"`
	StaticURL string `json:"static_url"`
	URL       string `json:"url"`
	Visible   bool   `json:"visible_in_picker"`
}

type profileField struct {
	Name       string  `json:"name"`
	Value      string  `json:"value"`
	VerifiedAt *string `json:"verified_at" format:"date-time"`
}

type account struct {
	Acct           string         `json:"acct"`
	Avatar         string         `json:"avatar"`
	AvatarStatic   string         `json:"avatar_static"`
	Bot            bool           `json:"bot"`
	CreatedAt      string         `json:"created_at" format:"date-time"`
	Discoverable   bool           `json:"discoverable"`
	DisplayName    string         `json:"display_name"`
	Emojis         []emoji        `json:"emojis"`
	Fields         []profileField `json:"fields"`
	FollowersCount int            `json:"followers_count"`
	FollowingCount int            `json:"following_count"`
	Group          bool           `json:"group"`
	Header         string         `json:"header"`
	HeaderStatic   string         `json:"header_static"`
	ID             string         `json:"id"`
	Indexable      bool           `json:"indexable"`
	LastStatusAt   *string        `json:"last_status_at" format:"date"`
	Locked         bool           `json:"locked"`
	Note           string         `json:"note"`
	Role           *role          `json:"role,omitempty"` // of oneself
	Roles          []role         `json:"roles"`
	Source         *accountSource `json:"source,omitempty"` // of oneself
	StatusesCount  int            `json:"statuses_count"`
	URI            string         `json:"uri"`
	URL            string         `json:"url"`
	Username       string         `json:"username"`
}

type role struct {
	Color       string `json:"color"`
	Highlighted bool   `json:"highlighted"`
	ID          string `json:"id"`
	Name        string `json:"name"`
	Permissions string `json:"permissions"`
}

type accountSource struct {
	Discoverable        bool           `json:"discoverable"`
	Fields              []profileField `json:"fields"`
	FollowRequestsCount int            `json:"follow_requests_count"`
	HideCollections     bool           `json:"hide_collections"`
	Indexable           bool           `json:"indexable"`
	Language            *string        `json:"language"`
	Note                string         `json:"note"`
	Privacy             string         `json:"privacy" enum:"public,unlisted,private,direct"`
	Sensitive           bool           `json:"sensitive"`
}

type mediaSize struct {
	Aspect float64 `json:"aspect"`
	Height int     `json:"height"`
	Size   string  `json:"size"`
	Width  int     `json:"width"`
}

type mediaFocus struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

type mediaMeta struct {
	Focus    *mediaFocus `json:"focus,omitempty"`
	Original *mediaSize  `json:"original,omitempty"`
	Small    *mediaSize  `json:"small,omitempty"`
}

type attachment struct {
	Blurhash    *string   `json:"blurhash"`
	Description *string   `json:"description"`
	ID          string    `json:"id"`
	Meta        mediaMeta `json:"meta"`
	PreviewURL  string    `json:"preview_url"`
	RemoteURL   *string   `json:"remote_url"`
	Type        string    `json:"type" enum:"image,video,gifv,audio,unknown"`
	URL         string    `json:"url"`
}

type pollOption struct {
	Title      string `json:"title"`
	VotesCount int    `json:"votes_count"`
}

type poll struct {
	Emojis      []emoji      `json:"emojis"`
	Expired     bool         `json:"expired"`
	ExpiresAt   *string      `json:"expires_at" format:"date-time"`
	ID          string       `json:"id"`
	Multiple    bool         `json:"multiple"`
	Options     []pollOption `json:"options"`
	OwnVotes    []int        `json:"own_votes"`
	Voted       bool         `json:"voted"`
	VotersCount int          `json:"voters_count"`
	VotesCount  int          `json:"votes_count"`
}

type mention struct {
	Acct     string `json:"acct"`
	ID       string `json:"id"`
	URL      string `json:"url"`
	Username string `json:"username"`
}

type tagLink struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// foundTag is a hashtag that a search found; how often it was used is not told.
type foundTag struct {
	History []empty `json:"history"`
	Name    string  `json:"name"`
	URL     string  `json:"url"`
}

type quote struct {
	QuotedStatus *status `json:"quoted_status" null:"never"`
	State        string  `json:"state"`
}

// statusExtra is what only Parley says of a post.
type statusExtra struct {
	Audience string  `json:"audience"`
	Group    *string `json:"group"`
	Narrowed bool    `json:"narrowed"`
	Owner    string  `json:"owner"`
	Question bool    `json:"question"`
	Via      *string `json:"via"`
}

type status struct {
	Account            *account        `json:"account" null:"never"`
	Application        *empty          `json:"application"`
	Bookmarked         bool            `json:"bookmarked"`
	Card               *empty          `json:"card"`
	Content            string          `json:"content"`
	CreatedAt          string          `json:"created_at" format:"date-time"`
	EditedAt           *string         `json:"edited_at" format:"date-time"`
	Emojis             []emoji         `json:"emojis"`
	Favourited         bool            `json:"favourited"`
	FavouritesCount    int             `json:"favourites_count"`
	Filtered           []filteredShape `json:"filtered"`
	ID                 string          `json:"id"`
	InReplyToAccountID *string         `json:"in_reply_to_account_id"`
	InReplyToID        *string         `json:"in_reply_to_id"`
	Language           *string         `json:"language"`
	MediaAttachments   []attachment    `json:"media_attachments"`
	Mentions           []mention       `json:"mentions"`
	Muted              bool            `json:"muted"`
	Parley             statusExtra     `json:"parley"`
	Pinned             bool            `json:"pinned"`
	Poll               *poll           `json:"poll"`
	Quote              *quote          `json:"quote,omitempty"`
	Reblog             *status         `json:"reblog"`
	Reblogged          bool            `json:"reblogged"`
	ReblogsCount       int             `json:"reblogs_count"`
	RepliesCount       int             `json:"replies_count"`
	Sensitive          bool            `json:"sensitive"`
	SpoilerText        string          `json:"spoiler_text"`
	Tags               []tagLink       `json:"tags"`
	Text               *string         `json:"text,omitempty"` // of a post that was deleted, to write it anew
	URI                string          `json:"uri"`
	URL                string          `json:"url"`
	Visibility         string          `json:"visibility" enum:"public,unlisted,private,direct"`
}

type statusVersion struct {
	Account          *account     `json:"account" null:"never"`
	Content          string       `json:"content"`
	CreatedAt        string       `json:"created_at" format:"date-time"`
	Emojis           []emoji      `json:"emojis"`
	MediaAttachments []attachment `json:"media_attachments"`
	Poll             *poll        `json:"poll"`
	Sensitive        bool         `json:"sensitive"`
	SpoilerText      string       `json:"spoiler_text"`
}

type statusSource struct {
	ID          string `json:"id"`
	SpoilerText string `json:"spoiler_text"`
	Text        string `json:"text"`
}

type thread struct {
	Ancestors   []*status `json:"ancestors"`
	Descendants []*status `json:"descendants"`
}

type searchResult struct {
	Accounts []*account `json:"accounts"`
	Hashtags []foundTag `json:"hashtags"`
	Statuses []*status  `json:"statuses"`
}

type relation struct {
	BlockedBy           bool      `json:"blocked_by"`
	Blocking            bool      `json:"blocking"`
	DomainBlocking      bool      `json:"domain_blocking"`
	Endorsed            bool      `json:"endorsed"`
	FollowedBy          bool      `json:"followed_by"`
	Following           bool      `json:"following"`
	ID                  string    `json:"id"`
	Languages           *[]string `json:"languages"`
	Muting              bool      `json:"muting"`
	MutingNotifications bool      `json:"muting_notifications"`
	Note                string    `json:"note"`
	Notifying           bool      `json:"notifying"`
	Requested           bool      `json:"requested"`
	RequestedBy         bool      `json:"requested_by"`
	ShowingReblogs      bool      `json:"showing_reblogs"`
}

type notification struct {
	Account   *account `json:"account" null:"never"`
	CreatedAt string   `json:"created_at" format:"date-time"`
	Filtered  bool     `json:"filtered,omitempty"` // held back by your policy
	GroupKey  string   `json:"group_key"`
	ID        string   `json:"id"`
	Status    *status  `json:"status"`
	Type      string   `json:"type"`
}

// notificationGroup has one id that is a number: IceCubes refuses the page otherwise.
type notificationGroup struct {
	GroupKey   string   `json:"group_key"`
	LatestAt   string   `json:"latest_page_notification_at" format:"date-time"`
	MostRecent int64    `json:"most_recent_notification_id"`
	Count      int      `json:"notifications_count"`
	PageMaxID  string   `json:"page_max_id"`
	PageMinID  string   `json:"page_min_id"`
	Accounts   []string `json:"sample_account_ids"`
	StatusID   *string  `json:"status_id"`
	Type       string   `json:"type"`
}

// partialAccount is what a row of small pictures needs.
type partialAccount struct {
	Acct         string `json:"acct"`
	Avatar       string `json:"avatar"`
	AvatarStatic string `json:"avatar_static"`
	Bot          bool   `json:"bot"`
	ID           string `json:"id"`
	Locked       bool   `json:"locked"`
	URL          string `json:"url"`
}

type groupedNotifications struct {
	Accounts []*account          `json:"accounts"`
	Groups   []notificationGroup `json:"notification_groups"`
	Partial  []partialAccount    `json:"partial_accounts,omitempty"` // if asked for
	Statuses []*status           `json:"statuses"`
}

type unread struct {
	Count int `json:"count"`
}

type report struct {
	ActionTaken   bool      `json:"action_taken"`
	ActionTakenAt *string   `json:"action_taken_at" format:"date-time"`
	Category      string    `json:"category"`
	Comment       string    `json:"comment"`
	CreatedAt     string    `json:"created_at" format:"date-time"`
	Forwarded     bool      `json:"forwarded"`
	ID            string    `json:"id"`
	RuleIDs       *[]string `json:"rule_ids"`
	StatusIDs     []string  `json:"status_ids"`
	TargetAccount *account  `json:"target_account" null:"never"`
}

type pollParams struct {
	ExpiresIn  int      `json:"expires_in"` // seconds
	HideTotals bool     `json:"hide_totals"`
	Multiple   bool     `json:"multiple"`
	Options    []string `json:"options"`
}

type scheduledParams struct {
	ApplicationID  int         `json:"application_id"`
	Idempotency    *string     `json:"idempotency"`
	InReplyToID    *string     `json:"in_reply_to_id"`
	Language       *string     `json:"language"`
	MediaIDs       []string    `json:"media_ids"`
	Poll           *pollParams `json:"poll"`
	QuotedStatusID *string     `json:"quoted_status_id"`
	ScheduledAt    *string     `json:"scheduled_at" format:"date-time"`
	Sensitive      bool        `json:"sensitive"`
	SpoilerText    string      `json:"spoiler_text"`
	Text           string      `json:"text"`
	Visibility     string      `json:"visibility" enum:"public,unlisted,private,direct"`
	WithRateLimit  bool        `json:"with_rate_limit"`
}

type scheduledExtra struct {
	Audience string `json:"audience"`
	Narrowed bool   `json:"narrowed"`
}

type scheduledStatus struct {
	ID               string          `json:"id"`
	MediaAttachments []attachment    `json:"media_attachments"`
	Params           scheduledParams `json:"params"`
	Parley           scheduledExtra  `json:"parley"`
	ScheduledAt      string          `json:"scheduled_at" format:"date-time"`
}

type list struct {
	Exclusive     bool   `json:"exclusive"`
	ID            string `json:"id"`
	RepliesPolicy string `json:"replies_policy" enum:"followed,list,none"`
	Title         string `json:"title"`
}

type group struct {
	Account       *account   `json:"account" null:"never"`
	Audience      string     `json:"audience"`
	ID            string     `json:"id"`
	Join          *string    `json:"join"` // of a group that lives here
	Manages       bool       `json:"manages"`
	Member        bool       `json:"member"`
	MembersCount  int        `json:"members_count"`
	Moderators    []*account `json:"moderators"`
	Owner         *account   `json:"owner"`
	Owns          bool       `json:"owns"`
	Purpose       string     `json:"purpose"`
	Requested     bool       `json:"requested"`
	RequestsCount int        `json:"requests_count"`
	Widest        *string    `json:"widest"` // of a group that lives here
}

type audienceChoice struct {
	Audience string `json:"audience"`
	Default  bool   `json:"default"`
	Peers    int    `json:"peers"`
}

type manager struct {
	AccountID *string `json:"account_id"`
	Acct      string  `json:"acct"`
	Name      string  `json:"name"`
	Title     *string `json:"title"`
	URI       string  `json:"uri"`
}

// colleague is an entry of the directory: of others with where it comes from, of
// oneself with who is shown what.
type colleague struct {
	AccountID  *string           `json:"account_id"`
	Acct       string            `json:"acct"`
	Confirmed  *bool             `json:"confirmed,omitempty"`
	Department *string           `json:"department"`
	Instance   string            `json:"instance,omitempty"`
	Languages  []string          `json:"languages"`
	Location   *string           `json:"location"`
	Manager    *string           `json:"manager"`
	Managers   *[]manager        `json:"managers,omitempty"`
	Name       string            `json:"name"`
	Photo      *string           `json:"photo"`
	Pronouns   *string           `json:"pronouns"`
	Shown      map[string]string `json:"shown,omitempty"`
	Skills     []string          `json:"skills"`
	Stale      *bool             `json:"stale,omitempty"`
	Title      *string           `json:"title"`
	URI        string            `json:"uri"`
	Zone       string            `json:"zone,omitempty"`
}

type connectRequest struct {
	Actor  string `json:"actor"`
	Count  int    `json:"count"`
	Host   string `json:"host"`
	LastAt string `json:"last_at" format:"date-time"`
	Since  string `json:"since" format:"date-time"`
	Wanted string `json:"wanted"`
}

type peer struct {
	Data             *[]string `json:"data"`
	HistoryFrom      *string   `json:"history_from" format:"date-time"`
	Host             string    `json:"host"`
	Keeper           string    `json:"keeper"`
	LastError        string    `json:"last_error"`
	LastInAt         *string   `json:"last_in_at" format:"date-time"`
	LastOutAt        *string   `json:"last_out_at" format:"date-time"`
	Organisation     string    `json:"organisation"`
	OwnFingerprint   string    `json:"own_fingerprint"`
	PairedSince      *string   `json:"paired_since" format:"date-time"`
	Pairing          string    `json:"pairing"`
	PairingCause     string    `json:"pairing_cause"`
	PairingExpiresAt *string   `json:"pairing_expires_at" format:"date-time"`
	Reason           string    `json:"reason"`
	Software         string    `json:"software"`
	TheirFingerprint string    `json:"their_fingerprint"`
	Trust            string    `json:"trust"`
	Zone             string    `json:"zone"`
	Counts           string    `json:"zone_that_counts"`
}

type invitation struct {
	Code      string `json:"code"`
	ExpiresAt string `json:"expires_at" format:"date-time"`
	Host      string `json:"host"`
	Zone      string `json:"zone"`
}

type accepted struct {
	Host             string  `json:"host"`
	Keeper           string  `json:"keeper"`
	Organisation     string  `json:"organisation"`
	PairingExpiresAt *string `json:"pairing_expires_at" format:"date-time"`
	Zone             string  `json:"zone"`
}

type statusLimits struct {
	CharactersReservedPerURL int `json:"characters_reserved_per_url"`
	MaxCharacters            int `json:"max_characters"`
	MaxMediaAttachments      int `json:"max_media_attachments"`
}

type mediaLimits struct {
	DescriptionLimit    int      `json:"description_limit"`
	ImageMatrixLimit    int      `json:"image_matrix_limit"`
	ImageSizeLimit      int64    `json:"image_size_limit"`
	SupportedMimeTypes  []string `json:"supported_mime_types"`
	VideoFrameRateLimit int      `json:"video_frame_rate_limit"`
	VideoMatrixLimit    int      `json:"video_matrix_limit"`
	VideoSizeLimit      int      `json:"video_size_limit"`
}

type pollLimits struct {
	MaxCharactersPerOption int `json:"max_characters_per_option"`
	MaxExpiration          int `json:"max_expiration"`
	MaxOptions             int `json:"max_options"`
	MinExpiration          int `json:"min_expiration"`
}

type accountLimits struct {
	MaxFeaturedTags   int `json:"max_featured_tags"`
	MaxPinnedStatuses int `json:"max_pinned_statuses"`
	MaxProfileFields  int `json:"max_profile_fields"`
}

type streamingAPI struct {
	StreamingAPI string `json:"streaming_api"`
}

type streamingURL struct {
	Streaming string `json:"streaming"`
}

type vapid struct {
	PublicKey string `json:"public_key"`
}

type translation struct {
	Enabled bool `json:"enabled"`
}

// configuration has the optional parts in the second version of an instance alone.
type configuration struct {
	Accounts         accountLimits `json:"accounts"`
	MediaAttachments mediaLimits   `json:"media_attachments"`
	Polls            pollLimits    `json:"polls"`
	Statuses         statusLimits  `json:"statuses"`
	Translation      *translation  `json:"translation,omitempty"`
	URLs             *streamingURL `json:"urls,omitempty"`
	Vapid            *vapid        `json:"vapid,omitempty"`
}

type houseRule struct {
	Hint string `json:"hint"`
	ID   string `json:"id"`
	Text string `json:"text"`
}

type instanceStats struct {
	DomainCount int `json:"domain_count"`
	StatusCount int `json:"status_count"`
	UserCount   int `json:"user_count"`
}

type instanceV1 struct {
	ApprovalRequired bool          `json:"approval_required"`
	Configuration    configuration `json:"configuration"`
	ContactAccount   *account      `json:"contact_account"`
	Description      string        `json:"description"`
	Email            string        `json:"email"`
	InvitesEnabled   bool          `json:"invites_enabled"`
	Languages        []string      `json:"languages"`
	Registrations    bool          `json:"registrations"`
	Rules            []houseRule   `json:"rules"`
	ShortDescription string        `json:"short_description"`
	Stats            instanceStats `json:"stats"`
	Thumbnail        *string       `json:"thumbnail"`
	Title            string        `json:"title"`
	URI              string        `json:"uri"`
	URLs             streamingAPI  `json:"urls"`
	Version          string        `json:"version"`
}

type contact struct {
	Account *account `json:"account"`
	Email   string   `json:"email"`
}

type registrations struct {
	ApprovalRequired bool    `json:"approval_required"`
	Enabled          bool    `json:"enabled"`
	Message          *string `json:"message"`
}

type thumbnail struct {
	URL string `json:"url"`
}

type activeUsers struct {
	ActiveMonth int `json:"active_month"`
}

type usage struct {
	Users activeUsers `json:"users"`
}

type apiVersions struct {
	Mastodon int `json:"mastodon"`
}

type instanceV2 struct {
	APIVersions   apiVersions   `json:"api_versions"`
	Configuration configuration `json:"configuration"`
	Contact       contact       `json:"contact"`
	Description   string        `json:"description"`
	Domain        string        `json:"domain"`
	Languages     []string      `json:"languages"`
	Registrations registrations `json:"registrations"`
	Rules         []houseRule   `json:"rules"`
	SourceURL     string        `json:"source_url"`
	Thumbnail     thumbnail     `json:"thumbnail"`
	Title         string        `json:"title"`
	Usage         usage         `json:"usage"`
	Version       string        `json:"version"`
}

type userInfo struct {
	Issuer            string `json:"iss"`
	Name              string `json:"name"`
	Picture           string `json:"picture"`
	PreferredUsername string `json:"preferred_username"`
	Profile           string `json:"profile"`
	Subject           string `json:"sub"`
}

type oauthMetadata struct {
	Registration     string   `json:"app_registration_endpoint"`
	Authorization    string   `json:"authorization_endpoint"`
	ChallengeMethods []string `json:"code_challenge_methods_supported"`
	GrantTypes       []string `json:"grant_types_supported"`
	Issuer           string   `json:"issuer"`
	ResponseModes    []string `json:"response_modes_supported"`
	ResponseTypes    []string `json:"response_types_supported"`
	Revocation       string   `json:"revocation_endpoint"`
	Scopes           []string `json:"scopes_supported"`
	Documentation    string   `json:"service_documentation"`
	Token            string   `json:"token_endpoint"`
	AuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	UserInfo         string   `json:"userinfo_endpoint"`
}

type conversation struct {
	Accounts   []*account `json:"accounts"`
	ID         string     `json:"id"`
	LastStatus *status    `json:"last_status" null:"never"`
	Unread     bool       `json:"unread"`
}

type preferences struct {
	Language       *string `json:"posting:default:language"`
	QuotePolicy    string  `json:"posting:default:quote_policy"`
	Sensitive      bool    `json:"posting:default:sensitive"`
	Visibility     string  `json:"posting:default:visibility" enum:"public,unlisted,private,direct"`
	AutoplayGIFs   bool    `json:"reading:autoplay:gifs"`
	ExpandMedia    string  `json:"reading:expand:media"`
	ExpandSpoilers bool    `json:"reading:expand:spoilers"`
}

type suggestion struct {
	Account *account `json:"account" null:"never"`
	Source  string   `json:"source"`
	Sources []string `json:"sources"`
}

type extendedDescription struct {
	Content   string  `json:"content"`
	UpdatedAt *string `json:"updated_at" format:"date-time"`
}

type familiarFollowers struct {
	Accounts []*account `json:"accounts"`
	ID       string     `json:"id"`
}
