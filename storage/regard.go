package storage

import (
	"context"

	"parley/social"
)

// PutNote keeps a note about an account.
func (t *Tx) PutNote(ctx context.Context, account, target social.ID, note string) error {
	if note == "" {
		_, err := t.exec(ctx, `DELETE FROM account_note WHERE account_id = $1 AND target_id = $2`, account, target)
		return err
	}
	_, err := t.exec(ctx, `INSERT INTO account_note (account_id, target_id, note) VALUES ($1, $2, $3)
		ON CONFLICT (account_id, target_id) DO UPDATE SET note = excluded.note`, account, target, note)
	return err
}

// SetEndorsed recommends an account, or no more.
func (t *Tx) SetEndorsed(ctx context.Context, account, target social.ID, on bool) error {
	if !on {
		_, err := t.exec(ctx, `DELETE FROM endorsement WHERE account_id = $1 AND target_id = $2`, account, target)
		return err
	}
	_, err := t.exec(ctx, `INSERT INTO endorsement (id, account_id, target_id) VALUES ($1, $2, $3) ON CONFLICT (account_id, target_id) DO NOTHING`, t.db.nextID(), account, target)
	return err
}

// Regards tells what an account makes of others.
func (t *Tx) Regards(ctx context.Context, account social.ID, targets []social.ID) (map[social.ID]social.Regard, error) {
	out := map[social.ID]social.Regard{}
	if len(targets) == 0 {
		return out, nil
	}
	type row struct {
		target   social.ID
		note     string
		endorsed int64
	}
	rows, err := list(ctx, t, func(s scanner) (row, error) {
		var r row
		err := s.Scan(&r.target, &r.note, &r.endorsed)
		return r, err
	}, `SELECT target_id, note, 0 FROM account_note WHERE account_id = $1 AND target_id IN `+t.db.dialect.ids("$2")+`
		UNION ALL SELECT target_id, '', 1 FROM endorsement WHERE account_id = $1 AND target_id IN `+t.db.dialect.ids("$2"),
		account, jsonText(targets))
	for _, r := range rows {
		one := out[r.target]
		if r.endorsed == 1 {
			one.Endorsed = true
		} else {
			one.Note = r.note
		}
		out[r.target] = one
	}
	return out, err
}

// Endorsements lists whom an account recommends and follows.
func (t *Tx) Endorsements(ctx context.Context, account social.ID, p social.Page) ([]*social.Account, []social.ID, error) {
	return t.people(ctx, `endorsement e JOIN account a ON a.id = e.target_id JOIN follow f ON f.follower_id = e.account_id AND f.target_id = e.target_id
		WHERE e.account_id = $1 AND f.state = 'accepted' AND a.deleted_at = 0`, account, p)
}

func scanFeaturedTag(s scanner) (*social.FeaturedTag, error) {
	f := &social.FeaturedTag{}
	return f, s.Scan(&f.ID, &f.AccountID, &f.Tag)
}

// FeaturedTags lists an account's.
func (t *Tx) FeaturedTags(ctx context.Context, account social.ID) ([]*social.FeaturedTag, error) {
	return list(ctx, t, scanFeaturedTag, `SELECT id, account_id, tag FROM featured_tag WHERE account_id = $1 ORDER BY id`, account)
}

// AddFeaturedTag inserts one.
func (t *Tx) AddFeaturedTag(ctx context.Context, f *social.FeaturedTag) error {
	f.ID = t.db.nextID()
	_, err := t.exec(ctx, `INSERT INTO featured_tag (id, account_id, tag) VALUES ($1, $2, $3)`, f.ID, f.AccountID, f.Tag)
	return err
}

// DeleteFeaturedTag removes one of an account's.
func (t *Tx) DeleteFeaturedTag(ctx context.Context, account, id social.ID) (bool, error) {
	n, err := t.exec(ctx, `DELETE FROM featured_tag WHERE account_id = $1 AND id = $2`, account, id)
	return n > 0, err
}

