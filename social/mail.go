package social

import (
	"context"
	"time"

	"parley/queue"
)

// MailJob is the kind of the jobs that write a member: Ref is the account, Target is what
// about. The one-time link that is written is made when it is sent, so that none lies in
// the queue.
const MailJob = "mail"

// MailKind says what a member is written about.
type MailKind string

const (
	MailInvitation MailKind = "invitation" // their account is there
	MailReset      MailKind = "reset"      // they forgot their password
)

// mailFor is how long there is a point in sending it.
var mailFor = map[MailKind]time.Duration{MailInvitation: 14 * 24 * time.Hour, MailReset: time.Hour}

// Mail is what may be written now.
type Mail struct {
	Kind         MailKind
	Member       *Account
	Organisation Organisation
}

// OrderMail has a member written, at once also where an earlier mail about the same waits
// for another attempt. Whether there is such a member, and an address, is looked at when it
// is sent: ordering takes as long for a name that nobody has (account 0).
func (s *Service) OrderMail(ctx context.Context, account ID, kind MailKind) error {
	j := queue.Job{Kind: MailJob, Ref: int64(account), Target: string(kind)}
	return s.Store.Tx(ctx, func(tx Tx) error {
		if err := tx.DropJobs(ctx, j.Kind, j.Ref, j.Target); err != nil {
			return err
		}
		return tx.AddJobs(ctx, []queue.Job{j})
	})
}

// DueMail answers what a job is about to write. What is not to be written any more is NotFound.
func (s *Service) DueMail(ctx context.Context, j queue.Job) (*Mail, error) {
	m := &Mail{Kind: MailKind(j.Target)}
	if s.Now().Sub(j.CreatedAt) > mailFor[m.Kind] {
		return nil, NotFoundError()
	}
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		m.Member, err = tx.Account(ctx, ID(j.Ref))
		return err
	})
	if err != nil {
		return nil, err
	}
	if !m.Member.Local() || !m.Member.Active() || m.Member.Kind != KindPerson || m.Member.Email == "" {
		return nil, NotFoundError()
	}
	m.Organisation, err = s.Organisation(ctx)
	return m, err
}
