package social

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"parley/text"
)

// How long a poll is open.
const (
	MinPollTime = 5 * time.Minute
	MaxPollTime = 31 * 24 * time.Hour
)

// mentionTime bounds the look-up of people named in a draft on other servers.
const mentionTime = 5 * time.Second

// Publish makes a post and, in the same transaction, all that follows from it.
func (s *Service) Publish(ctx context.Context, r Reader, d Draft) (*PostView, error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	if err := s.checkDraft(d); err != nil {
		return nil, err
	}
	people := s.people(ctx, r, d.Text)
	var id ID
	clamped := false
	err = retryTaken(func() error {
		return s.Store.Tx(ctx, func(tx Tx) error {
			done, err := s.recall(ctx, tx, me, d)
			if err != nil || done != 0 {
				id = done
				return err
			}
			if err := s.spend(ctx, tx, me, d.UnsentID); err != nil {
				return err
			}
			p, was, err := s.write(ctx, tx, r, d, people)
			if err != nil {
				return err
			}
			id, clamped = p.ID, was
			return s.remember(ctx, tx, me, d, p.ID)
		})
	})
	if err != nil {
		return nil, err
	}
	v, err := s.Post(ctx, r, id)
	if v != nil {
		v.Clamped = clamped
	}
	return v, err
}

// recall answers what came of a draft that was sent before with the same key; zero for
// nothing.
func (s *Service) recall(ctx context.Context, tx Tx, me *Account, d Draft) (ID, error) {
	if d.IdempotencyKey == "" {
		return 0, nil
	}
	return tx.Recall(ctx, me.ID, d.IdempotencyKey, s.Now().Add(-time.Hour))
}

func (s *Service) remember(ctx context.Context, tx Tx, me *Account, d Draft, id ID) error {
	if d.IdempotencyKey == "" {
		return nil
	}
	return tx.Remember(ctx, me.ID, d.IdempotencyKey, id, s.Now())
}

// write makes a post of a draft, and all that follows from it. It says whether fewer
// see it than the author wanted.
func (s *Service) write(ctx context.Context, tx Tx, r Reader, d Draft, people map[string]*Account) (*Post, bool, error) {
	now := s.Now()
	p, clamped, err := s.compose(ctx, tx, r, d, people, now)
	if err != nil {
		return nil, false, err
	}
	if err := s.put(ctx, tx, r.Account, p, false); err != nil {
		return nil, false, err
	}
	return p, clamped, s.Outbox.Record(ctx, tx, Change{Verb: VerbCreate, Actor: r.Account, Post: p, At: now})
}

// retryTaken runs a transaction again when an id it drew was taken.
func retryTaken(run func() error) error {
	err := run()
	for range 3 {
		if KindOf(err) != Conflict {
			break
		}
		err = run()
	}
	return err
}

// compose turns a draft into a post, inside the transaction that will write it.
func (s *Service) compose(ctx context.Context, tx Tx, r Reader, d Draft, people map[string]*Account, now time.Time) (*Post, bool, error) {
	me := r.Account
	parent, quoted, err := s.answered(ctx, tx, r, d)
	if err != nil {
		return nil, false, err
	}
	audience, group, clamped, err := s.choose(ctx, tx, r, d, parent)
	if err != nil {
		return nil, false, err
	}
	p := &Post{ID: NewID(now), AuthorID: me.ID, Kind: PostNote, Local: true, Version: 1,
		Audience: audience, GroupID: group, PublishedAt: now, ArrivedAt: now, Language: d.Language}
	if p.Language == "" {
		p.Language = me.Language
	}
	p.URI, p.URL = s.Links.Post(me.ID, p.ID), s.Links.PostPage(me.Username, p.ID)
	p.ThreadID = p.ID
	if parent != nil {
		p.InReplyToID, p.InReplyToURI, p.InReplyToAccountID = parent.ID, parent.URI, parent.AuthorID
		p.ThreadID, p.ContextURI = parent.ThreadID, parent.ContextURI
		p.Ceiling = parent.Bound()
	}
	if quoted != nil {
		p.QuoteOfID, p.QuoteOfURI = quoted.ID, quoted.URI
		if bound := quoted.Bound(); !bound.IsZero() {
			within, narrowed := p.Audience.within(bound)
			if !p.Ceiling.IsZero() && p.Ceiling != bound {
				return nil, false, Errorf(Invalid, "the quoted post and this thread have different readers; quote it in a post of its own")
			}
			p.Audience, p.Ceiling, clamped = within, bound, clamped || narrowed
			if within != audience {
				p.GroupID = 0
			}
		}
	}
	p.nameAudience(me)
	s.fill(p, d, people)
	if err := s.addressTo(ctx, tx, r, p, d); err != nil {
		return nil, false, err
	}
	if d.Poll != nil {
		p.Kind, p.Poll = PostPoll, d.Poll.poll(p.ID, now)
	}
	p.Attachments, err = s.attach(ctx, tx, me, p.ID, d.MediaIDs, nil)
	return p, clamped, err
}

