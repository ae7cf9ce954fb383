package federation

import (
	"context"
	"errors"
	"slices"
	"strings"

	"parley/activitypub"
	"parley/queue"
	"parley/social"
)

// This file exchanges entries of the directory. One is told as an Update of the
// instance actor; what each server may see of whom is decided when it is sent, so the
// change log keeps nothing but the ids.

// directoryURI names all entries of an instance together.
func directoryURI(actor string) string { return actor + "#directory" }

// entryURI names the entry of an account.
func entryURI(account string) string { return account + "#directory" }

// recordPeople writes which entries changed, each into the change log, and a delivery of
// all together for each server that it concerns.
func (s *Server) recordPeople(ctx context.Context, tx social.Tx, c social.Change) error {
	inboxes, err := s.directoryInboxes(ctx, tx, c.Peer)
	if err != nil {
		return err
	}
	for _, p := range c.People {
		if c.Peer != "" {
			break // everybody else has been told
		}
		a, err := s.peopleActivity(ctx, tx, c, p)
		if err != nil {
			return err
		}
		a.About = entryURI(p.URI)
		if len(c.People) == 1 {
			return s.enqueue(ctx, tx, a, inboxes)
		}
		if err := tx.InsertActivity(ctx, a); err != nil {
			return err
		}
	}
	a, err := s.peopleActivity(ctx, tx, c, c.People...)
	if err != nil {
		return err
	}
	return s.enqueue(ctx, tx, a, inboxes)
}

