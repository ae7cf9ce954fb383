package social

import (
	"context"
	"strings"
	"time"
)

// importAtOnce is how many new members one transaction makes.
const importAtOnce = 50

// ApplyImport does what was planned, and answers who has left: their access is for the
// caller to end. New members come first, in small transactions, since their keys take
// long to make; everything else is one transaction. A run that breaks off leaves whole
// people, and the next one does the rest. by is who says so.
func (s *Service) ApplyImport(ctx context.Context, p *ImportPlan, by string) (left []ID, err error) {
	var fresh, others []importStep
	for _, step := range p.steps {
		if step.kind == ImportCreate {
			fresh = append(fresh, step)
		} else {
			others = append(others, step)
		}
	}
	for len(fresh) > 0 {
		n := min(importAtOnce, len(fresh))
		if err := s.importNew(ctx, fresh[:n], by); err != nil {
			return nil, err
		}
		fresh = fresh[n:]
	}
	if len(others) == 0 {
		return nil, nil
	}
	err = s.Store.Tx(ctx, func(tx Tx) error {
		left = nil
		var told []*Person
		for _, step := range others {
			changed, err := s.importStep(ctx, tx, step, by)
			if err != nil {
				return err
			}
			if changed != nil {
				told = append(told, changed)
			}
			if step.kind == ImportLeave {
				left = append(left, step.account.ID)
			}
		}
		return s.tellPeople(ctx, tx, "", told)
	})
	return left, err
}

// importNew makes members; their keys are made before anything waits for them.
func (s *Service) importNew(ctx context.Context, steps []importStep, by string) error {
	keys := make([][]Key, len(steps))
	for i := range steps {
		made, err := s.NewKeys()
		if err != nil {
			return err
		}
		keys[i] = made
	}
	return s.Store.Tx(ctx, func(tx Tx) error {
		var told []*Person
		for i, step := range steps {
			a := *step.account
			s.importAccount(&a, step)
			if err := s.writeMember(ctx, tx, &a, keys[i]); err != nil {
				return err
			}
			if err := s.auditMember(ctx, tx, &a, "created", string(a.Role), by); err != nil {
				return err
			}
			p, _, err := s.writeEntry(ctx, tx, &a, nil, step.change)
			if err != nil {
				return err
			}
			told = append(told, p)
		}
		return s.tellPeople(ctx, tx, "", told)
	})
}

func (s *Service) importAccount(a *Account, step importStep) {
	if v, ok := step.row.values["name"]; ok {
		a.DisplayName = s.Text.SanitizePlain(v, s.Limits.NameLength)
	}
	if v, ok := step.row.values["email"]; ok {
		a.Email = strings.TrimSpace(v)
	}
}

// importStep changes one member, and answers the entry if others may have to know.
func (s *Service) importStep(ctx context.Context, tx Tx, step importStep, by string) (*Person, error) {
	a, err := tx.Account(ctx, step.account.ID)
	if err != nil {
		return nil, err
	}
	had, err := tx.Person(ctx, a.URI)
	if ignoreNotFound(err) != nil {
		return nil, err
	}
	name := a.DisplayName
	change, result := step.change, ""
	switch step.kind {
	case ImportLeave:
		a.ClosedAt, result = s.Now(), "closed"
		if err := s.leaveGroups(ctx, tx, a.ID); err != nil {
			return nil, err
		}
		change = func(p *Person) { p.LeftAt = s.Now().Truncate(time.Millisecond) }
	case ImportReturn:
		a.ClosedAt, result = time.Time{}, "reopened"
		change = func(p *Person) { step.change(p); p.LeftAt = time.Time{} }
	}
	s.importAccount(a, step)
	if err := tx.UpdateAccount(ctx, a); err != nil {
		return nil, err
	}
	if result != "" {
		if err := s.auditMember(ctx, tx, a, result, "the list of people", by); err != nil {
			return nil, err
		}
	}
	if a.DisplayName != name {
		if err := s.Outbox.Record(ctx, tx, Change{Verb: VerbProfile, Actor: a, At: s.Now()}); err != nil {
			return nil, err
		}
	}
	p, changed, err := s.writeEntry(ctx, tx, a, had, change)
	if err != nil || !changed || p.hidden() && (had == nil || had.hidden()) {
		return nil, err
	}
	return p, nil
}
