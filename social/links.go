package social

import (
	"net/url"
	"strconv"
	"strings"
)

// Links builds and recognises this instance's own addresses, which never change.
type Links struct {
	PublicURL string // origin of every id, without a trailing slash
	Domain    string // in handles
}

// Home is our own authority: the host of PublicURL, with its port unless default.
func (l Links) Home() string {
	_, rest, _ := strings.Cut(l.PublicURL, "://")
	return strings.ToLower(rest)
}

// Account is the URI of a member, group or team account.
func (l Links) Account(id ID) string { return l.PublicURL + "/users/" + id.String() }

// AccountPage is the page for people.
func (l Links) AccountPage(name string) string { return l.PublicURL + "/@" + name }

// Post is the URI of a post.
func (l Links) Post(author, id ID) string { return l.Account(author) + "/statuses/" + id.String() }

// PostPage is the page for people.
func (l Links) PostPage(name string, id ID) string { return l.AccountPage(name) + "/" + id.String() }

// Inbox takes activities for one account (AP 5.2).
func (l Links) Inbox(id ID) string { return l.Account(id) + "/inbox" }

// Outbox lists what an account published (AP 5.1).
func (l Links) Outbox(id ID) string { return l.Account(id) + "/outbox" }

// Followers lists who follows an account (AP 5.3).
func (l Links) Followers(id ID) string { return l.Account(id) + "/followers" }

// FollowersOf is the part of an account's followers that are of the asking server
// (FEP-8fcf).
func (l Links) FollowersOf(id ID) string { return l.Followers(id) + "/synchronization" }

// Following lists whom an account follows (AP 5.4).
func (l Links) Following(id ID) string { return l.Account(id) + "/following" }

// Featured lists an account's pinned posts.
func (l Links) Featured(id ID) string { return l.Account(id) + "/featured" }

// Moderators lists who runs a group (FEP-1b12).
func (l Links) Moderators(id ID) string { return l.Account(id) + "/moderators" }

// SharedInbox takes activities for everybody here.
func (l Links) SharedInbox() string { return l.PublicURL + "/inbox" }

// InstanceActor speaks for the instance itself.
func (l Links) InstanceActor() string { return l.PublicURL + "/actor" }

// Activity is the URI of an activity of ours.
func (l Links) Activity(id ID) string { return l.PublicURL + "/activities/" + id.String() }

// Audience is the collection that stands in "to" for company and partner posts.
func (l Links) Audience(a Audience) string {
	if a.Kind == AudiencePartner {
		return l.PublicURL + "/audiences/partner/" + a.Name
	}
	return l.PublicURL + "/audiences/" + string(a.Kind)
}

// Media is the address of an uploaded file or of its thumbnail.
func (l Links) Media(id ID, small bool) string {
	if small {
		return l.PublicURL + "/media/" + id.String() + "/small"
	}
	return l.PublicURL + "/media/" + id.String() + "/original"
}

// ParseMedia finds the id in the address of an uploaded file.
func (l Links) ParseMedia(uri string) (ID, bool) {
	rest, ok := strings.CutPrefix(uri, l.PublicURL+"/media/")
	if !ok {
		return 0, false
	}
	number, _, _ := strings.Cut(rest, "/")
	id, err := ParseID(number)
	return id, err == nil
}

// Face is the address under which members see our copy of the picture of somebody
// elsewhere, another one for each copy.
func (l Links) Face(a *Account) string {
	return l.PublicURL + "/media/face/" + a.ID.String() + "?v=" + strconv.FormatInt(a.Face.At.Unix(), 36)
}

// RemoteMedia is the address under which members see a file of another server's post.
func (l Links) RemoteMedia(post ID, place int) string {
	return l.PublicURL + "/media/remote/" + post.String() + "/" + strconv.Itoa(place)
}

// Tag is the page of a hashtag.
func (l Links) Tag(tag string) string { return l.PublicURL + "/tags/" + url.PathEscape(tag) }

// Reset is the page where a one-time code lets a member choose a password.
func (l Links) Reset(code string) string { return l.PublicURL + "/reset?code=" + code }

// MainKey is the URI of an actor's RSA key, which signs requests.
func (l Links) MainKey(actor string) string { return actor + "#main-key" }

// EdKey is the URI of an actor's Ed25519 key, which makes proofs.
func (l Links) EdKey(actor string) string { return actor + "#ed25519" }

// SealingKey is the URI of the instance's X25519 key: what is meant for the instance
// alone is sealed to it.
func (l Links) SealingKey() string { return l.InstanceActor() + "#sealing" }

// Of are the links of another instance of Parley, which has the same addresses.
func (l Links) Of(authority string) Links {
	scheme, _, _ := strings.Cut(l.PublicURL, "://")
	return Links{PublicURL: scheme + "://" + authority, Domain: authority}
}

// Owns says that a URI is one of ours.
func (l Links) Owns(uri string) bool {
	return uri == l.PublicURL || strings.HasPrefix(uri, l.PublicURL+"/")
}

// ParseAccount finds the id in an account's URI.
func (l Links) ParseAccount(uri string) (ID, bool) {
	rest, ok := strings.CutPrefix(uri, l.PublicURL+"/users/")
	if !ok {
		return 0, false
	}
	id, err := ParseID(rest)
	return id, err == nil
}

// ParsePost finds the author and id in a post's URI.
func (l Links) ParsePost(uri string) (author, post ID, ok bool) {
	rest, ok := strings.CutPrefix(uri, l.PublicURL+"/users/")
	if !ok {
		return 0, 0, false
	}
	a, p, ok := strings.Cut(rest, "/statuses/")
	if !ok {
		return 0, 0, false
	}
	author, err := ParseID(a)
	if err != nil {
		return 0, 0, false
	}
	post, err = ParseID(p)
	return author, post, err == nil
}

// ParsePage reads the address of a page for people: the handle and, on the page of
// a post, its id.
func (l Links) ParsePage(page string) (handle string, post ID, ok bool) {
	rest, ok := strings.CutPrefix(page, l.PublicURL+"/@")
	if !ok {
		return "", 0, false
	}
	handle, id, isPost := strings.Cut(rest, "/")
	if !isPost {
		return handle, 0, handle != ""
	}
	post, err := ParseID(id)
	return handle, post, err == nil
}
