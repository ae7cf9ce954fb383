package social

import (
	"context"
	"errors"
	"strconv"
	"time"

	"parley/queue"
)

// SendJob is the kind of the jobs that publish what waits for its time; Ref is the
// unsent post. The job is only a timer: the row of the unsent post decides.
const SendJob = "send"

// What a member may schedule: as in Mastodon, so that apps know it.
const (
	MinAhead        = 5 * time.Minute // from now to the time chosen
	MaxScheduled    = 300             // posts in all
	MaxScheduledDay = 25              // of them due on one day, UTC
)

// maxWaiting is a page that holds all that a member can have in one state.
const maxWaiting = 1000

// UndoTimes are how long a member can have posts held back.
func UndoTimes() []time.Duration { return []time.Duration{0, 10 * time.Second, 30 * time.Second} }

// UndoTime is how long a member has to think again after publishing in the browser,
// half a minute if nothing else was chosen. Zero: posts are sent at once, as those of
// apps always are.
func (a *Account) UndoTime() time.Duration {
	if a.UndoSeconds == nil {
		return 30 * time.Second
	}
	return time.Duration(*a.UndoSeconds) * time.Second
}

// Schedule has a draft published at d.At. All that Publish asks is asked now, and again
// then; what does not hold then sends it back to the drafts.
func (s *Service) Schedule(ctx context.Context, r Reader, d Draft) (*UnsentView, error) {
	if d.At.Before(s.Now().Add(MinAhead)) {
		return nil, Errorf(Invalid, "choose a time at least 5 minutes from now, or send the post at once")
	}
	return s.wait(ctx, r, d, UnsentScheduled, d.At)
}

// Hold publishes a draft after the member's UndoTime. Until then nothing of it has left,
// and nobody else sees it: Withdraw takes it back, SendNow does not wait.
func (s *Service) Hold(ctx context.Context, r Reader, d Draft) (*UnsentView, error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	d.At = time.Time{}
	return s.wait(ctx, r, d, UnsentHeld, s.Now().Add(me.UndoTime()))
}

func (s *Service) wait(ctx context.Context, r Reader, d Draft, state UnsentState, due time.Time) (v *UnsentView, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	if err := s.checkDraft(d); err != nil {
		return nil, err
	}
	people := s.people(ctx, r, d.Text)
	err = retryTaken(func() error {
		return s.Store.Tx(ctx, func(tx Tx) error {
			done, err := s.recall(ctx, tx, me, d)
			if err != nil {
				return err
			}
			if done != 0 {
				u, err := s.ownUnsent(ctx, tx, me, done)
				if KindOf(err) == NotFound {
					err = Errorf(Gone, "this post was sent or taken back meanwhile")
				}
				if err == nil {
					v, err = s.unsentView(ctx, tx, r, u)
				}
				return err
			}
			v, err = s.setTime(ctx, tx, r, d, people, state, due)
			if err != nil {
				return err
			}
			return s.remember(ctx, tx, me, d, v.ID)
		})
	})
	return v, err
}

// setTime writes an unsent post that would be published if it were due now.
func (s *Service) setTime(ctx context.Context, tx Tx, r Reader, d Draft, people map[string]*Account, state UnsentState, due time.Time) (*UnsentView, error) {
	me := r.Account
	u, err := s.replaced(ctx, tx, me, d.UnsentID)
	if err != nil {
		return nil, err
	}
	if state == UnsentScheduled {
		if err := s.roomAt(ctx, tx, me, u, due); err != nil {
			return nil, err
		}
	}
	free, err := s.freeFiles(ctx, tx, me, d.MediaIDs)
	if err != nil {
		return nil, err
	}
	if len(free) < len(unique(d.MediaIDs)) {
		return nil, filesGone()
	}
	bare := d
	bare.MediaIDs = nil
	p, clamped, err := s.compose(ctx, tx, r, bare, people, s.Now())
	if err != nil {
		return nil, err
	}
	if u.Audience, err = s.labelOf(ctx, tx, p); err != nil {
		return nil, err
	}
	u.State, u.DueAt, u.Grant, u.Reason = state, due, r.Grant, ""
	if err := s.keepUnsent(ctx, tx, u, d); err != nil {
		return nil, err
	}
	if err := s.sendAt(ctx, tx, u); err != nil {
		return nil, err
	}
	v, err := s.unsentView(ctx, tx, r, u)
	if v != nil {
		v.Clamped = clamped
	}
	return v, err
}

