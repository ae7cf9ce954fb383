package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/mux"

	"parley/social"
)

// person is an account with what the reader has with it.
type person struct {
	*frame
	Account *social.Account
	Rel     *social.Relationship // nil for oneself and when signed out
}

// Handle is how anybody anywhere can find the account.
func (p person) Handle() string {
	if p.Account.Local() {
		return "@" + p.Account.Username + "@" + p.Domain
	}
	return "@" + p.Account.Acct()
}

// Company says whose server the account belongs to, by what this server knows of it
// and nothing that the account says of itself; "" for who is signed out.
func (p person) Company() string {
	if p.Me == nil {
		return ""
	}
	if p.Account.Local() {
		return p.T("company_own", p.Org.Name)
	}
	return p.firm(p.Account.Authority)
}

// Firm is Company for those who are not of this server.
func (p person) Firm() string {
	if p.Account.Local() {
		return ""
	}
	return p.Company()
}

// firm says in words whose server another one is, and what it is to us.
func (f *frame) firm(authority string) string {
	switch f.zone(authority) {
	case social.ZoneCompany:
		return f.T("company_group", f.NameOf(authority))
	case social.ZonePartner:
		return f.T("company_partner", f.NameOf(authority))
	}
	return f.T("company_outside", authority)
}

// profilePage is a person and what they wrote.
type profilePage struct {
	*frame
	Person person
	Entry  *colleague // what the directory says; nil for nothing
	Note   *form      // what the reader keeps about them; nil for oneself and when signed out
	Lists  []listing  // the reader's, where somebody stands whom the reader follows
	Pinned []card
	Posts  []card
	Older  string
	Empty  string
}

func (profilePage) file() string { return "profile.html" }

func (w *Web) byID(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	a, err := w.Social.Account(p.ctx(), p.reader, id)
	if err != nil {
		return err
	}
	return w.redirect(p, "/@"+a.Acct(), "")
}

func (w *Web) profile(p *page) error {
	a, err := w.Social.AccountByHandle(p.ctx(), p.reader, p.part("name"))
	if err != nil {
		return err
	}
	if a.Kind == social.KindGroup {
		return w.redirect(p, "/groups/"+a.ID.String(), "")
	}
	views, err := w.Social.AccountPosts(p.ctx(), p.reader, a.ID, p.cursor(), social.PostFilter{})
	if err != nil {
		return err
	}
	people, err := w.people(p, []*social.Account{a})
	if err != nil {
		return err
	}
	d := profilePage{frame: p.frame, Person: people[0], Older: p.older(views), Empty: p.T("profile_empty")}
	var pinned []*social.PostView
	if p.cursor().Max == 0 {
		if pinned, err = w.Social.Pinned(p.ctx(), p.reader, a.ID); err != nil {
			return err
		}
	}
	act := ""
	if p.Me != nil && p.Me.ID == a.ID {
		act = "pin"
	}
	d.Pinned, d.Posts = p.onTop(pinned, views, act)
	d.Title = a.Name()
	if a.Local() {
		d.Feed = w.Links.AccountPage(a.Username)
	}
	if d.Preview, err = w.previewOf(p, a.ID); err != nil {
		return err
	}
	if p.Me != nil {
		if e, err := w.Social.EntryOf(p.ctx(), p.reader, a.URI); err == nil {
			d.Entry = &colleague{frame: p.frame, Entry: e}
		} else if social.KindOf(err) != social.NotFound {
			return err
		}
	}
	if rel := d.Person.Rel; rel != nil {
		d.Note = &form{Action: "/accounts/" + a.ID.String() + "/note", Submit: p.T("save"), Hidden: map[string]string{"next": p.Path}, Fields: []field{
			{Name: "comment", Label: p.T("own_note"), Hint: p.T("own_note_hint"), Kind: "textarea", Rows: 3, MaxLength: social.NoteLength, Value: rel.Note, Language: p.Language}}}
	}
	if rel := d.Person.Rel; rel != nil && rel.Following {
		if err := w.listsWith(p, &d); err != nil {
			return err
		}
	}
	if rel := d.Person.Rel; rel != nil && !rel.Following && !a.Local() {
		d.Empty = p.T("profile_empty_remote")
	}
	return w.show(p, http.StatusOK, d)
}