// TaggedBy lists what an account wrote with any of some hashtags.
func (t *Tx) TaggedBy(ctx context.Context, account social.ID, tags []string, limit int) ([]*social.Post, error) {
	return t.postList(ctx, `SELECT `+postColumns+` FROM post p WHERE p.author_id = $1 AND p.deleted_at = 0 AND p.boost_of_id = 0
		AND EXISTS (SELECT 1 FROM post_tag g WHERE g.post_id = p.id AND g.tag IN `+t.db.dialect.texts("$2")+`) ORDER BY p.id DESC LIMIT $3`, account, jsonText(tags), limit)
}

// TagsOf lists the hashtags of an account's newest posts, those that stand in most of
// them first.
func (t *Tx) TagsOf(ctx context.Context, account social.ID, posts, limit int) ([]string, error) {
	return list(ctx, t, scanText, `SELECT g.tag FROM (SELECT id FROM post WHERE author_id = $1 AND deleted_at = 0 AND boost_of_id = 0 ORDER BY id DESC LIMIT $2) s
		JOIN post_tag g ON g.post_id = s.id GROUP BY g.tag ORDER BY count(*) DESC, g.tag LIMIT $3`, account, posts, limit)
}

// SetDomainBlock hides a server from an account, or no more.
func (t *Tx) SetDomainBlock(ctx context.Context, account social.ID, domain string, on bool) (bool, error) {
	query, args := `DELETE FROM domain_block WHERE account_id = $1 AND domain = $2`, []any{account, domain}
	if on {
		query, args = `INSERT INTO domain_block (account_id, domain, id) VALUES ($1, $2, $3) ON CONFLICT (account_id, domain) DO NOTHING`, append(args, t.db.nextID())
	}
	n, err := t.exec(ctx, query, args...)
	return n > 0, err
}

// DomainBlocks lists the servers that an account does not want to see.
func (t *Tx) DomainBlocks(ctx context.Context, account social.ID, p social.Page) ([]social.DomainBlock, error) {
	clause, args, rev := keyset("id", p, []any{account})
	found, err := list(ctx, t, func(s scanner) (social.DomainBlock, error) {
		var b social.DomainBlock
		err := s.Scan(&b.ID, &b.Domain)
		return b, err
	}, `SELECT id, domain FROM domain_block WHERE account_id = $1`+clause, args...)
	return turn(found, rev), err
}

// DomainsBlocked tells which of some servers an account does not want to see.
func (t *Tx) DomainsBlocked(ctx context.Context, account social.ID, domains []string) (map[string]bool, error) {
	out := map[string]bool{}
	if len(domains) == 0 {
		return out, nil
	}
	found, err := list(ctx, t, scanText, `SELECT domain FROM domain_block WHERE account_id = $1 AND domain IN `+t.db.dialect.texts("$2"), account, jsonText(domains))
	for _, d := range found {
		out[d] = true
	}
	return out, err
}

// FollowersOf lists the follows of an account from a server, waiting ones too.
func (t *Tx) FollowersOf(ctx context.Context, account social.ID, domain string, limit int) ([]*social.Follow, error) {
	return list(ctx, t, scanFollow, `SELECT `+followColumns+` FROM follow f JOIN account a ON a.id = f.follower_id
		WHERE f.target_id = $1 AND a.host <> '' AND (a.host = $2 OR a.authority = $2) ORDER BY f.id LIMIT $3`, account, domain, limit)
}

// ForgetRegards removes all that an account made of others.
func (t *Tx) ForgetRegards(ctx context.Context, account social.ID) error {
	for _, table := range []string{"account_note", "endorsement", "featured_tag", "domain_block"} {
		if _, err := t.exec(ctx, `DELETE FROM `+table+` WHERE account_id = $1`, account); err != nil {
			return err
		}
	}
	_, err := t.exec(ctx, `DELETE FROM mark WHERE account_id = $1 AND kind = 'bookmark'`, account)
	return err
}
