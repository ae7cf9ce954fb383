package storage

import (
	"context"
	"time"

	"parley/social"
)

// pastAfter is longer than any transaction takes: what happened earlier is not new.
const pastAfter = time.Hour

// apart are whom the owner $1 follows of those in exclusive lists.
const apart = `SELECT m.account_id FROM people_list l JOIN people_list_member m ON m.list_id = l.id
	JOIN follow f ON f.follower_id = l.owner_id AND f.target_id = m.account_id WHERE l.owner_id = $1 AND l.exclusive = 1 AND f.state = 'accepted'`

// AddToTimelines puts a post into home timelines; an owner gets a post once,
// whether as itself or as a boost.
func (t *Tx) AddToTimelines(ctx context.Context, p *social.Post, extra []social.ID, when time.Time) ([]social.ID, error) {
	place := t.db.nextID()
	if t.db.now().Sub(when) > pastAfter {
		place = p.ID
	}
	subject := p.ID
	if p.BoostOfID != 0 {
		subject = p.BoostOfID
	}
	return list(ctx, t, scanID, `
		INSERT INTO timeline (owner_id, id, post_id, subject_id, author_id)
		SELECT o.id, $2, $3, $4, $1 FROM account o
		WHERE o.host = '' AND o.deleted_at = 0 AND (o.id IN `+t.db.dialect.ids("$5")+` OR o.id IN (
		  SELECT f.follower_id FROM follow f WHERE f.state = 'accepted' AND (f.target_id = $1 AND f.show_boosts >= $6 OR f.target_id = $7)))
		ON CONFLICT DO NOTHING RETURNING owner_id`,
		p.AuthorID, place, p.ID, subject, jsonText(append([]social.ID{}, extra...)), bit(p.BoostOfID != 0), p.GroupID)
}

// Timeline pages through the ids of a home timeline.
func (t *Tx) Timeline(ctx context.Context, owner social.ID, p social.Page) ([]social.TimelineItem, error) {
	clause, args, rev := keyset("id", p, []any{owner})
	items, err := list(ctx, t, scanItem, `SELECT id, post_id FROM timeline WHERE owner_id = $1 AND author_id NOT IN (`+apart+`)`+clause, args...)
	return turn(items, rev), err
}

// InTimeline finds where posts, or what they boost, stand in a home timeline.
func (t *Tx) InTimeline(ctx context.Context, owner social.ID, posts []social.ID) ([]social.TimelineItem, error) {
	return list(ctx, t, scanItem, `SELECT l.id, p.id FROM post p JOIN timeline l ON l.owner_id = $1
		AND l.subject_id = CASE WHEN p.boost_of_id = 0 THEN p.id ELSE p.boost_of_id END
		WHERE p.id IN `+t.db.dialect.ids("$2"), owner, jsonText(posts))
}

// FillTimeline adds an author's newest posts where their dates put them.
func (t *Tx) FillTimeline(ctx context.Context, owner, author social.ID, limit int) error {
	_, err := t.exec(ctx, `
		INSERT INTO timeline (owner_id, id, post_id, subject_id, author_id)
		SELECT $1, p.id, p.id, CASE WHEN p.boost_of_id = 0 THEN p.id ELSE p.boost_of_id END, p.author_id
		FROM (SELECT id, boost_of_id, author_id FROM post WHERE (author_id = $2 OR group_id = $2) AND deleted_at = 0 AND audience_kind <> 'direct'
		      ORDER BY id DESC LIMIT $3) p WHERE true
		ON CONFLICT DO NOTHING`, owner, author, limit)
	return err
}

// ClearTimeline takes out an author's posts, or a group's but for the owner's own.
func (t *Tx) ClearTimeline(ctx context.Context, owner, author social.ID) error {
	_, err := t.exec(ctx, `DELETE FROM timeline WHERE owner_id = $1 AND author_id <> $1 AND (author_id = $2 OR post_id IN (SELECT id FROM post WHERE group_id = $2 AND group_id <> 0))`, owner, author)
	return err
}
