package storage

import (
	"context"
	"encoding/json"
	"time"

	"parley/social"
)

// filterData is what a filter says, kept as one text: a reader's filters are read whole.
type filterData struct {
	Title     string                 `json:"title"`
	Places    []social.FilterPlace   `json:"places"`
	Action    string                 `json:"action"`
	ExpiresAt int64                  `json:"expires_at,omitempty"`
	Keywords  []social.FilterKeyword `json:"keywords,omitempty"`
	Posts     []social.FilterPost    `json:"posts,omitempty"`
}

func scanFilter(s scanner) (*social.Filter, error) {
	f := &social.Filter{}
	var text string
	if err := s.Scan(&f.ID, &f.AccountID, &text); err != nil {
		return nil, err
	}
	var d filterData
	err := json.Unmarshal([]byte(text), &d)
	f.Title, f.Places, f.Action, f.ExpiresAt, f.Keywords, f.Posts = d.Title, d.Places, d.Action, at(d.ExpiresAt), d.Keywords, d.Posts
	return f, err
}

// Filters lists an account's by id.
func (t *Tx) Filters(ctx context.Context, account social.ID) ([]*social.Filter, error) {
	return list(ctx, t, scanFilter, `SELECT id, account_id, data FROM content_filter WHERE account_id = $1 ORDER BY id`, account)
}

// PutFilter inserts or updates one.
func (t *Tx) PutFilter(ctx context.Context, f *social.Filter) error {
	query := `UPDATE content_filter SET data = $3 WHERE id = $1 AND account_id = $2`
	if f.ID == 0 {
		f.ID = t.db.nextID()
		query = `INSERT INTO content_filter (id, account_id, data) VALUES ($1, $2, $3)`
	}
	_, err := t.exec(ctx, query, f.ID, f.AccountID, jsonText(filterData{f.Title, f.Places, f.Action, ms(f.ExpiresAt), f.Keywords, f.Posts}))
	return err
}

// DeleteFilter removes one of an account's.
func (t *Tx) DeleteFilter(ctx context.Context, account, id social.ID) error {
	_, err := t.exec(ctx, `DELETE FROM content_filter WHERE id = $1 AND account_id = $2`, id, account)
	return err
}

func scanMarker(s scanner) (social.Marker, error) {
	var m social.Marker
	var updated int64
	err := s.Scan(&m.Timeline, &m.LastRead, &m.Version, &updated)
	m.UpdatedAt = at(updated)
	return m, err
}

// Markers lists an account's.
func (t *Tx) Markers(ctx context.Context, account social.ID) ([]social.Marker, error) {
	return list(ctx, t, scanMarker, `SELECT timeline, last_read_id, version, updated_at FROM marker WHERE account_id = $1 ORDER BY timeline`, account)
}

// PutMarker moves a marker.
func (t *Tx) PutMarker(ctx context.Context, account social.ID, timeline string, last social.ID, when time.Time) error {
	_, err := t.exec(ctx, `INSERT INTO marker (account_id, timeline, last_read_id, version, updated_at) VALUES ($1, $2, $3, 1, $4)
		ON CONFLICT (account_id, timeline) DO UPDATE SET last_read_id = excluded.last_read_id, version = marker.version + 1, updated_at = excluded.updated_at`,
		account, timeline, last, ms(when))
	return err
}

