package storage

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"parley/social"
)

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

func (t *Tx) insertPoll(ctx context.Context, p *social.Poll) error {
	_, err := t.exec(ctx, `INSERT INTO poll (post_id, options, multiple, expires_at, closed_at, voters) VALUES ($1, $2, $3, $4, $5, $6)`,
		p.PostID, jsonText(p.Options), bit(p.Multiple), ms(p.ExpiresAt), ms(p.ClosedAt), p.Voters)
	return err
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