// nameAudience completes audiences that mean this author's followers or this
// post's people.
func (p *Post) nameAudience(author *Account) {
	switch {
	case p.Audience.Kind == AudienceFollowers && p.Audience.Name == "":
		p.Audience.Name = author.URI
	case p.Audience.Kind == AudienceDirect:
		p.Audience = Audience{Kind: AudienceDirect, Name: p.URI, Owner: author.Authority}
	}
}

// answered loads the posts that a draft replies to and quotes, if the author may see them.
func (s *Service) answered(ctx context.Context, tx Tx, r Reader, d Draft) (parent, quoted *Post, err error) {
	if d.InReplyTo != 0 {
		if parent, err = s.readable(ctx, tx, r, d.InReplyTo); err != nil {
			return nil, nil, err
		}
		if parent.Kind == PostBoost {
			if parent, err = s.readable(ctx, tx, r, parent.BoostOfID); err != nil {
				return nil, nil, err
			}
		}
	}
	if d.QuoteOf != 0 {
		if quoted, err = s.readable(ctx, tx, r, d.QuoteOf); err != nil {
			return nil, nil, err
		}
	}
	return parent, quoted, nil
}

// readable loads a post that the reader may see; hidden is missing.
func (s *Service) readable(ctx context.Context, tx Tx, r Reader, id ID) (*Post, error) {
	p, err := tx.Post(ctx, id)
	if err != nil {
		return nil, err
	}
	ok, err := s.VisibleTo(ctx, tx, r, p)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, NotFoundError()
	}
	return p, nil
}

// fill sets what the author typed.
func (s *Service) fill(p *Post, d Draft, people map[string]*Account) {
	rendered := s.render(d.Text, people)
	p.Source, p.Content, p.Tags = d.Text, rendered.HTML, rendered.Tags
	p.Summary = s.Text.SanitizePlain(d.Summary, 500)
	p.Sensitive = d.Sensitive || p.Summary != ""
	if d.Question != nil {
		p.Question = *d.Question
	}
	before := p.Mentions
	p.Mentions = nil
	seen := map[ID]bool{}
	for _, handle := range s.Text.Mentions(d.Text) {
		a := people[strings.ToLower(handle)]
		if a == nil || seen[a.ID] {
			continue
		}
		seen[a.ID] = true
		p.Mentions = append(p.Mentions, Mention{AccountID: a.ID, URI: a.URI, URL: a.URL, Acct: a.Acct(), Authority: a.Authority})
	}
	for _, m := range before { // an edit of the text takes nobody away to whom it is addressed
		if m.Addressed && !seen[m.AccountID] {
			p.Mentions = append(p.Mentions, m)
		}
	}
}

// maxAddressed bounds the people whom a program can address a post to.
const maxAddressed = 50

// addressTo adds those whom a draft is for and its text does not name.
func (s *Service) addressTo(ctx context.Context, tx Tx, r Reader, p *Post, d Draft) error {
	if len(d.Named)+len(d.Blind) > maxAddressed {
		return Errorf(Invalid, "a post is addressed to %d people at most", maxAddressed)
	}
	for i, id := range append(slices.Clone(d.Named), d.Blind...) {
		a, err := s.account(ctx, tx, r, id)
		if err != nil {
			return err
		}
		if a.ID != p.AuthorID && !p.MentionsAccount(a.ID) {
			p.Mentions = append(p.Mentions, Mention{AccountID: a.ID, URI: a.URI, URL: a.URL, Acct: a.Acct(), Authority: a.Authority, Addressed: true, Blind: i >= len(d.Named)})
		}
	}
	return nil
}

