package social

import "context"

// This file is about what others say in what is ours: a group here, or a thread that
// is not public and begins here. Its members' servers hear it from us, since the author
// does not know who they are (FEP-1b12; DESIGN: a reply belongs to its root's owner).

// Said is an activity of a remote actor as it came, to be handed on byte for byte.
type Said struct {
	Verb Verb // VerbCreate, VerbEdit or VerbDelete
	Body []byte
}

// enter puts a remote post into the group it is addressed to, or that of the thread it
// answers. Into a group of ours only a member writes whose server is admitted now; of a
// group elsewhere only the word of its own server counts.
func (s *Service) enter(ctx context.Context, tx Tx, in Arrival, p *Post) error {
	g, err := s.addressed(ctx, tx, in, p)
	if err != nil || g == nil {
		return err
	}
	may := in.By == g.Authority || in.Author.Authority == g.Authority
	fits := p.Audience.Everybody()
	if g.Local() {
		if may, err = s.MemberOf(ctx, tx, s.remoteReader(ctx, tx, in.Author), g); err != nil {
			return err
		}
		fits = fits && g.Group.Everybody()
	}
	inside := p.Audience.Kind == AudienceGroup && p.Audience.Name == g.URI
	switch {
	case inside && !may:
		return Errorf(Forbidden, "only its members write into a community, and only its own server hands that on")
	case may && (inside || fits):
		p.GroupID = g.ID
	}
	return nil
}

func (s *Service) addressed(ctx context.Context, tx Tx, in Arrival, p *Post) (*Account, error) {
	if in.Group != nil {
		return tx.Account(ctx, in.Group.ID)
	}
	if p.Audience.Kind == AudienceGroup {
		return tx.AccountByURI(ctx, p.Audience.Name)
	}
	if p.InReplyToID == 0 {
		return nil, nil
	}
	parent, err := tx.Post(ctx, p.InReplyToID)
	if err != nil || parent.GroupID == 0 || p.Audience != parent.Audience && !(p.Audience.Everybody() && parent.Audience.Everybody()) {
		return nil, err
	}
	return tx.Account(ctx, parent.GroupID)
}

// joinGroup lets a post that is known already into the group that hands it on.
func (s *Service) joinGroup(ctx context.Context, tx Tx, in Arrival, had *Post) error {
	if in.Group == nil || in.By == "" || had.GroupID != 0 {
		return nil
	}
	if err := s.enter(ctx, tx, in, had); err != nil || had.GroupID == 0 {
		return err
	}
	if err := tx.UpdatePost(ctx, had); err != nil {
		return err
	}
	_, err := tx.AddToTimelines(ctx, had, nil, s.Now())
	return err
}

// handOn passes what a remote author said to those who belong to the group or thread
// of ours in which it stands.
func (s *Service) handOn(ctx context.Context, tx Tx, p *Post, said Said) error {
	if len(said.Body) == 0 || p.Local {
		return nil
	}
	passer, err := s.passer(ctx, tx, p, said.Verb)
	if err != nil || passer == nil {
		return err
	}
	return s.Outbox.Record(ctx, tx, Change{Verb: VerbPass, Actor: passer, Post: p, Said: said, At: s.Now()})
}

// passer is the group of ours or, in a thread that begins here, the instance itself;
// nil where nothing is ours to hand on. Who could not read a thread has no place in it:
// what they send into it goes no further.
func (s *Service) passer(ctx context.Context, tx Tx, p *Post, verb Verb) (*Account, error) {
	keeper, err := s.keeperOf(ctx, tx, p)
	if err != nil || keeper == nil || keeper.Kind == KindGroup && !keeper.Active() {
		return nil, err
	}
	if keeper.Kind != KindGroup && verb != VerbDelete {
		author, err := tx.Account(ctx, p.AuthorID)
		if err != nil {
			return nil, err
		}
		parent, err := tx.Post(ctx, p.InReplyToID)
		if err != nil {
			return nil, err
		}
		if ok, err := s.VisibleTo(ctx, tx, s.remoteReader(ctx, tx, author), parent); err != nil || !ok {
			return nil, err
		}
	}
	return keeper, nil
}

// keeperOf is who decides here over a remote post's place: the group of ours in which it
// stands, or the instance for a thread of ours; nil when it stands in neither.
func (s *Service) keeperOf(ctx context.Context, tx Tx, p *Post) (*Account, error) {
	if p.GroupID != 0 {
		g, err := tx.Account(ctx, p.GroupID)
		if err != nil || !g.Local() {
			return nil, err
		}
		return g, nil
	}
	if p.InReplyToID == 0 || p.Audience.Owner != s.home || !p.Audience.bounded() {
		return nil, nil
	}
	return tx.AccountByURI(ctx, s.Links.InstanceActor())
}

// handedOnBy says that a remote actor decides who has a post of somebody else: as the
// group in which it stands, or as the owner of its thread's audience.
func (p *Post) handedOnBy(actor *Account) bool {
	bound := p.Bound()
	switch {
	case actor.Kind == KindGroup:
		return p.GroupID == actor.ID && bound.Kind == AudienceGroup
	case actor.Kind == KindApplication:
		return p.InReplyToURI != "" && bound.bounded() && bound.Kind != AudienceGroup && bound.Owner == actor.Authority
	}
	return false
}
