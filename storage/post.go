package storage

import (
	"context"
	"encoding/json"
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
	Question           bool                `json:"question,omitempty"`
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
	Via                string              `json:"via,omitempty"`
	RepliesMissing     int                 `json:"replies_missing,omitempty"`
}

func dataOf(p *social.Post) string {
	return jsonText(postData{URL: p.URL, Title: p.Title, Content: p.Content, Source: p.Source, Summary: p.Summary,
		Sensitive: p.Sensitive, Question: p.Question, Language: p.Language, InReplyToAccountID: p.InReplyToAccountID, ContextURI: p.ContextURI,
		QuoteOfID: p.QuoteOfID, QuoteOfURI: p.QuoteOfURI, Mentions: p.Mentions, Tags: p.Tags, Emojis: p.Emojis, Attachments: p.Attachments,
		Counted: p.Counted, Via: p.Via, RepliesMissing: p.RepliesMissing})
}

func (d postData) into(p *social.Post) {
	p.URL, p.Title, p.Content, p.Source, p.Summary = d.URL, d.Title, d.Content, d.Source, d.Summary
	p.Sensitive, p.Question, p.Language, p.InReplyToAccountID, p.ContextURI = d.Sensitive, d.Question, d.Language, d.InReplyToAccountID, d.ContextURI
	p.QuoteOfID, p.QuoteOfURI, p.Mentions, p.Tags = d.QuoteOfID, d.QuoteOfURI, d.Mentions, d.Tags
	p.Emojis, p.Attachments, p.Counted, p.Via, p.RepliesMissing = d.Emojis, d.Attachments, d.Counted, d.Via, d.RepliesMissing
}

const postColumns = `p.id, p.uri, p.author_id, p.kind, p.parent_id, p.parent_uri, p.thread_id, p.boost_of_id,
	p.audience_kind, p.audience_name, p.audience_owner, p.ceiling_kind, p.ceiling_name, p.ceiling_owner, p.local,
	p.published_at, p.edited_at, p.deleted_at, p.arrived_at, p.version, p.replies, p.boosts, p.favourites, p.group_id, p.data`

func scanPost(s scanner) (*social.Post, error) {
	p := &social.Post{}
	var local, published, edited, deleted, arrived int64
	var data string
	err := s.Scan(&p.ID, &p.URI, &p.AuthorID, &p.Kind, &p.InReplyToID, &p.InReplyToURI, &p.ThreadID, &p.BoostOfID,
		&p.Audience.Kind, &p.Audience.Name, &p.Audience.Owner, &p.Ceiling.Kind, &p.Ceiling.Name, &p.Ceiling.Owner, &local,
		&published, &edited, &deleted, &arrived, &p.Version, &p.RepliesCount, &p.BoostsCount, &p.FavouritesCount, &p.GroupID, &data)
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
	if f.Audience != "" {
		args = append(args, string(f.Audience))
		where += ` AND p.audience_kind = $` + itoa(len(args))
	}
	if f.Tag != "" {
		args = append(args, f.Tag)
		where += ` AND p.id IN (SELECT g.post_id FROM post_tag g WHERE g.tag = $` + itoa(len(args)) + `)`
	}
	clause, args, rev := keyset("p.id", p, args)
	found, err := t.postList(ctx, `SELECT `+postColumns+` FROM post p`+where+clause, args...)
	return turn(found, rev), err
}

// TaggedPosts lists posts with hashtags.
func (t *Tx) TaggedPosts(ctx context.Context, p social.Page) ([]*social.Post, error) {
	clause, args, _ := keyset("g.post_id", p, nil)
	return t.postList(ctx, `SELECT `+postColumns+` FROM post p
		WHERE p.id IN (SELECT DISTINCT g.post_id FROM post_tag g WHERE g.tag <> ''`+clause+`) ORDER BY p.id DESC`, args...)
}

