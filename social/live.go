package social

import "context"

// EventKind says what happened.
type EventKind string

const (
	EventPosted   EventKind = "posted"
	EventEdited   EventKind = "edited"
	EventDeleted  EventKind = "deleted"
	EventNotified EventKind = "notified"
)

// Event is something that was committed, for readers who look on at this moment. It
// holds ids only: whoever shows it asks who may see it.
type Event struct {
	Kind         EventKind
	Post         ID   // posted, edited, deleted
	Owners       []ID // whose home timelines a post came into
	Notification ID
	To           ID // whom the notification is for
}

// Listener hears of events after their commit. It must not wait.
type Listener interface{ Happened(Event) }

// tell lets the listener know once the transaction is durable.
func (s *Service) tell(tx Tx, e Event) {
	if s.Live != nil {
		tx.AfterCommit(func() { s.Live.Happened(e) })
	}
}

// erase deletes a post with its files.
func (s *Service) erase(ctx context.Context, tx Tx, id ID) error {
	files, err := tx.DeletePost(ctx, id, s.Now())
	if err != nil {
		return err
	}
	tx.AfterCommit(func() { s.removeFiles(files) })
	s.tell(tx, Event{Kind: EventDeleted, Post: id})
	return nil
}

// inform keeps a notification.
func (s *Service) inform(ctx context.Context, tx Tx, n *Notification) error {
	if err := tx.InsertNotification(ctx, n); err != nil {
		return err
	}
	return s.announce(ctx, tx, n)
}

// announce tells who looks on of a notification, and the browsers and apps that do not.
func (s *Service) announce(ctx context.Context, tx Tx, n *Notification) error {
	s.tell(tx, Event{Kind: EventNotified, Notification: n.ID, To: n.AccountID})
	return s.orderPushes(ctx, tx, n)
}

// Listed says that the public timelines hold a post, for those who may see it.
func (p *Post) Listed() bool {
	switch p.Audience.Kind {
	case AudiencePublic, AudienceCompany, AudiencePartner, AudienceInstance:
		return p.Kind != PostBoost && p.InReplyToURI == ""
	}
	return false
}

// CouldSeePost says that a reader may see a post, or could before it was deleted.
func (s *Service) CouldSeePost(ctx context.Context, r Reader, id ID) (ok bool, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		p, err := tx.Post(ctx, id)
		if err != nil {
			return err
		}
		ok, err = s.CouldSee(ctx, tx, r, p)
		return err
	})
	return ok, ignoreNotFound(err)
}
