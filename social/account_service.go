package social

import (
	"context"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// NewAccount is what makes a member.
type NewAccount struct {
	Username    string
	DisplayName string
	Email       string
	Role        Role
	Kind        AccountKind // person when empty
	Language    string
	By          string // who makes it: a member, or a command
}

var usernamePattern = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_.-]{0,62}[a-z0-9_])?$`)

// reservedNames would be mistaken for the instance or its staff.
var reservedNames = map[string]bool{"admin": true, "administrator": true, "root": true, "support": true,
	"actor": true, "instance.actor": true, "postmaster": true, "abuse": true, "security": true}

// CreateAccount makes a member with its signing keys. A taken name, also of
// somebody who left, is a Conflict.
func (s *Service) CreateAccount(ctx context.Context, n NewAccount) (*Account, error) {
	name := strings.ToLower(strings.TrimSpace(n.Username))
	if !usernamePattern.MatchString(name) {
		return nil, Errorf(Invalid, "the name %q does not fit: use 1 to 64 of a-z, 0-9, _, . and -, not beginning or ending with . or -", n.Username)
	}
	if reservedNames[name] && n.Role != RoleAdmin {
		return nil, Errorf(Conflict, "the name %q is reserved", name)
	}
	if n.Role == "" {
		n.Role = RoleMember
	}
	if !slices.Contains(Roles(), n.Role) {
		return nil, Errorf(Invalid, "unknown role %q; use member, communications, moderator or admin", n.Role)
	}
	if n.Kind == "" {
		n.Kind = KindPerson
	}
	a := &Account{Kind: n.Kind, Username: name, DisplayName: s.Text.SanitizePlain(n.DisplayName, s.Limits.NameLength),
		Email: strings.TrimSpace(n.Email), Role: n.Role, Language: n.Language, Discoverable: true}
	return a, s.insertMember(ctx, a, func(tx Tx) error { return s.auditMember(ctx, tx, a, "created", string(a.Role), n.By) })
}

// auditMember writes down what was done with an account.
func (s *Service) auditMember(ctx context.Context, tx Tx, a *Account, result, cause, by string) error {
	return tx.AppendAudit(ctx, AuditRow{At: s.Now(), Kind: AuditMember, Subject: "@" + a.Username, Result: result, Cause: cause, By: by})
}

// insertMember gives the account its addresses and keys and writes it, with what else
// belongs to it.
func (s *Service) insertMember(ctx context.Context, a *Account, more ...func(Tx) error) error {
	keys, err := s.NewKeys()
	if err != nil {
		return err
	}
	now := s.Now()
	s.address(a, NewID(now), now)
	return s.Store.Tx(ctx, func(tx Tx) error {
		if err := s.writeMember(ctx, tx, a, keys); err != nil {
			return err
		}
		for _, add := range more {
			if err := add(tx); err != nil {
				return err
			}
		}
		_, err := s.enterAndTell(ctx, tx, a, nil)
		return err
	})
}

// address gives a new account its id and all its addresses.
func (s *Service) address(a *Account, id ID, now time.Time) {
	a.ID, a.CreatedAt, a.Authority = id, now, s.home
	if a.Kind == KindApplication {
		a.URI, a.URL = s.Links.InstanceActor(), s.Links.PublicURL
		a.InboxURI, a.OutboxURI = a.URI+"/inbox", a.URI+"/outbox"
	} else {
		a.URI, a.URL = s.Links.Account(a.ID), s.Links.AccountPage(a.Username)
		a.InboxURI, a.OutboxURI = s.Links.Inbox(a.ID), s.Links.Outbox(a.ID)
		a.FollowersURI, a.FollowingURI = s.Links.Followers(a.ID), s.Links.Following(a.ID)
		a.FeaturedURI = s.Links.Featured(a.ID)
	}
	a.SharedInboxURI = s.Links.SharedInbox()
}

// writeMember writes a new account with its keys.
func (s *Service) writeMember(ctx context.Context, tx Tx, a *Account, keys []Key) error {
	if err := tx.InsertAccount(ctx, a); err != nil {
		if errors.Is(err, ErrConflict) {
			taken := Errorf(Conflict, "the name %s is taken; names are never given twice", a.Username)
			taken.Err = err
			return taken
		}
		return err
	}
	for _, k := range keys {
		k.AccountID, k.URI = a.ID, s.Links.MainKey(a.URI)
		if k.Kind == "ed25519" {
			k.URI = s.Links.EdKey(a.URI)
		}
		if err := tx.PutKey(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// EnsureInstance makes the instance actor and our secrets at the first start.
func (s *Service) EnsureInstance(ctx context.Context) error {
	if err := s.loadMediaKey(ctx); err != nil {
		return err
	}
	a, err := s.InstanceActor(ctx)
	if errors.Is(err, ErrNotFound) {
		name, _, _ := strings.Cut(s.Links.Domain, ":")
		a = &Account{Kind: KindApplication, Username: name, DisplayName: s.Links.Domain, Role: RoleMember}
		err = s.insertMember(ctx, a)
	}
	if err != nil {
		return err
	}
	if err := s.ensureSealingKey(ctx, a.ID); err != nil {
		return err
	}
	return s.ensureDirectory(ctx)
}

// ensureSealingKey gives the instance the key that others seal to, also one that was
// made before there was sealing.
func (s *Service) ensureSealingKey(ctx context.Context, actor ID) error {
	have := func(tx Tx) (bool, error) {
		_, err := tx.KeyByURI(ctx, s.Links.SealingKey())
		if errors.Is(err, ErrNotFound) {
			return false, nil
		}
		return true, err
	}
	there := false
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		there, err = have(tx)
		return err
	})
	if err != nil || there {
		return err
	}
	key, err := s.NewSealingKey()
	if err != nil {
		return err
	}
	key.URI, key.AccountID = s.Links.SealingKey(), actor
	return s.Store.Tx(ctx, func(tx Tx) error {
		if there, err := have(tx); err != nil || there {
			return err
		}
		return tx.PutKey(ctx, key)
	})
}

// InstanceActor speaks for the instance itself.
func (s *Service) InstanceActor(ctx context.Context) (a *Account, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		a, err = tx.AccountByURI(ctx, s.Links.InstanceActor())
		return err
	})
	return a, err
}

// Account shows an account: to members everybody who is active, to others the
// members here whom the profile policy shows.
func (s *Service) Account(ctx context.Context, r Reader, id ID) (a *Account, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		a, err = s.account(ctx, tx, r, id)
		return err
	})
	return a, err
}

// ShownAccounts finds several in the order asked for, as far as they are shown to the reader.
func (s *Service) ShownAccounts(ctx context.Context, r Reader, ids []ID) (list []*Account, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		found, err := tx.Accounts(ctx, unique(ids))
		if err != nil {
			return err
		}
		list = nil
		for _, id := range unique(ids) {
			a := found[id]
			if a == nil {
				continue
			}
			switch err := s.shows(ctx, tx, r, a); {
			case err == nil:
				list = append(list, a)
			case KindOf(err) != NotFound:
				return err
			}
		}
		return nil
	})
	return list, err
}

func (s *Service) account(ctx context.Context, tx Tx, r Reader, id ID) (*Account, error) {
	a, err := tx.Account(ctx, id)
	if err != nil {
		return nil, err
	}
	return a, s.shows(ctx, tx, r, a)
}

// mayShow says whether a profile is shown: never a blocked peer, never an account
// that left; signed-out visitors see no accounts of other servers.
func (s *Service) mayShow(r Reader, a *Account) error {
	if r.Zone.Kind == ZoneBlocked || !a.Shown() || !a.Local() && !r.Local() && !r.System {
		return NotFoundError()
	}
	if a.Kind == KindGroup && a.Local() && !r.System && !s.reaches(a, r) {
		return NotFoundError()
	}
	return nil
}

// AccountByHandle finds "alice" or "bob@b.test" among the known, without network.
func (s *Service) AccountByHandle(ctx context.Context, r Reader, acct string) (a *Account, err error) {
	name, host := s.splitHandle(acct)
	err = s.Store.View(ctx, func(tx Tx) error {
		if a, err = tx.AccountByName(ctx, name, host); err != nil {
			return err
		}
		return s.shows(ctx, tx, r, a)
	})
	return a, err
}

// splitHandle reads "@name@host", "name@host" or "name"; our own domain becomes "".
func (s *Service) splitHandle(acct string) (name, host string) {
	name, host, _ = strings.Cut(strings.TrimPrefix(strings.TrimSpace(acct), "@"), "@")
	host = strings.ToLower(host)
	if host == s.Links.Domain || host == s.home {
		host = ""
	}
	return name, host
}

// FindHandle finds an account also on other servers, for members and administrators.
func (s *Service) FindHandle(ctx context.Context, r Reader, acct string) (*Account, error) {
	a, err := s.AccountByHandle(ctx, r, acct)
	if err == nil || !errors.Is(err, ErrNotFound) || !r.Local() && !r.System {
		return a, err
	}
	name, host := s.splitHandle(acct)
	if host == "" {
		return nil, err
	}
	return s.Remote.FindAccount(ctx, name, host)
}

// LocalAccounts lists members by id, those alone whose names or mail address hold a text.
func (s *Service) LocalAccounts(ctx context.Context, text string, p Page) (list []*Account, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		list, err = tx.LocalAccounts(ctx, text, p.Clamp(40, 1000))
		return err
	})
	return list, err
}

// ProfileChange sets what is not nil.
type ProfileChange struct {
	DisplayName, Note                *string
	Locked, Bot, Discoverable        *bool
	HideNetwork                      *bool
	Fields                           []Field
	AvatarID, HeaderID               *ID
	Language, DefaultAudience, Email *string
	UndoSeconds                      *int
}

// unseen says that a change is about nothing that others see.
func (c ProfileChange) unseen() bool {
	c.Language, c.DefaultAudience, c.UndoSeconds = nil, nil, nil
	return reflect.ValueOf(c).IsZero()
}

// UpdateProfile changes a member's own profile and tells the followers' servers, unless it is
// about nothing that they see.
func (s *Service) UpdateProfile(ctx context.Context, r Reader, c ProfileChange) (*Account, error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	var out *Account
	err = s.Store.Tx(ctx, func(tx Tx) error {
		a, err := tx.Account(ctx, me.ID)
		if err != nil {
			return err
		}
		if err := s.applyProfile(ctx, tx, a, c); err != nil {
			return err
		}
		if err := tx.UpdateAccount(ctx, a); err != nil {
			return err
		}
		if out = a; c.unseen() {
			return nil
		}
		if _, err := s.enterAndTell(ctx, tx, a, nil); err != nil {
			return err
		}
		return s.Outbox.Record(ctx, tx, Change{Verb: VerbProfile, Actor: a, At: s.Now()})
	})
	return out, err
}

func (s *Service) applyProfile(ctx context.Context, tx Tx, a *Account, c ProfileChange) error {
	if c.DisplayName != nil {
		a.DisplayName = s.Text.SanitizePlain(*c.DisplayName, s.Limits.NameLength)
	}
	if c.Note != nil {
		if len([]rune(*c.Note)) > s.Limits.BioLength {
			return Errorf(Invalid, "the text about you is longer than %d characters", s.Limits.BioLength)
		}
		a.NoteSource = *c.Note
		a.Note = s.render(*c.Note, nil).HTML
	}
	if c.Fields != nil {
		if len(c.Fields) > s.Limits.Fields {
			return Errorf(Invalid, "at most %d profile fields", s.Limits.Fields)
		}
		had := a.Fields
		a.Fields = nil
		for _, f := range c.Fields {
			f = Field{Name: s.Text.SanitizePlain(f.Name, 255), Value: s.render(clip(f.Value, 255), nil).HTML}
			if i := slices.IndexFunc(had, func(h Field) bool { return h.Value == f.Value }); i >= 0 {
				f.VerifiedAt = had[i].VerifiedAt
			}
			a.Fields = append(a.Fields, f)
		}
	}
	setBool(&a.Locked, c.Locked)
	setBool(&a.Bot, c.Bot)
	setBool(&a.Discoverable, c.Discoverable)
	setBool(&a.HideNetwork, c.HideNetwork)
	if c.Language != nil {
		a.Language = clip(*c.Language, 35)
	}
	if c.Email != nil {
		a.Email = clip(strings.TrimSpace(*c.Email), 254)
	}
	if c.DefaultAudience != nil {
		if *c.DefaultAudience != "" {
			if to, err := ParseAudience(*c.DefaultAudience, s.home); err != nil {
				return err
			} else if to.Kind == AudienceGroup {
				return Errorf(Invalid, "a community is chosen for each post")
			}
		}
		a.DefaultAudience = *c.DefaultAudience
	}
	if c.UndoSeconds != nil {
		if !slices.Contains(UndoTimes(), time.Duration(*c.UndoSeconds)*time.Second) {
			return Errorf(Invalid, "posts can be held back for 0, 10 or 30 seconds")
		}
		a.UndoSeconds = c.UndoSeconds
	}
	for _, pic := range []struct{ to, from *ID }{{&a.AvatarID, c.AvatarID}, {&a.HeaderID, c.HeaderID}} {
		if pic.from == nil {
			continue
		}
		if *pic.from != 0 {
			m, err := tx.Media(ctx, *pic.from)
			if err != nil || m.AccountID != a.ID || m.Attachment.Kind != "image" {
				return Errorf(Invalid, "the picture is not one that you uploaded")
			}
		}
		*pic.to = *pic.from
	}
	return nil
}

func setBool(to, from *bool) {
	if from != nil {
		*to = *from
	}
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// Suspend takes an account out of view, or puts it back; by is who says so.
func (s *Service) Suspend(ctx context.Context, id ID, on bool, by string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		a, err := tx.Account(ctx, id)
		if err != nil {
			return err
		}
		result := "restored"
		if a.SuspendedAt = (time.Time{}); on {
			a.SuspendedAt, result = s.Now(), "suspended"
		}
		if err := tx.UpdateAccount(ctx, a); err != nil {
			return err
		}
		if err := s.auditMember(ctx, tx, a, result, "", by); err != nil {
			return err
		}
		_, err = s.enterAndTell(ctx, tx, a, nil)
		return err
	})
}

// SetRole gives a member another role, which bounds how far they may publish; by is who
// says so.
func (s *Service) SetRole(ctx context.Context, id ID, role Role, by string) error {
	if !slices.Contains(Roles(), role) {
		return Errorf(Invalid, "unknown role %q; use member, communications, moderator or admin", role)
	}
	return s.Store.Tx(ctx, func(tx Tx) error {
		a, err := tx.Account(ctx, id)
		if err != nil {
			return err
		}
		before := a.Role
		if a.Role = role; before == role {
			return nil
		}
		if err := tx.UpdateAccount(ctx, a); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, AuditRow{At: s.Now(), Kind: AuditPolicy, Subject: "@" + a.Username, Rule: "role", Result: "set", Cause: string(before) + " -> " + string(role), By: by})
	})
}

// Close ends what a member does here and keeps what they wrote: the profile and the
// posts stay in view, nothing more is sent, and their communities pass on.
// Whoever may close an account ends its access too (auth.EndAccess). why may be empty;
// by is who says so.
func (s *Service) Close(ctx context.Context, id ID, why, by string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		a, err := s.leaver(ctx, tx, id)
		if err != nil || !a.Active() {
			return err
		}
		if a.Kind == KindGroup {
			return Errorf(Invalid, "a community is deleted, not closed: its posts are its members'")
		}
		a.ClosedAt = s.Now()
		if err := s.leaveGroups(ctx, tx, a.ID); err != nil {
			return err
		}
		if err := tx.UpdateAccount(ctx, a); err != nil {
			return err
		}
		if err := s.auditMember(ctx, tx, a, "closed", s.reason(why), by); err != nil {
			return err
		}
		_, err = s.enterAndTell(ctx, tx, a, nil)
		return err
	})
}

// Reopen lets a member whose account was closed sign in again. The communities they had
// stay with those who have them now.
func (s *Service) Reopen(ctx context.Context, id ID, by string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		a, err := s.leaver(ctx, tx, id)
		if err != nil || a.ClosedAt.IsZero() {
			return err
		}
		a.ClosedAt = time.Time{}
		if err := tx.UpdateAccount(ctx, a); err != nil {
			return err
		}
		if err := s.auditMember(ctx, tx, a, "reopened", "", by); err != nil {
			return err
		}
		_, err = s.enterAndTell(ctx, tx, a, nil)
		return err
	})
}

// leaver loads who may leave.
func (s *Service) leaver(ctx context.Context, tx Tx, id ID) (*Account, error) {
	a, err := tx.Account(ctx, id)
	if err == nil && (!a.Local() || a.Kind == KindApplication) {
		err = Errorf(Invalid, "only members of this server leave here")
	}
	return a, err
}

// reason is what somebody wrote to justify an act, as the audit log keeps it.
func (s *Service) reason(text string) string { return s.Text.SanitizePlain(text, 500) }

// DeleteAccount lets a member leave: the name stays reserved for ever, the posts
// are hidden with the account, and other servers are told. why may be empty; by is who
// says so.
func (s *Service) DeleteAccount(ctx context.Context, id ID, why, by string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		a, err := s.leaver(ctx, tx, id)
		if err != nil || !a.DeletedAt.IsZero() {
			return err
		}
		if err := s.Outbox.Record(ctx, tx, Change{Verb: VerbLeave, Actor: a, At: s.Now()}); err != nil {
			return err
		}
		if err := s.leaveGroups(ctx, tx, a.ID); err != nil {
			return err
		}
		if err := tx.DeleteUnsentOf(ctx, a.ID); err != nil {
			return err
		}
		if err := s.deleteLists(ctx, tx, a.ID); err != nil {
			return err
		}
		if err := tx.ForgetRegards(ctx, a.ID); err != nil {
			return err
		}
		a.DeletedAt = s.Now()
		a.DisplayName, a.Note, a.NoteSource, a.Fields, a.Email = "", "", "", nil, ""
		a.AvatarID, a.HeaderID = 0, 0
		if err := tx.UpdateAccount(ctx, a); err != nil {
			return err
		}
		if err := s.auditMember(ctx, tx, a, "deleted", s.reason(why), by); err != nil {
			return err
		}
		_, err = s.enterAndTell(ctx, tx, a, nil)
		return err
	})
}

// Organisation names the instance and its group of companies, as people read them.
type Organisation struct {
	Name        string // "Müller Logistik"
	Group       string // "Muster Group"
	Description string
	Rules       string // of the house, one a line
	Languages   []string
	Contact     string            // username of an administrator
	Partners    map[string]string // names of partners by their zone, where one was given
}

// Organisation reads the names given at setup; the domain stands in before that.
func (s *Service) Organisation(ctx context.Context) (o Organisation, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		for key, to := range o.settings() {
			if *to, err = tx.Setting(ctx, key); err != nil {
				return err
			}
		}
		o.Partners, err = partnerNames(ctx, tx)
		return err
	})
	if o.Name == "" {
		o.Name = s.Links.Domain
	}
	o.Languages = []string{"de", "en"}
	return o, err
}

func (o *Organisation) settings() map[string]*string {
	return map[string]*string{"organisation.name": &o.Name, "organisation.group_name": &o.Group,
		"organisation.description": &o.Description, "organisation.contact": &o.Contact, "organisation.rules": &o.Rules}
}

// SetOrganisation writes the names; by is who says so.
func (s *Service) SetOrganisation(ctx context.Context, o Organisation, by string) error {
	return s.Store.Tx(ctx, func(tx Tx) error { return s.setOrganisation(ctx, tx, o, by) })
}

// setOrganisation is SetOrganisation inside a transaction.
func (s *Service) setOrganisation(ctx context.Context, tx Tx, o Organisation, by string) error {
	o.Name = s.Text.SanitizePlain(o.Name, 100)
	o.Group = s.Text.SanitizePlain(o.Group, 100)
	o.Description, o.Rules = clip(o.Description, 2000), clip(o.Rules, 10000)
	if o.Name == "" {
		err := Errorf(Invalid, "the organisation needs a name")
		err.Field = "organisation.name"
		return err
	}
	for key, value := range o.settings() {
		was, err := tx.Setting(ctx, key)
		if err != nil {
			return err
		}
		if was == *value {
			continue
		}
		if err := tx.PutSetting(ctx, key, *value); err != nil {
			return err
		}
		if err := tx.AppendAudit(ctx, AuditRow{At: s.Now(), Kind: AuditPolicy, Subject: key, Result: "set", By: by}); err != nil {
			return err
		}
	}
	return nil
}

// Govern writes the names and gives keys of the policy new values, all or nothing; an
// error names the Field that is wrong. by is who says so.
func (s *Service) Govern(ctx context.Context, o Organisation, values map[string]string, by string) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		if err := s.setOrganisation(ctx, tx, o, by); err != nil || len(values) == 0 {
			return err
		}
		return s.setPolicy(ctx, tx, by, values)
	})
}

// SetUp says that an administrator exists.
func (s *Service) SetUp(ctx context.Context) (bool, error) {
	done := false
	err := s.Store.View(ctx, func(tx Tx) error {
		v, err := tx.Setting(ctx, "setup.done")
		done = v != ""
		return err
	})
	return done, err
}

// FinishSetUp marks the first setup as done; it says Conflict when it was.
func (s *Service) FinishSetUp(ctx context.Context) error {
	return s.Store.Tx(ctx, func(tx Tx) error {
		v, err := tx.Setting(ctx, "setup.done")
		if err != nil {
			return err
		}
		if v != "" {
			return Errorf(Conflict, "this instance is set up already; sign in")
		}
		return tx.PutSetting(ctx, "setup.done", s.Now().UTC().Format("2006-01-02T15:04:05Z"))
	})
}
