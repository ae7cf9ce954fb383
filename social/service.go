package social

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"parley/media"
	"parley/queue"
	"parley/text"
)

// Remote is what the network asks of other servers; federation implements it.
// Its methods may use the network and are never called inside a transaction.
type Remote interface {
	// FindAccount looks a handle up by WebFinger and fetches its actor.
	FindAccount(ctx context.Context, username, host string) (*Account, error)
	// FindURL fetches what a URL stands for; one of the results is nil.
	FindURL(ctx context.Context, url string) (*Account, *Post, error)
	// Thread starts to complete a remote thread in the background, within a budget.
	Thread(ctx context.Context, post *Post)
	// Accept answers a code that was checked: it asks the inviter for its keys, and both
	// exchange their statements. An error says what an administrator can do.
	Accept(ctx context.Context, c Code, z Zone, data []string, by string) (Pairing, error)
	// File fetches a file of another server's post. It is asked for in the name of
	// as, zero for the instance; but signed only towards home, the server of the post's
	// author: with our name a post could make us bring files of third servers that are
	// not meant for its readers.
	File(ctx context.Context, as ID, home, url string) (*RemoteFile, error)
}

// RemoteFile is what another server answered; Origin is its authority.
type RemoteFile struct {
	Origin string
	Body   []byte
}

// Files keeps uploaded files under names that we made.
type Files interface {
	// Put writes a whole file or none.
	Put(ctx context.Context, name string, r io.Reader) error
	// Open answers the file and its size in bytes; a NotFound error if it is missing.
	Open(ctx context.Context, name string) (io.ReadSeekCloser, int64, error)
	// Delete removes a file; one that is missing is no error.
	Delete(ctx context.Context, name string) error
}

// Images decodes, strips and scales pictures, and tells other files' types.
type Images interface {
	// Process reads one uploaded file; its error says what is wrong with the file.
	Process(ctx context.Context, r io.Reader) (*media.File, error)
	// Face makes a picture of a few KiB of one that another server sent.
	Face(ctx context.Context, data []byte) ([]byte, error)
}

// Limits of what a member may write.
type Limits struct {
	PostLength   int           // characters, counted as in the Mastodon API
	Attachments  int           // files with one post
	UploadBytes  int64         // of one file
	CacheBytes   int64         // of all copies of other servers' files
	CopyTime     time.Duration // for fetching one of them
	PollOptions  int
	OptionLength int
	NameLength   int
	BioLength    int
	Fields       int
	People       int // entries of the directory of one other server, those of people who left included
}

// DefaultLimits suit a company: room for a page of text.
func DefaultLimits() Limits {
	return Limits{PostLength: 5000, Attachments: 4, UploadBytes: 40 << 20, CacheBytes: 1 << 30, CopyTime: 30 * time.Second, PollOptions: 8,
		OptionLength: 100, NameLength: 60, BioLength: 1500, Fields: 6, People: 100_000}
}

// Options are what a Service needs.
type Options struct {
	Store   Store
	Outbox  Outbox
	Remote  Remote
	Jobs    queue.Admin
	Live    Listener // nil when nobody looks on
	Text    *text.Renderer
	Links   Links
	Files   Files
	Images  Images
	NewKeys func() ([]Key, error) // an RSA and an Ed25519 key pair, without URIs
	// NewSealingKey makes an X25519 key pair, without a URI.
	NewSealingKey func() (Key, error)
	Mode          FederationMode
	Profile       string // company or open
	Limits        Limits
	Now           func() time.Time
	Log           *slog.Logger
}

// Service is the network of one instance.
type Service struct {
	Options
	home     string
	mediaKey []byte // of media links; set by EnsureInstance
	copies   singleflight.Group
	heads    atomic.Pointer[heads]
}

// NewService makes a Service.
func NewService(o Options) *Service {
	return &Service{Options: o, home: o.Links.Home()}
}

// HomeAuthority is our own authority.
func (s *Service) HomeAuthority() string { return s.home }

// member answers an error for everybody who is not an active member here.
func (s *Service) member(r Reader) (*Account, error) {
	if !r.Local() {
		return nil, Errorf(Unauthenticated, "sign in first")
	}
	if err := r.Account.MayAct(Forbidden); err != nil {
		return nil, err
	}
	return r.Account, nil
}
