package federation

import (
	"context"
	"net/http"

	"parley/activitypub"
	"parley/social"
)

// For the tests outside of this package, which run whole instances.

// Bounds of what is kept of a document.
const (
	MaxTags        = maxTags
	MaxAttachments = maxAttachments
	MaxOptions     = maxOptions
)

// Shape is the check before anything is looked up.
func (s *Server) Shape(o activitypub.Object) error { return s.shape(o, o.Ref("actor")) }

// ReadActor, ReadPost and Raw translate a document without storing it.
func (s *Server) ReadActor(o activitypub.Object) (*social.Account, []social.Key, error) {
	return s.readActor(o)
}

func (s *Server) ReadPost(ctx context.Context, author *social.Account, o activitypub.Object) (*social.Post, error) {
	return s.readPost(ctx, author, o)
}

func Raw(o activitypub.Object) ([]byte, error) { return raw(o) }

// Cursor reads a page's bound.
func Cursor(r *http.Request, name string) social.ID { return cursor(&query{Request: r}, name) }

// DigestOf is the digest of followers.
func DigestOf(uris []string) string { return digestOf(uris) }