// render makes safe HTML with links to the people found.
func (s *Service) render(source string, people map[string]*Account) text.Rendered {
	return s.Text.Render(source, text.Markdown, text.Links{
		Mention: func(handle string) (string, string, bool) {
			a := people[strings.ToLower(handle)]
			if a == nil {
				return "", "", false
			}
			return a.URL, a.Username, true
		},
		Tag: s.Links.Tag,
	})
}

// people finds who is named in a text, also on other servers, before any
// transaction. Who cannot be found stays plain text.
func (s *Service) people(ctx context.Context, r Reader, source string) map[string]*Account {
	ctx, cancel := context.WithTimeout(ctx, mentionTime)
	defer cancel()
	found := map[string]*Account{}
	for _, handle := range s.Text.Mentions(source) {
		key := strings.ToLower(handle)
		if _, done := found[key]; done || len(found) >= 50 {
			continue
		}
		a, err := s.FindHandle(ctx, r, handle)
		if err != nil {
			a = nil
		}
		found[key] = a
	}
	return found
}

// languagePattern is the form of a language tag (BCP 47), not the register of them.
var languagePattern = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$`)

func (s *Service) checkDraft(d Draft) error {
	empty := strings.TrimSpace(d.Text) == ""
	switch {
	case empty && len(d.MediaIDs) == 0 && d.Poll == nil:
		return Errorf(Invalid, "the post is empty; write something or add a file")
	case s.Text.Length(d.Text)+len([]rune(d.Summary)) > s.Limits.PostLength:
		return Errorf(Invalid, "the post is longer than %d characters", s.Limits.PostLength)
	case len(d.MediaIDs) > s.Limits.Attachments:
		return Errorf(Invalid, "at most %d files with a post", s.Limits.Attachments)
	case d.Poll != nil && len(d.MediaIDs) > 0:
		return Errorf(Invalid, "a post has files or a poll, not both")
	case len(d.IdempotencyKey) > 255:
		return Errorf(Invalid, "the idempotency key is longer than 255 characters")
	case d.Language != "" && !languagePattern.MatchString(d.Language):
		return Errorf(Invalid, "the language is a code such as de, en or pt-BR")
	case d.Poll != nil:
		return s.checkPoll(d.Poll)
	}
	return nil
}

func (s *Service) checkPoll(d *PollDraft) error {
	if len(d.Options) < 2 || len(d.Options) > s.Limits.PollOptions {
		return Errorf(Invalid, "a poll has 2 to %d answers", s.Limits.PollOptions)
	}
	seen := map[string]bool{}
	for _, o := range d.Options {
		o = strings.TrimSpace(o)
		if o == "" || len([]rune(o)) > s.Limits.OptionLength || seen[o] {
			return Errorf(Invalid, "each answer of a poll needs a text of its own, at most %d characters", s.Limits.OptionLength)
		}
		seen[o] = true
	}
	if d.ExpiresIn < MinPollTime || d.ExpiresIn > MaxPollTime {
		return Errorf(Invalid, "a poll is open for 5 minutes to 31 days")
	}
	return nil
}

func (d *PollDraft) poll(post ID, now time.Time) *Poll {
	p := &Poll{PostID: post, Multiple: d.Multiple, ExpiresAt: now.Add(d.ExpiresIn)}
	for _, o := range d.Options {
		p.Options = append(p.Options, PollOption{Title: strings.TrimSpace(o)})
	}
	return p
}

// attach binds uploaded files to the post that takes them.
func (s *Service) attach(ctx context.Context, tx Tx, me *Account, post ID, ids []ID, had []Attachment) ([]Attachment, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := tx.MediaOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]Attachment, 0, len(ids))
	for _, id := range unique(ids) {
		m := found[id]
		if m == nil || m.AccountID != me.ID || m.PostID != 0 && m.PostID != post {
			return nil, filesGone()
		}
		if m.PostID != post {
			m.PostID = post
			if err := tx.UpdateMedia(ctx, m); err != nil {
				return nil, err
			}
		}
		out = append(out, m.Attachment)
	}
	return out, nil
}

func filesGone() error { return Errorf(Invalid, "a file is not there any more; upload it again") }

// put writes a post and shows it: timelines, notifications, the parent's counts.
func (s *Service) put(ctx context.Context, tx Tx, author *Account, p *Post, quiet bool) error {
	if err := tx.InsertPost(ctx, p); err != nil {
		return err
	}
	if quiet {
		return nil
	}
	var owners []ID
	if p.Audience.Kind != AudienceDirect {
		var own []ID
		if author.Local() {
			own = []ID{author.ID}
		}
		if len(p.Tags) > 0 && p.Kind != PostBoost { // whoever may not see it is not shown it there
			fans, err := tx.TagFollowers(ctx, p.Tags)
			if err != nil {
				return err
			}
			own = append(own, fans...)
		}
		at := s.Now()
		if isLate(ctx) {
			at = p.PublishedAt
		}
		var err error
		if owners, err = tx.AddToTimelines(ctx, p, own, at); err != nil {
			return err
		}
	}
	if isLate(ctx) {
		return nil
	}
	s.tell(tx, Event{Kind: EventPosted, Post: p.ID, Owners: owners})
	for _, id := range p.addressed() {
		if err := s.notify(ctx, tx, id, NotifyMention, author, p); err != nil {
			return err
		}
	}
	return nil
}

// addressed lists whom a post speaks to: the one it answers, named in the text or
// not, and everybody named.
func (p *Post) addressed() []ID {
	ids := make([]ID, 0, len(p.Mentions)+1)
	if p.InReplyToAccountID != 0 {
		ids = append(ids, p.InReplyToAccountID)
	}
	for _, m := range p.Mentions {
		ids = append(ids, m.AccountID)
	}
	return unique(ids)
}

// notify tells a member, if that member may see the post, and hears the author and the
// conversation; what the member's policy holds back is kept, and told to nobody.
func (s *Service) notify(ctx context.Context, tx Tx, to ID, kind NotificationKind, from *Account, p *Post) error {
	if to == from.ID || isLate(ctx) {
		return nil
	}
	owner, err := tx.Account(ctx, to)
	if err != nil || !owner.Local() || !owner.Active() || owner.Kind == KindGroup || slices.Contains(owner.Unwanted, kind) {
		return ignoreNotFound(err)
	}
	blocks, err := tx.Blocks(ctx, to, []ID{from.ID})
	if err != nil {
		return err
	}
	away, err := keptAway(ctx, tx, to, map[ID]*Account{from.ID: from})
	if err != nil {
		return err
	}
	if b := blocks[from.ID]; b.Blocking || b.BlockedBy || b.Muting || away[from.ID] {
		return nil
	}
	n := &Notification{ID: NewID(s.Now()), AccountID: to, Kind: kind, FromID: from.ID, CreatedAt: s.Now()}
	if p != nil {
		n.PostID = p.ID
		if ok, err := s.VisibleTo(ctx, tx, Member(owner, s.home), p); err != nil || !ok {
			return err
		}
		if muted, err := tx.MutesThread(ctx, to, p.ThreadID); err != nil || muted {
			return err
		}
	}
	verdict, err := s.weigh(ctx, tx, owner, from, kind, p)
	if err != nil || verdict == NoticeDrop {
		return err
	}
	if n.Held = verdict == NoticeFilter; n.Held {
		return tx.InsertNotification(ctx, n)
	}
	return s.inform(ctx, tx, n)
}

func ignoreNotFound(err error) error {
	if KindOf(err) == NotFound {
		return nil
	}
	return err
}

// Edit changes an own post. It can narrow the audience, never widen it.
func (s *Service) Edit(ctx context.Context, r Reader, id ID, d Draft) (*PostView, error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	if err := s.checkDraft(d); err != nil {
		return nil, err
	}
	people := s.people(ctx, r, d.Text)
	err = s.Store.Tx(ctx, func(tx Tx) error {
		p, err := s.own(ctx, tx, r, id)
		if err != nil {
			return err
		}
		narrowed := false
		if p.Kind == PostBoost {
			return Errorf(Invalid, "a boost cannot be edited")
		}
		keeps, err := s.keepsAudience(ctx, tx, p, d.Audience)
		if err != nil {
			return err
		}
		if !keeps {
			a, err := ParseAudience(d.Audience, s.home)
			if err != nil {
				return err
			}
			if !a.narrows(p.Audience) {
				return Errorf(Invalid, "an edit can only narrow who sees a post, never widen it")
			}
			p.Audience, p.GroupID, narrowed = a, 0, true
			p.nameAudience(me)
		}
		policy, err := s.policyIn(ctx, tx)
		if err != nil {
			return err
		}
		if !policy.allows(me.Role, p.Audience) {
			return Errorf(Forbidden, "this post goes farther than your role may publish now; narrow who sees it, or delete it")
		}
		reach, _ := p.Audience.within(p.Ceiling)
		if _, beyond, err := s.granted(r, reach); err != nil {
			return err
		} else if beyond {
			return Errorf(Forbidden, "this app may not publish that far; edit the post in the browser, or narrow who sees it")
		}
		if err := s.withinGrant(ctx, tx, r, p.Audience, p.GroupID); err != nil {
			return err
		}
		s.fill(p, d, people)
		if p.Attachments, err = s.attach(ctx, tx, me, p.ID, d.MediaIDs, p.Attachments); err != nil {
			return err
		}
		if d.Language != "" {
			p.Language = d.Language
		}
		p.EditedAt, p.Version = s.Now(), p.Version+1
		if err := tx.UpdatePost(ctx, p); err != nil {
			return err
		}
		s.tell(tx, Event{Kind: EventEdited, Post: p.ID})
		for _, m := range p.Mentions {
			if err := s.notify(ctx, tx, m.AccountID, NotifyMention, me, p); err != nil {
				return err
			}
		}
		if narrowed {
			if err := s.Outbox.Record(ctx, tx, Change{Verb: VerbNarrow, Actor: me, Post: p, At: p.EditedAt}); err != nil {
				return err
			}
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: VerbEdit, Actor: me, Post: p, At: p.EditedAt})
	})
	if err != nil {
		return nil, err
	}
	return s.Post(ctx, r, id)
}

// keepsAudience says that a label in an edit leaves the audience as it is.
func (s *Service) keepsAudience(ctx context.Context, tx Tx, p *Post, label string) (bool, error) {
	if label == "" || p.GroupID == 0 {
		return label == "" || label == p.Audience.Label(), nil
	}
	g, err := tx.Account(ctx, p.GroupID)
	return err == nil && label == g.groupLabel(), err
}

// own loads a post that the reader wrote; anybody else's is missing.
func (s *Service) own(ctx context.Context, tx Tx, r Reader, id ID) (*Post, error) {
	p, err := s.readable(ctx, tx, r, id)
	if err != nil {
		return nil, err
	}
	if p.AuthorID != r.Account.ID {
		return nil, NotFoundError()
	}
	return p, nil
}

// Delete takes an own post back and answers its last view, so that an app can
// offer to write it anew.
func (s *Service) Delete(ctx context.Context, r Reader, id ID) (*PostView, error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	last, err := s.Post(ctx, r, id)
	if err != nil {
		return nil, err
	}
	err = s.Store.Tx(ctx, func(tx Tx) error {
		p, err := s.own(ctx, tx, r, id)
		if err != nil {
			return err
		}
		verb := VerbDelete
		var subject *Post
		if p.Kind == PostBoost {
			verb = VerbUnboost
			if subject, err = tx.Post(ctx, p.BoostOfID); err != nil {
				return err
			}
		}
		if err := s.erase(ctx, tx, id); err != nil {
			return err
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: verb, Actor: me, Post: p, Subject: subject, At: s.Now()})
	})
	return last, err
}

// removeFiles deletes files that no row names any more.
func (s *Service) removeFiles(names []string) {
	for _, name := range names {
		if err := s.Files.Delete(context.Background(), name); err != nil {
			s.Log.Warn("file stays behind", "name", name, "error", err)
		}
	}
}