// QuotesOf lists what quotes a post.
func (t *Tx) QuotesOf(ctx context.Context, post social.ID, p social.Page) ([]*social.Post, error) {
	clause, args, rev := keyset("p.id", p, []any{post})
	found, err := t.postList(ctx, `SELECT `+postColumns+` FROM post p WHERE p.quote_of_id = $1 AND p.quote_of_id <> 0 AND p.deleted_at = 0`+clause, args...)
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
		  published_at, edited_at, arrived_at, version, data, raw, group_id, quote_of_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)`,
		p.ID, p.URI, p.AuthorID, string(p.Kind), p.InReplyToID, p.InReplyToURI, p.ThreadID, p.BoostOfID,
		string(p.Audience.Kind), p.Audience.Name, p.Audience.Owner, string(p.Ceiling.Kind), p.Ceiling.Name, p.Ceiling.Owner,
		bit(p.Local), bit(len(p.Attachments) > 0), ms(p.PublishedAt), ms(p.EditedAt), ms(p.ArrivedAt), p.Version, dataOf(p), bytesOrNil(raw), p.GroupID, p.QuoteOfID)
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
	if err := t.wordsLater(ctx, p); err != nil {
		return err
	}
	return t.countPost(ctx, p, 1)
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
	if p.Audience.Counted() {
		if _, err := t.exec(ctx, `UPDATE account SET posts = posts + $2, last_post_at = CASE WHEN last_post_at < $3 THEN $3 ELSE last_post_at END WHERE id = $1`,
			p.AuthorID, by, ms(p.PublishedAt)); err != nil {
			return err
		}
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

// recount takes a post out of its author's count, or into it, when an edit changes who
// sees it.
func (t *Tx) recount(ctx context.Context, p *social.Post) error {
	kind, err := one(ctx, t, scanText, `SELECT audience_kind FROM post WHERE id = $1`, p.ID)
	was := social.Audience{Kind: social.AudienceKind(kind)}
	if err != nil || was.Counted() == p.Audience.Counted() {
		return err
	}
	_, err = t.exec(ctx, `UPDATE account SET posts = posts + $2 WHERE id = $1`, p.AuthorID, 2*bit(p.Audience.Counted())-1)
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
	if err := t.recount(ctx, p); err != nil {
		return err
	}
	raw, err := t.db.packers.pack(p.Raw)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `
		UPDATE post SET audience_kind = $2, audience_name = $3, audience_owner = $4, has_media = $5, edited_at = $6, version = $7, data = $8, raw = coalesce($9, raw), group_id = $10, quote_of_id = $11
		WHERE id = $1`, p.ID, string(p.Audience.Kind), p.Audience.Name, p.Audience.Owner, bit(len(p.Attachments) > 0),
		ms(p.EditedAt), p.Version, dataOf(p), bytesOrNil(raw), p.GroupID, p.QuoteOfID); err != nil {
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
	if err := t.index(ctx, p); err != nil {
		return err
	}
	if err := t.dropWords(ctx, p.ID); err != nil {
		return err
	}
	return t.wordsLater(ctx, p)
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
	if err := t.dropWords(ctx, id); err != nil {
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

// ForgetPost removes the tombstone of a remote post.
func (t *Tx) ForgetPost(ctx context.Context, id social.ID) error {
	if _, err := t.exec(ctx, `UPDATE post SET parent_id = 0 WHERE parent_id = $1`, id); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM post WHERE id = $1 AND local = 0 AND deleted_at <> 0`, id)
	return err
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
	return t.joinConversations(ctx, thread, parent.ThreadID)
}

func scanAudience(s scanner) (social.Audience, error) {
	var a social.Audience
	err := s.Scan(&a.Kind, &a.Name, &a.Owner)
	return a, err
}

func scanItem(s scanner) (social.TimelineItem, error) {
	var it social.TimelineItem
	err := s.Scan(&it.ID, &it.PostID)
	return it, err
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