// roomAt bounds what a member has scheduled, apart from the post itself.
func (s *Service) roomAt(ctx context.Context, tx Tx, me *Account, u *Unsent, due time.Time) error {
	day := due.UTC().Truncate(24 * time.Hour)
	all, that, err := tx.CountUnsent(ctx, me.ID, UnsentScheduled, day, day.Add(24*time.Hour))
	if err != nil {
		return err
	}
	if u.State == UnsentScheduled {
		if all--; !u.DueAt.Before(day) && u.DueAt.Before(day.Add(24*time.Hour)) {
			that--
		}
	}
	switch {
	case all >= MaxScheduled:
		return Errorf(Limited, "you have %d scheduled posts already; delete one first", MaxScheduled)
	case that >= MaxScheduledDay:
		return Errorf(Limited, "you have %d posts scheduled for that day already; choose another one", MaxScheduledDay)
	}
	return nil
}

// sendAt sets the timer. Its target names the time, so that a job which runs at this
// moment does not swallow the new one.
func (s *Service) sendAt(ctx context.Context, tx Tx, u *Unsent) error {
	if err := tx.DropJobs(ctx, SendJob, int64(u.ID), ""); err != nil {
		return err
	}
	due := strconv.FormatInt(u.DueAt.UnixMilli(), 10)
	return tx.AddJobs(ctx, []queue.Job{{Kind: SendJob, Ref: int64(u.ID), Target: due, NextAt: u.DueAt}})
}

// labelOf is how the audience of a post is written; see PostView.AudienceLabel.
func (s *Service) labelOf(ctx context.Context, tx Tx, p *Post) (string, error) {
	if p.GroupID == 0 {
		return p.Audience.Label(), nil
	}
	g, err := tx.Account(ctx, p.GroupID)
	if err != nil {
		return "", err
	}
	return g.groupLabel(), nil
}

// Scheduled lists what a member has scheduled, by id.
func (s *Service) Scheduled(ctx context.Context, r Reader, p Page) ([]*UnsentView, error) {
	return s.unsentIn(ctx, r, UnsentScheduled, p.Clamp(defaultPage, maxWaiting))
}

// Held lists what a member published and can still take back, the newest first.
func (s *Service) Held(ctx context.Context, r Reader) ([]*UnsentView, error) {
	return s.unsentIn(ctx, r, UnsentHeld, Page{Limit: maxWaiting})
}

// Reschedule gives an own scheduled post another time.
func (s *Service) Reschedule(ctx context.Context, r Reader, id ID, due time.Time) (*UnsentView, error) {
	if due.Before(s.Now().Add(MinAhead)) {
		return nil, Errorf(Invalid, "choose a time at least 5 minutes from now, or send the post at once")
	}
	return s.waiting(ctx, r, id, func(tx Tx, me *Account, u *Unsent) error {
		if u.State != UnsentScheduled {
			return NotFoundError()
		}
		if err := s.roomAt(ctx, tx, me, u, due); err != nil {
			return err
		}
		u.DueAt, u.Draft.At = due, due
		if err := tx.PutUnsent(ctx, u); err != nil {
			return err
		}
		return s.sendAt(ctx, tx, u)
	})
}

// Withdraw makes an own post that waits for its time a draft again.
func (s *Service) Withdraw(ctx context.Context, r Reader, id ID) (*UnsentView, error) {
	return s.waiting(ctx, r, id, func(tx Tx, _ *Account, u *Unsent) error { return s.toDraft(ctx, tx, u, "") })
}

// waiting changes an own post that waits for its time; one that was sent is missing.
func (s *Service) waiting(ctx context.Context, r Reader, id ID, change func(tx Tx, me *Account, u *Unsent) error) (v *UnsentView, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.Tx(ctx, func(tx Tx) error {
		u, err := s.ownUnsent(ctx, tx, me, id)
		if err != nil {
			return err
		}
		if !u.Waits() {
			return NotFoundError()
		}
		if err := change(tx, me, u); err != nil {
			return err
		}
		v, err = s.unsentView(ctx, tx, r, u)
		return err
	})
	return v, err
}

func (s *Service) toDraft(ctx context.Context, tx Tx, u *Unsent, reason string) error {
	u.State, u.DueAt, u.Reason, u.UpdatedAt = UnsentDraft, time.Time{}, reason, s.Now()
	if err := tx.DropJobs(ctx, SendJob, int64(u.ID), ""); err != nil {
		return err
	}
	return tx.PutUnsent(ctx, u)
}

// SendNow publishes an own post that waits for its time.
func (s *Service) SendNow(ctx context.Context, r Reader, id ID) (*PostView, error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	post, err := s.send(ctx, id, func(u *Unsent) bool { return u.AuthorID == me.ID && u.Waits() })
	if err != nil {
		return nil, err
	}
	return s.Post(ctx, r, post)
}

