package storage

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"parley/social"
)

// postData is what a post carries that no query asks for.
type postData struct {
	URL                string              `json:"url,omitempty"`
	Title              string              `json:"title,omitempty"`
	Content            string              `json:"content,omitempty"`
	Source             string              `json:"source,omitempty"`
	Summary            string              `json:"summary,omitempty"`
	Sensitive          bool                `json:"sensitive,omitempty"`
	Language           string              `json:"language,omitempty"`
	InReplyToAccountID social.ID           `json:"in_reply_to_account,omitempty"`
	ContextURI         string              `json:"context,omitempty"`
	QuoteOfID          social.ID           `json:"quote_of,omitempty"`
	QuoteOfURI         string              `json:"quote_of_uri,omitempty"`
	Mentions           []social.Mention    `json:"mentions,omitempty"`
	Tags               []string            `json:"tags,omitempty"`
	Emojis             []social.Emoji      `json:"emojis,omitempty"`
	Attachments        []social.Attachment `json:"attachments,omitempty"`
	Counted            bool                `json:"counted,omitempty"`
}

func dataOf(p *social.Post) string {
	return jsonText(postData{URL: p.URL, Title: p.Title, Content: p.Content, Source: p.Source, Summary: p.Summary,
		Sensitive: p.Sensitive, Language: p.Language, InReplyToAccountID: p.InReplyToAccountID, ContextURI: p.ContextURI,
		QuoteOfID: p.QuoteOfID, QuoteOfURI: p.QuoteOfURI, Mentions: p.Mentions, Tags: p.Tags, Emojis: p.Emojis, Attachments: p.Attachments,
		Counted: p.Counted})
}

func (d postData) into(p *social.Post) {
	p.URL, p.Title, p.Content, p.Source, p.Summary = d.URL, d.Title, d.Content, d.Source, d.Summary
	p.Sensitive, p.Language, p.InReplyToAccountID, p.ContextURI = d.Sensitive, d.Language, d.InReplyToAccountID, d.ContextURI
	p.QuoteOfID, p.QuoteOfURI, p.Mentions, p.Tags = d.QuoteOfID, d.QuoteOfURI, d.Mentions, d.Tags
	p.Emojis, p.Attachments, p.Counted = d.Emojis, d.Attachments, d.Counted
}

const postColumns = `p.id, p.uri, p.author_id, p.kind, p.parent_id, p.parent_uri, p.thread_id, p.boost_of_id,
	p.audience_kind, p.audience_name, p.audience_owner, p.ceiling_kind, p.ceiling_name, p.ceiling_owner, p.local,
	p.published_at, p.edited_at, p.deleted_at, p.arrived_at, p.version, p.replies, p.boosts, p.favourites, p.data`

func scanPost(s scanner) (*social.Post, error) {
	p := &social.Post{}
	var local, published, edited, deleted, arrived int64
	var data string
	err := s.Scan(&p.ID, &p.URI, &p.AuthorID, &p.Kind, &p.InReplyToID, &p.InReplyToURI, &p.ThreadID, &p.BoostOfID,
		&p.Audience.Kind, &p.Audience.Name, &p.Audience.Owner, &p.Ceiling.Kind, &p.Ceiling.Name, &p.Ceiling.Owner, &local,
		&published, &edited, &deleted, &arrived, &p.Version, &p.RepliesCount, &p.BoostsCount, &p.FavouritesCount, &data)
	if err != nil {
		return nil, err
	}
	p.Local = local == 1
	p.PublishedAt, p.EditedAt, p.DeletedAt, p.ArrivedAt = at(published), at(edited), at(deleted), at(arrived)
	var d postData
	if err := json.Unmarshal([]byte(data), &d); err != nil {
		return nil, err
	}
	d.into(p)
	return p, nil
}

// postList runs a query for posts and adds their polls with one more.
func (t *Tx) postList(ctx context.Context, query string, args ...any) ([]*social.Post, error) {
	posts, err := list(ctx, t, scanPost, query, args...)
	if err != nil {
		return nil, err
	}
	return posts, t.addPolls(ctx, posts)
}

