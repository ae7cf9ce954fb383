package social

import (
	"context"
	"time"

	"parley/queue"
)

// countsEvery is how often the counts of an own poll are told to those who have it.
const countsEvery = 3 * time.Minute

// CountsJob is the kind of the jobs that tell a poll's counts; Ref is the poll.
const CountsJob = "poll"

// tellCountsLater orders that a poll's new counts are told, once for all votes of
// the same three minutes. A vote that comes while the job runs belongs to the next
// one, since the target names the time.
func (s *Service) tellCountsLater(ctx context.Context, tx Tx, poll ID) error {
	due := s.Now().UTC().Truncate(countsEvery).Add(countsEvery)
	return tx.AddJobs(ctx, []queue.Job{{Kind: CountsJob, Ref: int64(poll), Target: due.Format(time.RFC3339), NextAt: due}})
}

// TellCounts tells the present counts of an open poll of a member. The last ones
// are told when it closes.
func (s *Service) TellCounts(ctx context.Context, poll ID) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		p, err := tx.Post(ctx, poll)
		if err != nil || p.Deleted() || p.Poll == nil || !p.Poll.ClosedAt.IsZero() {
			return ignoreNotFound(err)
		}
		author, err := tx.Account(ctx, p.AuthorID)
		if err != nil || !author.Shown() {
			return err
		}
		return s.tellCounts(ctx, tx, author, p.ID)
	})
}