// FollowTag begins or ends the following of a tag.
func (t *Tx) FollowTag(ctx context.Context, account social.ID, tag string, on bool) error {
	if !on {
		_, err := t.exec(ctx, `DELETE FROM tag_follow WHERE account_id = $1 AND tag = $2`, account, tag)
		return err
	}
	_, err := t.exec(ctx, `INSERT INTO tag_follow (id, account_id, tag) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, t.db.nextID(), account, tag)
	return err
}

// FollowedTags lists an account's.
func (t *Tx) FollowedTags(ctx context.Context, account social.ID, p social.Page) (tags []string, cursors []social.ID, err error) {
	type row struct {
		id  social.ID
		tag string
	}
	clause, args, reversed := keyset("id", p, []any{account})
	rows, err := list(ctx, t, func(s scanner) (r row, err error) { return r, s.Scan(&r.id, &r.tag) }, `SELECT id, tag FROM tag_follow WHERE account_id = $1`+clause, args...)
	for _, r := range turn(rows, reversed) {
		tags, cursors = append(tags, r.tag), append(cursors, r.id)
	}
	return tags, cursors, err
}

// TagFollowers lists the members who follow one of the tags.
func (t *Tx) TagFollowers(ctx context.Context, tags []string) ([]social.ID, error) {
	return list(ctx, t, scanID, `SELECT DISTINCT account_id FROM tag_follow WHERE tag IN `+t.db.dialect.texts("$1"), jsonText(append([]string{}, tags...)))
}

func scanConversation(s scanner) (social.ConversationItem, error) {
	var c social.ConversationItem
	return c, s.Scan(&c.ThreadID, &c.PostID, &c.ReadTo)
}

// conversations are the newest direct posts of each thread that somebody wrote or is
// named in ($1).
const conversations = `SELECT newest.thread_id, newest.id, coalesce(c.read_to, 0) FROM (
	  SELECT thread_id, max(id) AS id FROM (
	    SELECT thread_id, id FROM post WHERE author_id = $1 AND audience_kind = 'direct' AND deleted_at = 0 AND boost_of_id = 0
	    UNION SELECT p.thread_id, p.id FROM mention m JOIN post p ON p.id = m.post_id WHERE m.account_id = $1 AND p.audience_kind = 'direct' AND p.deleted_at = 0
	  ) mine GROUP BY thread_id) newest
	LEFT JOIN conversation c ON c.account_id = $1 AND c.thread_id = newest.thread_id
	WHERE newest.id > coalesce(c.gone_to, 0)`

// Conversations lists an account's.
func (t *Tx) Conversations(ctx context.Context, account social.ID, p social.Page) ([]social.ConversationItem, error) {
	clause, args, reversed := keyset("newest.id", p, []any{account})
	items, err := list(ctx, t, scanConversation, conversations+clause, args...)
	return turn(items, reversed), err
}

// Conversation finds one.
func (t *Tx) Conversation(ctx context.Context, account, thread social.ID) (social.ConversationItem, error) {
	return one(ctx, t, scanConversation, conversations+` AND newest.thread_id = $2`, account, thread)
}

// SetConversation notes how far one was read and put away.
func (t *Tx) SetConversation(ctx context.Context, account, thread, readTo, goneTo social.ID) error {
	_, err := t.exec(ctx, `INSERT INTO conversation (account_id, thread_id, read_to, gone_to) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account_id, thread_id) DO UPDATE SET
		  read_to = CASE WHEN excluded.read_to > conversation.read_to THEN excluded.read_to ELSE conversation.read_to END,
		  gone_to = CASE WHEN excluded.gone_to > conversation.gone_to THEN excluded.gone_to ELSE conversation.gone_to END`, account, thread, readTo, goneTo)
	return err
}

// MuteThread says that an account hears nothing more of a thread, or does again.
func (t *Tx) MuteThread(ctx context.Context, account, thread social.ID, on bool) error {
	_, err := t.exec(ctx, `INSERT INTO conversation (account_id, thread_id, read_to, gone_to, muted) VALUES ($1, $2, 0, 0, $3)
		ON CONFLICT (account_id, thread_id) DO UPDATE SET muted = excluded.muted`, account, thread, bit(on))
	return err
}

// MutesThread says that an account hears nothing of a thread.
func (t *Tx) MutesThread(ctx context.Context, account, thread social.ID) (muted bool, err error) {
	err = t.q.QueryRowContext(ctx, `SELECT count(*) > 0 FROM conversation WHERE account_id = $1 AND thread_id = $2 AND muted = 1`, account, thread).Scan(&muted)
	return muted, t.db.translate(err)
}

// joinConversations takes along what members keep about a thread that turns out to be part
// of another.
func (t *Tx) joinConversations(ctx context.Context, thread, whole social.ID) error {
	if thread == whole {
		return nil
	}
	later := func(column string) string {
		return column + ` = CASE WHEN excluded.` + column + ` > conversation.` + column + ` THEN excluded.` + column + ` ELSE conversation.` + column + ` END`
	}
	if _, err := t.exec(ctx, `INSERT INTO conversation (account_id, thread_id, read_to, gone_to, muted)
		SELECT account_id, CAST($2 AS BIGINT), read_to, gone_to, muted FROM conversation WHERE thread_id = $1
		ON CONFLICT (account_id, thread_id) DO UPDATE SET `+later("read_to")+`, `+later("gone_to")+`, `+later("muted"), thread, whole); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM conversation WHERE thread_id = $1`, thread)
	return err
}