// peopleActivity names the entries that changed; its body stays here. Its id is looked
// for, since many are drawn in one moment.
func (s *Server) peopleActivity(ctx context.Context, tx social.Tx, c social.Change, people ...*social.Person) (*social.Activity, error) {
	id := social.NewID(s.Now())
	for {
		_, err := tx.Activity(ctx, id)
		if errors.Is(err, social.ErrNotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		id = social.NewID(s.Now())
	}
	names := []any{}
	for _, p := range people {
		names = append(names, object{"type": activitypub.DirectoryEntry, "id": entryURI(p.URI), "describes": p.URI})
	}
	body, err := activitypub.Marshal(object{"type": activitypub.Update, "object": names})
	return &social.Activity{ID: id, URI: s.Links.Activity(id), Verb: c.Verb, ActorID: c.Actor.ID, ObjectURI: directoryURI(c.Actor.URI), Body: body,
		Audience: social.Audience{Kind: social.AudienceCompany, Owner: s.Links.Home()}, CreatedAt: s.Now()}, err
}

// recordForget takes all entries back from those who were told any.
func (s *Server) recordForget(ctx context.Context, tx social.Tx, c social.Change) error {
	a, err := s.peopleActivity(ctx, tx, c)
	if err != nil {
		return err
	}
	a.Retraction, a.Peer = true, c.Peer
	o := object{"id": a.URI, "type": activitypub.Delete, "actor": c.Actor.URI, "published": stamp(c.At), "object": object{"type": activitypub.Tombstone, "id": a.ObjectURI}}
	if a.Body, err = s.prove(ctx, tx, c.Actor.ID, o); err != nil {
		return err
	}
	inboxes, err := s.toldInboxes(ctx, tx, a.ObjectURI, c.Peer)
	if err != nil {
		return err
	}
	return s.enqueue(ctx, tx, a, inboxes)
}

// toldInboxes are those of servers that were told entries, or of one of them.
func (s *Server) toldInboxes(ctx context.Context, tx social.Tx, uri, peer string) ([]social.InboxRef, error) {
	receipts, err := tx.Receipts(ctx, uri, peer)
	r := &inboxSet{home: s.Links.Home(), seen: map[string]bool{}}
	for _, rc := range receipts {
		r.add(rc.Inbox, rc.Peer)
	}
	return r.list, err
}

// directoryInboxes are the shared ones of all sisters and partners, or of one of them.
// A sister whose inbox nobody has learnt yet has it where all of us have it.
func (s *Server) directoryInboxes(ctx context.Context, tx social.Tx, only string) ([]social.InboxRef, error) {
	peers, err := tx.Peers(ctx)
	if err != nil {
		return nil, err
	}
	var zones []social.Zone
	for _, p := range peers {
		if p.Zone.ExchangesPeople() && !slices.Contains(zones, p.Zone) {
			zones = append(zones, p.Zone)
		}
	}
	known, err := tx.PeerInboxes(ctx, zones)
	if err != nil {
		return nil, err
	}
	for _, p := range peers {
		if p.Zone.ExchangesPeople() && !slices.ContainsFunc(known, func(in social.InboxRef) bool { return in.Peer == p.Authority }) {
			known = append(known, social.InboxRef{Peer: p.Authority, Inbox: s.Links.Of(p.Authority).SharedInbox()})
		}
	}
	return slices.DeleteFunc(known, func(in social.InboxRef) bool { return only != "" && in.Peer != only }), nil
}

// decidePeople writes what is told of entries for the peer of a delivery, as it may see
// them now: one that was queued before a field was hidden leaves without it.
func (s *Server) decidePeople(ctx context.Context, tx social.Tx, j queue.Job, d *decision) error {
	see, zone, err := s.social.PeopleFor(ctx, tx, j.Host)
	if err != nil {
		return err
	}
	if see == nil {
		d.refused = "the peer may see nobody of the directory"
		return nil
	}
	named, err := activitypub.Parse(d.activity.Body)
	if err != nil {
		return err
	}
	entries, err := s.entriesFor(ctx, tx, see, named, j)
	if err != nil {
		return err
	}
	actor, err := tx.Account(ctx, d.activity.ActorID)
	if err != nil {
		return err
	}
	if d.activity.Body, err = s.prove(ctx, tx, actor.ID, s.peopleUpdate(d.activity, actor, zone, entries)); err != nil {
		return err
	}
	return tx.PutReceipt(ctx, social.Receipt{ObjectURI: d.activity.ObjectURI, Peer: j.Host, Inbox: j.Target, How: social.ReceiptSent, At: s.Now()})
}

// learnPeople looks up entries of the directory that the change log names.
func (s *Server) learnPeople(ctx context.Context, tx social.Tx, f *logFacts, entered []string) (err error) {
	if len(entered) == 0 {
		return nil
	}
	if f.see, _, err = s.social.PeopleFor(ctx, tx, f.reader.Peer); err != nil || f.see == nil {
		return err
	}
	uris := make([]string, len(entered))
	for i, uri := range entered {
		uris[i] = strings.TrimSuffix(uri, entryURI(""))
	}
	if f.told, err = knownEntries(ctx, tx, f.reader.Peer, uris); err != nil {
		return err
	}
	found, err := tx.PeopleByURI(ctx, uris)
	f.entries = make(map[string]*social.Person, len(found))
	for uri, p := range found {
		f.entries[entryURI(uri)] = p
	}
	return err
}

// peopleItem is an entry as the reader of the change log may see it now. Who is gone or
// hidden is none of the reader's business, unless it may have known them.
func (s *Server) peopleItem(f *logFacts, a *social.Activity, actor *social.Account) object {
	p := f.entries[a.About]
	if p == nil || f.see == nil {
		return nil
	}
	if p = f.see(p); p.Gone && !f.told[a.About] {
		return nil
	}
	return s.peopleUpdate(a, actor, f.reader.Zone, []any{entry(p)})
}

// peopleUpdate tells a zone entries.
func (s *Server) peopleUpdate(a *social.Activity, actor *social.Account, z social.Zone, entries []any) object {
	audience := social.Audience{Kind: social.AudienceCompany, Owner: s.Links.Home()}
	if z.Kind == social.ZonePartner {
		audience.Kind, audience.Name = social.AudiencePartner, z.Name
	}
	return object{"id": a.URI, "type": activitypub.Update, "actor": actor.URI, "published": stamp(a.CreatedAt), "to": []any{s.Links.Audience(audience)}, "object": entries}
}

// entriesFor are the entries that an activity names, as a peer sees them, with receipts
// of those that it is told. Who is gone or hidden is told to whom knows them only.
func (s *Server) entriesFor(ctx context.Context, tx social.Tx, see func(*social.Person) *social.Person, named object, j queue.Job) ([]any, error) {
	var uris []string
	for _, e := range named.Objects("object") {
		uris = append(uris, e.Ref("describes"))
	}
	people, err := tx.PeopleByURI(ctx, uris)
	if err != nil {
		return nil, err
	}
	known, err := knownEntries(ctx, tx, j.Host, uris)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, uri := range uris {
		p := people[uri]
		if p == nil || p.Peer != "" {
			continue
		}
		if p = see(p); p.Gone && !known[entryURI(uri)] {
			continue
		}
		out = append(out, entry(p))
		if p.Gone || known[entryURI(uri)] {
			continue
		}
		if err := tx.PutReceipt(ctx, social.Receipt{ObjectURI: entryURI(uri), Peer: j.Host, Inbox: j.Target, How: social.ReceiptSent, At: s.Now()}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// knownEntries says which people's entries a peer was told of.
func knownEntries(ctx context.Context, tx social.Tx, peer string, people []string) (map[string]bool, error) {
	entries := make([]string, len(people))
	for i, uri := range people {
		entries[i] = entryURI(uri)
	}
	return tx.HaveReceipts(ctx, peer, entries)
}

// entry is a person as an object of the directory; of who left or is hidden, a
// tombstone.
func entry(p *social.Person) object {
	o := object{"type": activitypub.DirectoryEntry, "id": entryURI(p.URI), "describes": p.URI, "version": p.Version}
	if p.Gone {
		o["type"], o["formerType"] = activitypub.Tombstone, activitypub.DirectoryEntry
		return o
	}
	o["preferredUsername"], o["name"] = p.Username, p.Name
	for key, v := range map[string]string{"department": p.Department, "jobTitle": p.Title, "manager": p.Manager, "workLocation": p.Location, "pronouns": p.Pronouns} {
		if v != "" {
			o[key] = v
		}
	}
	for key, list := range map[string][]string{"skills": p.Skills, "knowsLanguage": p.Languages} {
		if len(list) > 0 {
			o[key] = list
		}
	}
	if p.Photo != "" {
		o["icon"] = object{"type": activitypub.Image, "url": p.Photo}
	}
	return o
}

// mostEntries bounds the entries of one activity; a page of ours has fewer.
const mostEntries = 500

// tellsPeople says that an Update is about entries of the directory.
func tellsPeople(o object) bool {
	e, ok := o.Embedded("object")
	return ok && (e.Type() == activitypub.DirectoryEntry || e.Type() == activitypub.Tombstone && e.Text("formerType") == activitypub.DirectoryEntry)
}

// applyPeople takes entries that an instance actor tells of its own people; nobody else
// may, and nobody passes them on.
func (s *Server) applyPeople(ctx context.Context, in *social.Inbound, actor *social.Account, o object) error {
	if err := s.speaksForPeople(in, actor); err != nil {
		return err
	}
	objects := o.Objects("object")
	if len(objects) > mostEntries {
		return social.Errorf(social.Invalid, "one activity tells of more than %d people", mostEntries)
	}
	var people []*social.Person
	for _, e := range objects {
		p, err := s.readEntry(actor, e)
		if err != nil {
			return err
		}
		if p != nil {
			people = append(people, p)
		}
	}
	return s.social.ApplyPeople(ctx, in.Peer, people)
}

// forgetPeople removes the entries that an instance takes back.
func (s *Server) forgetPeople(ctx context.Context, in *social.Inbound, actor *social.Account) error {
	if err := s.speaksForPeople(in, actor); err != nil {
		return err
	}
	return s.social.ForgetPeople(ctx, in.Peer)
}

func (s *Server) speaksForPeople(in *social.Inbound, actor *social.Account) error {
	if actor.Kind != social.KindApplication || in.Peer != actor.Authority {
		return social.Errorf(social.Invalid, "a directory is told by its own instance alone")
	}
	return nil
}

// readEntry translates an entry. What is no entry is passed over, so that others can
// tell more one day; one about another server's people refuses the whole activity.
func (s *Server) readEntry(actor *social.Account, e object) (*social.Person, error) {
	gone := e.Type() == activitypub.Tombstone
	if !gone && e.Type() != activitypub.DirectoryEntry {
		return nil, nil
	}
	uri := e.Ref("describes")
	version := e.Int("version")
	switch {
	case !activitypub.SameAuthority(uri, actor.URI) || e.ID() != entryURI(uri):
		return nil, social.Errorf(social.Invalid, "an entry of the directory is about somebody of another server")
	case version <= 0:
		return nil, social.Errorf(social.Invalid, "an entry of the directory has no version")
	}
	p := &social.Person{URI: uri, Version: int64(version), Gone: gone, Username: clip(e.Text("preferredUsername"), maxName), Name: e.Text("name"),
		Department: e.Text("department"), Title: e.Text("jobTitle"), Manager: e.Ref("manager"), Skills: e.Strings("skills"),
		Languages: e.Strings("knowsLanguage"), Location: e.Text("workLocation"), Pronouns: e.Text("pronouns"), Photo: s.picture(e, "icon")}
	if !gone && !plainName(p.Username) {
		return nil, social.Errorf(social.Invalid, "an entry of the directory has no name that can be told from others")
	}
	return p, nil
}