// listing is a list of the reader's, and whether the account stands in it.
type listing struct {
	*social.List
	In bool
}

// listsWith shows in which of the reader's lists somebody stands whom the reader follows.
func (w *Web) listsWith(p *page, d *profilePage) error {
	all, err := w.Social.Lists(p.ctx(), p.reader)
	if err != nil || len(all) == 0 {
		return err
	}
	with, err := w.Social.ListsWith(p.ctx(), p.reader, d.Person.Account.ID)
	if err != nil {
		return err
	}
	for _, l := range all {
		d.Lists = append(d.Lists, listing{l, slices.ContainsFunc(with, func(one *social.List) bool { return one.ID == l.ID })})
	}
	return nil
}

// people adds to accounts what the reader has with them.
func (w *Web) people(p *page, accounts []*social.Account) ([]person, error) {
	rels := map[social.ID]*social.Relationship{}
	if p.Me != nil {
		ids := make([]social.ID, len(accounts))
		for i, a := range accounts {
			ids[i] = a.ID
		}
		list, err := w.Social.Relationships(p.ctx(), p.reader, ids)
		if err != nil {
			return nil, err
		}
		for i, r := range list {
			if r.AccountID != p.Me.ID {
				rels[r.AccountID] = &list[i]
			}
		}
	}
	out := make([]person, len(accounts))
	for i, a := range accounts {
		out[i] = person{frame: p.frame, Account: a, Rel: rels[a.ID]}
	}
	return out, nil
}

func (w *Web) relate(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	act, done := mux.Vars(p.r)["act"], ""
	switch act {
	case "follow":
		var rel social.Relationship
		if rel, err = w.Social.Follow(p.ctx(), p.reader, id, social.FollowOptions{}); err == nil {
			done = w.awaitAnswer(p, id, rel)
		}
	case "unfollow":
		_, err = w.Social.Unfollow(p.ctx(), p.reader, id)
	case "mute", "unmute":
		_, err = w.Social.Mute(p.ctx(), p.reader, id, act == "mute")
		done = act + "d"
	case "block", "unblock":
		_, err = w.Social.Block(p.ctx(), p.reader, id, act == "block")
		done = act + "ed"
	case "note":
		_, err = w.Social.SetNote(p.ctx(), p.reader, id, p.r.PostFormValue("comment"))
		done = "saved"
	case "drop":
		_, err = w.Social.RemoveFollower(p.ctx(), p.reader, id)
		done = "follower_dropped"
	case "accept":
		_, err = w.Social.AnswerFollow(p.ctx(), p.reader, id, true)
	case "reject":
		_, err = w.Social.AnswerFollow(p.ctx(), p.reader, id, false)
	}
	if err != nil {
		return err
	}
	return w.back(p, "/users/"+id.String(), done)
}

const (
	answerTime  = 2 * time.Second
	answerEvery = 50 * time.Millisecond
)

// awaitAnswer gives another server a moment to accept, so that the next page can
// show it; it names the notice that fits.
func (w *Web) awaitAnswer(p *page, id social.ID, rel social.Relationship) string {
	tick := time.NewTicker(answerEvery)
	defer tick.Stop()
	late := time.After(answerTime)
	for rel.Requested {
		select {
		case <-p.ctx().Done():
			return "asked"
		case <-late:
			return "asked"
		case <-tick.C:
		}
		rels, err := w.Social.Relationships(p.ctx(), p.reader, []social.ID{id})
		if err != nil || len(rels) != 1 {
			return "asked"
		}
		rel = rels[0]
	}
	return "followed"
}