// SendDue publishes a post whose time has come, once, however often it is called; one
// whose time was changed or that is gone is left. What cannot be published goes back to
// the drafts, and its author learns why. An error means: again later.
func (s *Service) SendDue(ctx context.Context, id ID) error {
	due := func(u *Unsent) bool { return u.Waits() && !u.DueAt.After(s.Now()) }
	_, err := s.send(ctx, id, due)
	switch KindOf(err) {
	case Internal, Conflict, Unavailable: // a fault of ours, or none
		return err
	}
	return s.Store.Tx(ctx, func(tx Tx) error {
		u, missing := tx.Unsent(ctx, id)
		if missing != nil || !due(u) {
			return ignoreNotFound(missing)
		}
		return s.giveBack(ctx, tx, u, reason(err))
	})
}

// giveBack makes a draft of what was due, and tells its author.
func (s *Service) giveBack(ctx context.Context, tx Tx, u *Unsent, reason string) error {
	if err := s.toDraft(ctx, tx, u, reason); err != nil {
		return err
	}
	n := &Notification{AccountID: u.AuthorID, Kind: NotifyUnsent, FromID: u.AuthorID, CreatedAt: s.Now()}
	if err := tx.RenewNotification(ctx, n); err != nil {
		return err
	}
	return s.announce(ctx, tx, n)
}

// Restored is called once when the data come from a backup. The change log begins anew,
// which tells sisters so; what was in hand when the backup was made is due again; and
// what became due since then waits for its author's word, for it may have been
// published: it would be there twice.
func (s *Service) Restored(ctx context.Context) (epoch int64, err error) {
	err = s.Store.Tx(ctx, func(tx Tx) error {
		if epoch, err = tx.NewLogEpoch(ctx); err != nil {
			return err
		}
		if err := tx.FreeJobs(ctx); err != nil {
			return err
		}
		due, err := tx.UnsentDue(ctx, s.Now())
		if err != nil {
			return err
		}
		maybe := Errorf(Conflict, "the server was put back from a backup, and this post may have been sent before that: look, then send it or delete it").Public
		for _, u := range due {
			if err := s.giveBack(ctx, tx, u, maybe); err != nil {
				return err
			}
		}
		return nil
	})
	return epoch, err
}

// send publishes an unsent post if it is ready. Its row goes in the transaction that
// writes the post: so whoever comes second, after a crash or on another node, finds
// nothing to do.
func (s *Service) send(ctx context.Context, id ID, ready func(*Unsent) bool) (post ID, err error) {
	u, r, err := s.unsentAuthor(ctx, id, ready)
	if err != nil {
		return 0, err
	}
	people := s.people(ctx, r, u.Draft.Text)
	err = retryTaken(func() error {
		return s.Store.Tx(ctx, func(tx Tx) error {
			now, r, err := s.readUnsent(ctx, tx, id, ready)
			if err != nil {
				return err
			}
			if now.Draft.Text != u.Draft.Text { // people are those of another text
				return Errorf(Conflict, "this post was changed meanwhile; look at it and send it again")
			}
			if err := s.dropUnsent(ctx, tx, id); err != nil {
				return err
			}
			p, _, err := s.write(ctx, tx, r, now.Draft, people)
			if err != nil {
				return err
			}
			label, err := s.labelOf(ctx, tx, p)
			if err != nil {
				return err
			}
			if label != now.Audience {
				return Errorf(Forbidden, "other people than before would see this post by now; look at it and send it again")
			}
			post = p.ID
			return nil
		})
	})
	return post, err
}

func (s *Service) unsentAuthor(ctx context.Context, id ID, ready func(*Unsent) bool) (u *Unsent, r Reader, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		u, r, err = s.readUnsent(ctx, tx, id, ready)
		return err
	})
	return u, r, err
}

// readUnsent loads an unsent post with its author as that one is now.
func (s *Service) readUnsent(ctx context.Context, tx Tx, id ID, ready func(*Unsent) bool) (*Unsent, Reader, error) {
	u, err := tx.Unsent(ctx, id)
	if err != nil {
		return nil, Reader{}, err
	}
	if !ready(u) {
		return nil, Reader{}, NotFoundError()
	}
	author, err := tx.Account(ctx, u.AuthorID)
	if err != nil {
		return nil, Reader{}, err
	}
	r := Member(author, s.home)
	r.Grant = u.Grant
	if _, err := s.member(r); err != nil {
		return nil, Reader{}, err
	}
	return u, r, s.checkDraft(u.Draft)
}

// reason is what the author reads of a post that could not be published.
func reason(err error) string {
	var e *Error
	switch {
	case KindOf(err) == NotFound:
		return Errorf(NotFound, "what this post answers or quotes is not there any more").Public
	case errors.As(err, &e) && len(e.Args) == 0:
		return e.Public
	}
	return Errorf(Invalid, "this post does not keep the rules of today any more; try to send it yourself to see why").Public
}