func (t *Tx) addPolls(ctx context.Context, posts []*social.Post) error {
	byID := map[social.ID]*social.Post{}
	var ids []social.ID
	for _, p := range posts {
		if p.Kind == social.PostPoll {
			byID[p.ID] = p
			ids = append(ids, p.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	polls, err := list(ctx, t, scanPoll, `SELECT post_id, options, multiple, expires_at, closed_at, voters FROM poll WHERE post_id IN `+t.db.dialect.ids("$1"), jsonText(ids))
	for _, poll := range polls {
		byID[poll.PostID].Poll = poll
	}
	return err
}

func scanPoll(s scanner) (*social.Poll, error) {
	p := &social.Poll{}
	var options string
	var multiple, expires, closed int64
	if err := s.Scan(&p.PostID, &options, &multiple, &expires, &closed, &p.Voters); err != nil {
		return nil, err
	}
	p.Multiple, p.ExpiresAt, p.ClosedAt = multiple == 1, at(expires), at(closed)
	return p, json.Unmarshal([]byte(options), &p.Options)
}

func first[T any](found []T, err error) (T, error) {
	var none T
	if err != nil {
		return none, err
	}
	if len(found) == 0 {
		return none, social.NotFoundError()
	}
	return found[0], nil
}

// Post finds one by id, tombstones too.
func (t *Tx) Post(ctx context.Context, id social.ID) (*social.Post, error) {
	return first(t.postList(ctx, `SELECT `+postColumns+` FROM post p WHERE p.id = $1`, id))
}

// Posts finds many by id.
func (t *Tx) Posts(ctx context.Context, ids []social.ID) (map[social.ID]*social.Post, error) {
	out := make(map[social.ID]*social.Post, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	found, err := t.postList(ctx, `SELECT `+postColumns+` FROM post p WHERE p.id IN `+t.db.dialect.ids("$1"), jsonText(ids))
	for _, p := range found {
		out[p.ID] = p
	}
	return out, err
}

// PostByURI finds one by URI.
func (t *Tx) PostByURI(ctx context.Context, uri string) (*social.Post, error) {
	return first(t.postList(ctx, `SELECT `+postColumns+` FROM post p WHERE p.uri = $1`, uri))
}

// PostsByURI finds many by URI.
func (t *Tx) PostsByURI(ctx context.Context, uris []string) (map[string]*social.Post, error) {
	out := make(map[string]*social.Post, len(uris))
	if len(uris) == 0 {
		return out, nil
	}
	found, err := t.postList(ctx, `SELECT `+postColumns+` FROM post p WHERE p.uri IN `+t.db.dialect.texts("$1"), jsonText(uris))
	for _, p := range found {
		out[p.URI] = p
	}
	return out, err
}

// PostsBy lists an author's posts.
func (t *Tx) PostsBy(ctx context.Context, author social.ID, p social.Page, f social.PostFilter) ([]*social.Post, error) {
	where := ` WHERE p.author_id = $1 AND p.deleted_at = 0`
	args := []any{author}
	if f.ExcludeReplies {
		where += ` AND p.parent_uri = ''`
	}
	if f.ExcludeBoosts {
		where += ` AND p.boost_of_id = 0`
	}
	if f.Pinned {
		where += ` AND EXISTS (SELECT 1 FROM mark m WHERE m.post_id = p.id AND m.account_id = p.author_id AND m.kind = 'pin')`
	}
	if f.Everybody {
		where += ` AND p.audience_kind IN ('public', 'unlisted') AND p.ceiling_kind = ''`
	}
	return t.filtered(ctx, where, args, p, f)
}

// PublicPosts lists posts for the public timelines.
func (t *Tx) PublicPosts(ctx context.Context, p social.Page, local, remote bool, f social.PostFilter) ([]*social.Post, error) {
	where := ` WHERE p.deleted_at = 0 AND p.boost_of_id = 0 AND p.parent_uri = '' AND p.audience_kind IN ('public', 'company', 'partner', 'instance')`
	if f.Tag != "" {
		where = ` WHERE p.deleted_at = 0 AND p.boost_of_id = 0`
	}
	if local {
		where += ` AND p.local = 1`
	}
	if remote {
		where += ` AND p.local = 0`
	}
	return t.filtered(ctx, where, nil, p, f)
}

func (t *Tx) filtered(ctx context.Context, where string, args []any, p social.Page, f social.PostFilter) ([]*social.Post, error) {
	if f.OnlyMedia {
		where += ` AND p.has_media = 1`
	}
	if f.Tag != "" {
		args = append(args, f.Tag)
		where += ` AND p.id IN (SELECT g.post_id FROM post_tag g WHERE g.tag = $` + itoa(len(args)) + `)`
	}
	clause, args, rev := keyset("p.id", p, args)
	found, err := t.postList(ctx, `SELECT `+postColumns+` FROM post p`+where+clause, args...)
	return turn(found, rev), err
}

// Replies lists direct replies, oldest first.
func (t *Tx) Replies(ctx context.Context, parent social.ID, p social.Page) ([]*social.Post, error) {
	return t.postList(ctx, `SELECT `+postColumns+` FROM post p WHERE p.parent_id = $1 AND p.parent_id <> 0 AND p.id > $2 AND p.deleted_at = 0 ORDER BY p.id LIMIT $3`,
		parent, int64(max(p.Min, p.Since)), p.Limit)
}

// Thread lists a thread, oldest first, tombstones too.
func (t *Tx) Thread(ctx context.Context, thread social.ID, limit int) ([]*social.Post, error) {
	return t.postList(ctx, `SELECT `+postColumns+` FROM post p WHERE p.thread_id = $1 AND p.boost_of_id = 0 ORDER BY p.id LIMIT $2`, thread, limit)
}

// idTries is how often an id that another post took is drawn again.
const idTries = 8

// InsertPost adds a post with its index rows and counts. A remote post whose id
// is taken gets another of the same moment; that of a local one stands in its URI,
// so it is a Conflict.
func (t *Tx) InsertPost(ctx context.Context, p *social.Post) error {
	for range idTries {
		ids, err := list(ctx, t, scanID, `SELECT id FROM post WHERE id = $1`, p.ID)
		if err != nil {
			return err
		}
		if len(ids) == 0 || p.Local {
			break
		}
		root := p.ThreadID == p.ID
		if p.ID = social.NewID(p.PublishedAt); root {
			p.ThreadID = p.ID
		}
	}
	p.Counted = false // a transaction may run again
	if err := t.countReply(ctx, p); err != nil {
		return err
	}
	raw, err := t.db.packers.pack(p.Raw)
	if err != nil {
		return err
	}
	n, err := t.exec(ctx, `
		INSERT INTO post (id, uri, author_id, kind, parent_id, parent_uri, thread_id, boost_of_id,
		  audience_kind, audience_name, audience_owner, ceiling_kind, ceiling_name, ceiling_owner, local, has_media,
		  published_at, edited_at, arrived_at, version, data, raw)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`,
		p.ID, p.URI, p.AuthorID, string(p.Kind), p.InReplyToID, p.InReplyToURI, p.ThreadID, p.BoostOfID,
		string(p.Audience.Kind), p.Audience.Name, p.Audience.Owner, string(p.Ceiling.Kind), p.Ceiling.Name, p.Ceiling.Owner,
		bit(p.Local), bit(len(p.Attachments) > 0), ms(p.PublishedAt), ms(p.EditedAt), ms(p.ArrivedAt), p.Version, dataOf(p), bytesOrNil(raw))
	if err != nil || n == 0 {
		return err
	}
	if p.Poll != nil {
		p.Poll.PostID = p.ID
		if err := t.insertPoll(ctx, p.Poll); err != nil {
			return err
		}
	}
	if err := t.index(ctx, p); err != nil {
		return err
	}
	return t.countPost(ctx, p, 1)
}

func (t *Tx) insertPoll(ctx context.Context, p *social.Poll) error {
	_, err := t.exec(ctx, `INSERT INTO poll (post_id, options, multiple, expires_at, closed_at, voters) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.PostID, jsonText(p.Options), bit(p.Multiple), ms(p.ExpiresAt), ms(p.ClosedAt), p.Voters)
	return err
}

// index writes the look-up rows of mentions and tags.
func (t *Tx) index(ctx context.Context, p *social.Post) error {
	for _, m := range p.Mentions {
		if m.AccountID == 0 {
			continue
		}
		if _, err := t.exec(ctx, `INSERT INTO mention (account_id, post_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, m.AccountID, p.ID); err != nil {
			return err
		}
	}
	for _, tag := range p.Tags {
		if _, err := t.exec(ctx, `INSERT INTO post_tag (tag, post_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, tag, p.ID); err != nil {
			return err
		}
	}
	return nil
}

// countPost adds a post to, or takes it from, what its author, parent and
// boosted post count.
func (t *Tx) countPost(ctx context.Context, p *social.Post, by int) error {
	if _, err := t.exec(ctx, `UPDATE account SET posts = posts + $2, last_post_at = CASE WHEN last_post_at < $3 THEN $3 ELSE last_post_at END WHERE id = $1`,
		p.AuthorID, by, ms(p.PublishedAt)); err != nil {
		return err
	}
	if p.Counted && by < 0 {
		if _, err := t.exec(ctx, `UPDATE post SET replies = replies - 1 WHERE id = $1`, p.InReplyToID); err != nil {
			return err
		}
	}
	if p.BoostOfID != 0 {
		if _, err := t.exec(ctx, `UPDATE post SET boosts = boosts + $2 WHERE id = $1`, p.BoostOfID, by); err != nil {
			return err
		}
	}
	return nil
}

// countReply notes whether a reply counts for its parent now, and counts it there or
// not any more.
func (t *Tx) countReply(ctx context.Context, p *social.Post) error {
	if p.InReplyToID == 0 {
		return nil
	}
	parent, err := t.Post(ctx, p.InReplyToID)
	if err != nil {
		return err
	}
	counts := p.CountsFor(parent)
	if counts == p.Counted {
		return nil
	}
	p.Counted = counts
	_, err = t.exec(ctx, `UPDATE post SET replies = replies + $2 WHERE id = $1`, p.InReplyToID, 2*bit(counts)-1)
	return err
}

// UpdatePost writes a new state and keeps the former one. The origin's bytes stay
// unless there are new ones.
func (t *Tx) UpdatePost(ctx context.Context, p *social.Post) error {
	if err := t.countReply(ctx, p); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `
		INSERT INTO post_version (post_id, version, at, data)
		SELECT id, version, CASE WHEN edited_at = 0 THEN published_at ELSE edited_at END, data FROM post WHERE id = $1 AND version < $2
		ON CONFLICT DO NOTHING`, p.ID, p.Version); err != nil {
		return err
	}
	raw, err := t.db.packers.pack(p.Raw)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `
		UPDATE post SET audience_kind = $2, audience_name = $3, audience_owner = $4, has_media = $5, edited_at = $6, version = $7, data = $8, raw = coalesce($9, raw)
		WHERE id = $1`, p.ID, string(p.Audience.Kind), p.Audience.Name, p.Audience.Owner, bit(len(p.Attachments) > 0),
		ms(p.EditedAt), p.Version, dataOf(p), bytesOrNil(raw)); err != nil {
		return err
	}
	for _, table := range []string{"mention", "post_tag"} {
		if _, err := t.exec(ctx, `DELETE FROM `+table+` WHERE post_id = $1`, p.ID); err != nil {
			return err
		}
	}
	if p.Poll != nil {
		if err := t.SetPollCounts(ctx, p.Poll); err != nil {
			return err
		}
	}
	return t.index(ctx, p)
}

// PostVersions lists former states, oldest first.
func (t *Tx) PostVersions(ctx context.Context, id social.ID) ([]*social.Post, error) {
	return list(ctx, t, func(s scanner) (*social.Post, error) {
		p := &social.Post{}
		var when int64
		var data string
		if err := s.Scan(&p.ID, &p.Version, &when, &data, &p.AuthorID); err != nil {
			return nil, err
		}
		p.EditedAt = at(when)
		var d postData
		err := json.Unmarshal([]byte(data), &d)
		d.into(p)
		return p, err
	}, `SELECT v.post_id, v.version, v.at, v.data, p.author_id FROM post_version v JOIN post p ON p.id = v.post_id WHERE v.post_id = $1 ORDER BY v.version`, id)
}

// DeletePost leaves a tombstone and says which files are free.
func (t *Tx) DeletePost(ctx context.Context, id social.ID, when time.Time) ([]string, error) {
	p, err := t.Post(ctx, id)
	if err != nil || p.Deleted() {
		return nil, err
	}
	boosts, err := t.boostsOf(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, b := range boosts {
		if _, err := t.DeletePost(ctx, b, when); err != nil {
			return nil, err
		}
	}
	if _, err := t.exec(ctx, `UPDATE post SET deleted_at = $2, data = $3, raw = NULL WHERE id = $1`, id, ms(when), lastReaders(p)); err != nil {
		return nil, err
	}
	// What told others of it holds its text, and will not be sent any more; what takes it
	// back holds ids only.
	if _, err := t.exec(ctx, `UPDATE activity SET body = $2 WHERE post_id = $1 AND post_id <> 0 AND retraction = 0`, id, []byte("{}")); err != nil {
		return nil, err
	}
	if err := t.countPost(ctx, p, -1); err != nil {
		return nil, err
	}
	files, err := list(ctx, t, scanText, `SELECT file FROM media WHERE post_id = $1 UNION ALL SELECT small FROM media WHERE post_id = $1 AND small <> ''`, id)
	if err != nil {
		return nil, err
	}
	for _, table := range []string{"post_version", "mention", "post_tag", "vote", "poll", "mark", "media", "timeline", "notification", "refusal"} {
		if _, err := t.exec(ctx, `DELETE FROM `+table+` WHERE post_id = $1`, id); err != nil {
			return nil, err
		}
	}
	copies, err := t.KeepRemoteMedia(ctx, id, nil)
	return append(files, copies...), err
}

// RawPost gives the origin's bytes of a remote post.
func (t *Tx) RawPost(ctx context.Context, id social.ID) (raw []byte, err error) {
	err = t.q.QueryRowContext(ctx, `SELECT raw FROM post WHERE id = $1`, id).Scan(&raw)
	if err != nil {
		return nil, t.db.translate(err)
	}
	return unpack(raw)
}

// boostsOf lists the boosts of a post.
func (t *Tx) boostsOf(ctx context.Context, id social.ID) ([]social.ID, error) {
	return list(ctx, t, scanID, `SELECT id FROM post WHERE boost_of_id = $1 AND boost_of_id <> 0 AND deleted_at = 0`, id)
}

// lastReaders keeps of a deleted post whom it named and answered, by number alone:
// they may learn that it is gone.
func lastReaders(p *social.Post) string {
	if p.Audience.Everybody() {
		return "{}"
	}
	d := postData{InReplyToAccountID: p.InReplyToAccountID}
	for _, m := range p.Mentions {
		d.Mentions = append(d.Mentions, social.Mention{AccountID: m.AccountID, Authority: m.Authority})
	}
	return jsonText(d)
}

func scanText(s scanner) (string, error) {
	var v string
	err := s.Scan(&v)
	return v, err
}

// ResolveReplies hangs posts that were waiting for a parent under it, with their threads.
func (t *Tx) ResolveReplies(ctx context.Context, uri string, parent *social.Post) error {
	waiting, err := t.postList(ctx, `SELECT `+postColumns+` FROM post p WHERE p.parent_uri = $1 AND p.parent_uri <> '' AND p.parent_id = 0 AND p.deleted_at = 0 LIMIT 500`, uri)
	if err != nil {
		return err
	}
	for _, p := range waiting {
		if p.ID == parent.ThreadID {
			continue // the parent hangs below it already: answers go in no circles (T13)
		}
		p.InReplyToID, p.InReplyToAccountID = parent.ID, parent.AuthorID
		if err := t.countReply(ctx, p); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE post SET parent_id = $2, data = $3 WHERE id = $1`, p.ID, parent.ID, dataOf(p)); err != nil {
			return err
		}
		if err := t.joinThread(ctx, p.ThreadID, parent); err != nil {
			return err
		}
	}
	return nil
}

// joinThread hangs a whole thread below a post of another, whose bound counts for it
// too: social.Audience.Under says how.
func (t *Tx) joinThread(ctx context.Context, thread social.ID, parent *social.Post) error {
	bounds, err := list(ctx, t, scanAudience, `SELECT DISTINCT ceiling_kind, ceiling_name, ceiling_owner FROM post WHERE thread_id = $1`, thread)
	if err != nil {
		return err
	}
	for _, had := range bounds {
		bound := had.Under(parent.Bound())
		if _, err := t.exec(ctx, `UPDATE post SET thread_id = $2, ceiling_kind = $3, ceiling_name = $4, ceiling_owner = $5
			WHERE thread_id = $1 AND ceiling_kind = $6 AND ceiling_name = $7 AND ceiling_owner = $8`, thread, parent.ThreadID,
			string(bound.Kind), bound.Name, bound.Owner, string(had.Kind), had.Name, had.Owner); err != nil {
			return err
		}
	}
	return nil
}

func scanAudience(s scanner) (social.Audience, error) {
	var a social.Audience
	err := s.Scan(&a.Kind, &a.Name, &a.Owner)
	return a, err
}

// BoostOf finds an account's boost.
func (t *Tx) BoostOf(ctx context.Context, account, post social.ID) (*social.Post, error) {
	return first(t.postList(ctx, `SELECT `+postColumns+` FROM post p WHERE p.boost_of_id = $2 AND p.boost_of_id <> 0 AND p.author_id = $1 AND p.deleted_at = 0`, account, post))
}

// BoostersOf lists who shared a post.
func (t *Tx) BoostersOf(ctx context.Context, post social.ID, p social.Page) ([]*social.Account, []social.ID, error) {
	return t.people(ctx, `post e JOIN account a ON a.id = e.author_id WHERE e.boost_of_id = $1 AND e.boost_of_id <> 0 AND e.deleted_at = 0`, post, p)
}

// FavouritersOf lists who liked a post.
func (t *Tx) FavouritersOf(ctx context.Context, post social.ID, p social.Page) ([]*social.Account, []social.ID, error) {
	return t.people(ctx, `mark e JOIN account a ON a.id = e.account_id WHERE e.post_id = $1 AND e.kind = 'favourite'`, post, p)
}

func (t *Tx) setMark(ctx context.Context, kind string, account, post social.ID, uri string, on bool) (bool, error) {
	var n int64
	var err error
	if on {
		n, err = t.exec(ctx, `INSERT INTO mark (id, kind, account_id, post_id, uri) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account_id, post_id, kind) DO NOTHING`,
			t.db.nextID(), kind, account, post, uri)
	} else {
		n, err = t.exec(ctx, `DELETE FROM mark WHERE kind = $1 AND account_id = $2 AND post_id = $3`, kind, account, post)
	}
	return n > 0, err
}

// SetFavourite likes or unlikes, and counts.
func (t *Tx) SetFavourite(ctx context.Context, account, post social.ID, uri string, on bool, _ time.Time) (bool, error) {
	changed, err := t.setMark(ctx, "favourite", account, post, uri, on)
	if err != nil || !changed {
		return false, err
	}
	_, err = t.exec(ctx, `UPDATE post SET favourites = favourites + $2 WHERE id = $1`, post, 2*bit(on)-1)
	return true, err
}

// FavouriteByURI finds a like by its activity.
func (t *Tx) FavouriteByURI(ctx context.Context, uri string) (account, post social.ID, err error) {
	err = t.q.QueryRowContext(ctx, `SELECT account_id, post_id FROM mark WHERE uri = $1 AND uri <> '' AND kind = 'favourite'`, uri).Scan(&account, &post)
	return account, post, t.db.translate(err)
}

// FavouriteURI finds the activity of a like.
func (t *Tx) FavouriteURI(ctx context.Context, account, post social.ID) (uri string, err error) {
	err = t.q.QueryRowContext(ctx, `SELECT uri FROM mark WHERE account_id = $1 AND post_id = $2 AND kind = 'favourite'`, account, post).Scan(&uri)
	return uri, t.db.translate(err)
}

// SetBookmark keeps a post for oneself.
func (t *Tx) SetBookmark(ctx context.Context, account, post social.ID, on bool, _ time.Time) (bool, error) {
	return t.setMark(ctx, "bookmark", account, post, "", on)
}

// SetPin shows a post on top of the profile.
func (t *Tx) SetPin(ctx context.Context, account, post social.ID, on bool, _ time.Time) (bool, error) {
	return t.setMark(ctx, "pin", account, post, "", on)
}

// Marks tells what an account marked among posts.
func (t *Tx) Marks(ctx context.Context, account social.ID, posts []social.ID) (map[social.ID]social.Marks, error) {
	out := map[social.ID]social.Marks{}
	if len(posts) == 0 {
		return out, nil
	}
	type row struct {
		post social.ID
		kind string
	}
	rows, err := list(ctx, t, func(s scanner) (row, error) {
		var r row
		err := s.Scan(&r.post, &r.kind)
		return r, err
	}, `SELECT post_id, kind FROM mark WHERE account_id = $1 AND post_id IN `+t.db.dialect.ids("$2")+`
		UNION ALL SELECT boost_of_id, 'boost' FROM post WHERE author_id = $1 AND deleted_at = 0 AND boost_of_id <> 0 AND boost_of_id IN `+t.db.dialect.ids("$2"),
		account, jsonText(posts))
	for _, r := range rows {
		m := out[r.post]
		switch r.kind {
		case "favourite":
			m.Favourited = true
		case "bookmark":
			m.Bookmarked = true
		case "pin":
			m.Pinned = true
		case "boost":
			m.Boosted = true
		}
		out[r.post] = m
	}
	return out, err
}

// Favourites and Bookmarks list what an account marked.
func (t *Tx) Favourites(ctx context.Context, account social.ID, p social.Page) ([]*social.Post, []social.ID, error) {
	return t.marked(ctx, "favourite", account, p)
}

// Bookmarks lists what an account kept.
func (t *Tx) Bookmarks(ctx context.Context, account social.ID, p social.Page) ([]*social.Post, []social.ID, error) {
	return t.marked(ctx, "bookmark", account, p)
}

func (t *Tx) marked(ctx context.Context, kind string, account social.ID, p social.Page) ([]*social.Post, []social.ID, error) {
	clause, args, rev := keyset("id", p, []any{account, kind})
	items, err := list(ctx, t, scanItem, `SELECT id, post_id FROM mark WHERE account_id = $1 AND kind = $2`+clause, args...)
	if err != nil {
		return nil, nil, err
	}
	items = turn(items, rev)
	ids := make([]social.ID, len(items))
	for i, it := range items {
		ids[i] = it.PostID
	}
	found, err := t.Posts(ctx, ids)
	var posts []*social.Post
	var cursors []social.ID
	for _, it := range items {
		if p := found[it.PostID]; p != nil {
			posts, cursors = append(posts, p), append(cursors, it.ID)
		}
	}
	return posts, cursors, err
}

func scanItem(s scanner) (social.TimelineItem, error) {
	var it social.TimelineItem
	err := s.Scan(&it.ID, &it.PostID)
	return it, err
}

// AddVotes records and counts one account's votes.
func (t *Tx) AddVotes(ctx context.Context, post, account social.ID, choices []int, when time.Time) error {
	poll, err := one(ctx, t, scanPoll, `SELECT post_id, options, multiple, expires_at, closed_at, voters FROM poll WHERE post_id = $1`, post)
	if err != nil {
		return err
	}
	had, err := list(ctx, t, scanID, `SELECT choice FROM vote WHERE post_id = $1 AND account_id = $2`, post, account)
	if err != nil {
		return err
	}
	if len(had) > 0 && !poll.Multiple {
		return social.Errorf(social.Conflict, "voted already")
	}
	for _, c := range choices {
		if _, err := t.exec(ctx, `INSERT INTO vote (post_id, account_id, choice, at) VALUES ($1, $2, $3, $4)`, post, account, c, ms(when)); err != nil {
			if errors.Is(err, social.ErrConflict) {
				return social.Errorf(social.Conflict, "voted already")
			}
			return err
		}
		poll.Options[c].Votes++
	}
	if len(had) == 0 {
		poll.Voters++
	}
	return t.SetPollCounts(ctx, poll)
}

// Votes tells what an account voted in polls.
func (t *Tx) Votes(ctx context.Context, account social.ID, posts []social.ID) (map[social.ID][]int, error) {
	out := map[social.ID][]int{}
	if len(posts) == 0 {
		return out, nil
	}
	type row struct {
		post   social.ID
		choice int
	}
	rows, err := list(ctx, t, func(s scanner) (row, error) {
		var r row
		err := s.Scan(&r.post, &r.choice)
		return r, err
	}, `SELECT post_id, choice FROM vote WHERE account_id = $1 AND post_id IN `+t.db.dialect.ids("$2")+` ORDER BY choice`, account, jsonText(posts))
	for _, r := range rows {
		out[r.post] = append(out[r.post], r.choice)
	}
	return out, err
}

// SetPollCounts writes a poll's counts and end.
func (t *Tx) SetPollCounts(ctx context.Context, p *social.Poll) error {
	_, err := t.exec(ctx, `UPDATE poll SET options = $2, voters = $3, expires_at = $4, closed_at = $5 WHERE post_id = $1`,
		p.PostID, jsonText(p.Options), p.Voters, ms(p.ExpiresAt), ms(p.ClosedAt))
	return err
}

// PollsEnding lists own open polls whose end has passed.
func (t *Tx) PollsEnding(ctx context.Context, now time.Time, limit int) ([]*social.Post, error) {
	return t.postList(ctx, `SELECT `+postColumns+` FROM poll q JOIN post p ON p.id = q.post_id
		WHERE q.closed_at = 0 AND q.expires_at <> 0 AND q.expires_at <= $1 AND p.local = 1 AND p.deleted_at = 0 LIMIT $2`, ms(now), limit)
}

func scanMedia(s scanner) (*social.Media, error) {
	m := &social.Media{}
	var created int64
	var attachment string
	if err := s.Scan(&m.ID, &m.AccountID, &m.PostID, &m.File, &m.Small, &m.Size, &created, &attachment); err != nil {
		return nil, err
	}
	m.CreatedAt = at(created)
	return m, json.Unmarshal([]byte(attachment), &m.Attachment)
}

const mediaColumns = `id, account_id, post_id, file, small, size, created_at, attachment`

// InsertMedia adds an upload.
func (t *Tx) InsertMedia(ctx context.Context, m *social.Media) error {
	_, err := t.exec(ctx, `INSERT INTO media (`+mediaColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		m.ID, m.AccountID, m.PostID, m.File, m.Small, m.Size, ms(m.CreatedAt), jsonText(m.Attachment))
	return err
}

// Media finds an upload.
func (t *Tx) Media(ctx context.Context, id social.ID) (*social.Media, error) {
	return one(ctx, t, scanMedia, `SELECT `+mediaColumns+` FROM media WHERE id = $1`, id)
}

// MediaOf finds many uploads.
func (t *Tx) MediaOf(ctx context.Context, ids []social.ID) (map[social.ID]*social.Media, error) {
	out := map[social.ID]*social.Media{}
	if len(ids) == 0 {
		return out, nil
	}
	found, err := list(ctx, t, scanMedia, `SELECT `+mediaColumns+` FROM media WHERE id IN `+t.db.dialect.ids("$1"), jsonText(ids))
	for _, m := range found {
		out[m.ID] = m
	}
	return out, err
}

// UpdateMedia writes the post it belongs to and its description.
func (t *Tx) UpdateMedia(ctx context.Context, m *social.Media) error {
	_, err := t.exec(ctx, `UPDATE media SET post_id = $2, attachment = $3 WHERE id = $1`, m.ID, m.PostID, jsonText(m.Attachment))
	return err
}

// OrphanMedia lists uploads that no post or profile took.
func (t *Tx) OrphanMedia(ctx context.Context, before time.Time, limit int) ([]*social.Media, error) {
	found, err := list(ctx, t, scanMedia, `SELECT `+mediaColumns+` FROM media WHERE post_id = 0 AND created_at < $1 ORDER BY id LIMIT $2`, ms(before), limit)
	if err != nil {
		return nil, err
	}
	var out []*social.Media
	for _, m := range found {
		owner, err := t.Account(ctx, m.AccountID)
		if err != nil {
			return nil, err
		}
		if owner.AvatarID != m.ID && owner.HeaderID != m.ID {
			out = append(out, m)
		}
	}
	return out, nil
}

// DeleteMedia removes an upload's row.
func (t *Tx) DeleteMedia(ctx context.Context, id social.ID) error {
	_, err := t.exec(ctx, `DELETE FROM media WHERE id = $1`, id)
	return err
}

// Remember keeps what an idempotency key made.
func (t *Tx) Remember(ctx context.Context, account social.ID, key string, post social.ID, when time.Time) error {
	if _, err := t.exec(ctx, `DELETE FROM idempotency WHERE account_id = $1 AND at < $2`, account, ms(when.Add(-time.Hour))); err != nil {
		return err
	}
	_, err := t.exec(ctx, `INSERT INTO idempotency (account_id, name, post_id, at) VALUES ($1, $2, $3, $4)`, account, key, post, ms(when))
	return err
}

// Recall finds what an idempotency key made.
func (t *Tx) Recall(ctx context.Context, account social.ID, key string, after time.Time) (social.ID, error) {
	ids, err := list(ctx, t, scanID, `SELECT post_id FROM idempotency WHERE account_id = $1 AND name = $2 AND at >= $3`, account, key, ms(after))
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return ids[0], nil
}
