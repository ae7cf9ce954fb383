package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"parley/social"
)

// directoryPage is the search for colleagues, here and at other companies.
type directoryPage struct {
	*frame
	Query  field
	Narrow []field // more words, each with a field of its own, and the company
	Opened bool    // one of them is filled
	Asked  bool
	People []colleague
	Next   string // address of the next page; "" at the end
}

func (directoryPage) file() string { return "directory.html" }

// Count says how many were found; "" for a list of everybody.
func (d directoryPage) Count() string {
	switch {
	case !d.Asked:
		return ""
	case len(d.People) == 0:
		return d.T("directory_none")
	case d.Next != "":
		return d.T("and_more", d.N("people", len(d.People)))
	}
	return d.N("people", len(d.People))
}

// colleague is an entry of the directory with what the reader has with the account.
type colleague struct {
	*frame
	Entry social.DirectoryEntry
	Rel   *social.Relationship // nil for oneself, and for whom nobody here has met
}

// Handle is how anybody anywhere can find the account.
func (c colleague) Handle() string {
	if c.Entry.Peer == "" {
		return "@" + c.Entry.Username + "@" + c.Domain
	}
	return "@" + c.Entry.Acct()
}

// Profile is the page of the account; "" before it was met.
func (c colleague) Profile() string {
	switch {
	case c.Entry.Peer == "":
		return "/@" + c.Entry.Username
	case c.Entry.AccountID == 0:
		return ""
	}
	return "/users/" + c.Entry.AccountID.String() // the handle may have another host than the server
}

// Firm says at which other company somebody is; "" for our own.
func (c colleague) Firm() string {
	if c.Entry.Peer == "" {
		return ""
	}
	return c.firm(c.Entry.Peer)
}

// Own says that it is the reader.
func (c colleague) Own() bool { return c.Entry.URI == c.Me.URI }

// Known says that the reader follows already or has asked to.
func (c colleague) Known() bool { return c.Rel != nil && (c.Rel.Following || c.Rel.Requested) }

// Office is department and place in one line.
func (c colleague) Office() string {
	var parts []string
	for _, s := range []string{c.Entry.Department, c.Entry.Location} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}

// Skills and Tongues are the lists in one line.
func (c colleague) Skills() string  { return strings.Join(c.Entry.Skills, ", ") }
func (c colleague) Tongues() string { return strings.Join(c.Entry.Languages, ", ") }

func (w *Web) directory(p *page) error {
	q := strings.TrimSpace(p.r.URL.Query().Get("q"))
	skip := p.skip("skip")
	d := directoryPage{frame: p.titled("directory"), Query: field{Name: "q", Label: p.T("directory_label"), Hint: p.T("directory_hint"), Kind: "search", Value: q, MaxLength: 500, Focus: q == ""}}
	query := p.r.URL.Query()
	next := 0
	sought := social.DirectoryQuery{Text: q, Limit: pageSize, Offset: skip, Next: &next}
	if err := w.narrowed(p, &d, query, &sought); err != nil {
		return err
	}
	d.Asked = q != "" || d.Opened
	entries, err := w.Social.Directory(p.ctx(), p.reader, sought)
	if err != nil {
		return err
	}
	if next != 0 {
		query.Set("skip", strconv.Itoa(next))
		d.Next = "/directory?" + query.Encode()
	}
	if d.People, err = w.colleagues(p, entries); err != nil {
		return err
	}
	return w.show(p, http.StatusOK, d)
}

// narrowed reads the fields beside the words: what is typed there is sought in that part
// of an entry alone.
func (w *Web) narrowed(p *page, d *directoryPage, query url.Values, sought *social.DirectoryQuery) error {
	sought.In = map[social.PersonField]string{}
	for _, one := range []struct {
		field
		in social.PersonField
	}{
		{field{Name: "unit", Label: p.T("entry_department")}, social.FieldDepartment}, {field{Name: "place", Label: p.T("entry_location")}, social.FieldLocation},
		{field{Name: "skill", Label: p.T("entry_skills")}, social.FieldSkills}, {field{Name: "tongue", Label: p.T("entry_languages")}, social.FieldLanguages},
	} {
		f := one.field
		f.Kind, f.MaxLength, f.Value = "text", 100, strings.TrimSpace(query.Get(f.Name))
		if f.Value != "" {
			sought.In[one.in], d.Opened = f.Value, true
		}
		d.Narrow = append(d.Narrow, f)
	}
	peers, err := w.Social.Peers(p.ctx())
	if err != nil {
		return err
	}
	company := field{Name: "company", Label: p.T("company"), Kind: "select", Options: []option{{Value: "", Label: p.T("all")}, {Value: p.home, Label: p.Org.Name}}}
	for _, peer := range peers {
		if peer.Zone.ExchangesPeople() {
			company.Options = append(company.Options, option{Value: peer.Authority, Label: p.NameOf(peer.Authority)})
		}
	}
	sought.At = query.Get("company")
	company.choose(sought.At)
	d.Narrow, d.Opened = append(d.Narrow, company), d.Opened || sought.At != ""
	return nil
}

// Way is where to read more of somebody of the directory: the profile, as far as the account
// is known here, else the entry.
func (f *frame) Way(one *social.Person) string {
	if one.AccountID != 0 {
		return "/users/" + one.AccountID.String()
	}
	return "/directory?" + url.Values{"q": {one.Name}}.Encode()
}

// chartPage is who reports to whom.
type chartPage struct {
	*frame
	Tops []branch
	More bool
}

func (chartPage) file() string { return "chart.html" }

// branch is somebody in the chart with those below.
type branch struct {
	*frame
	*social.ChartNode
	Level int
}

// Below are those who report to them.
func (b branch) Below() []branch {
	out := make([]branch, len(b.Reports))
	for i, n := range b.Reports {
		out[i] = branch{b.frame, n, b.Level + 1}
	}
	return out
}

// Opened says that those below are shown at once.
func (b branch) Opened() bool { return b.Level < 2 }

func (w *Web) chart(p *page) error {
	tops, more, err := w.Social.Chart(p.ctx(), p.reader)
	if err != nil {
		return err
	}
	d := chartPage{frame: p.titled("chart"), More: more}
	for _, n := range tops {
		d.Tops = append(d.Tops, branch{p.frame, n, 0})
	}
	return w.show(p, http.StatusOK, d)
}

// colleagues adds to entries what the reader has with the accounts that are known here.
func (w *Web) colleagues(p *page, entries []social.DirectoryEntry) ([]colleague, error) {
	var ids []social.ID
	for _, e := range entries {
		if e.AccountID != 0 && e.URI != p.Me.URI {
			ids = append(ids, e.AccountID)
		}
	}
	rels, err := w.Social.Relationships(p.ctx(), p.reader, ids)
	if err != nil {
		return nil, err
	}
	by := map[social.ID]*social.Relationship{}
	for i, r := range rels {
		by[r.AccountID] = &rels[i]
	}
	out := make([]colleague, len(entries))
	for i, e := range entries {
		out[i] = colleague{frame: p.frame, Entry: e, Rel: by[e.AccountID]}
	}
	return out, nil
}

// followColleague follows somebody whom nobody here may have met.
func (w *Web) followColleague(p *page) error {
	id, rel, err := w.Social.FollowPerson(p.ctx(), p.reader, p.r.PostFormValue("uri"))
	if err != nil {
		return err
	}
	return w.back(p, "/users/"+id.String(), w.awaitAnswer(p, id, rel))
}

// ownEntryPage is the form about one's own entry.
func (w *Web) ownEntryPage(p *page, own *social.Person) (formPage, error) {
	reach, err := w.reaches(p)
	if err != nil {
		return formPage{}, err
	}
	f := &form{Action: "/settings/directory", Submit: p.T("save")}
	values := map[social.PersonField]string{social.FieldDepartment: own.Department, social.FieldTitle: own.Title, social.FieldManager: own.Manager,
		social.FieldSkills: strings.Join(own.Skills, ", "), social.FieldLanguages: strings.Join(own.Languages, ", "), social.FieldLocation: own.Location, social.FieldPronouns: own.Pronouns}
	labels := map[social.PersonField]string{social.FieldName: p.T("entry_name"), social.FieldDepartment: p.T("entry_department"), social.FieldTitle: p.T("entry_title"),
		social.FieldManager: p.T("entry_manager"), social.FieldSkills: p.T("entry_skills"), social.FieldLanguages: p.T("entry_languages"),
		social.FieldLocation: p.T("entry_location"), social.FieldPronouns: p.T("entry_pronouns"), social.FieldPhoto: p.T("entry_photo")}
	for _, name := range social.PersonFields() {
		label := labels[name]
		if value, typed := values[name]; typed {
			one := field{Name: string(name), Label: label, Kind: "text", Value: value, MaxLength: 1000}
			switch name {
			case social.FieldManager:
				one.Hint = p.T("entry_manager_hint")
			case social.FieldSkills, social.FieldLanguages:
				one.Hint = p.T("entry_list_hint")
			}
			f.Fields = append(f.Fields, one)
		}
		options := make([]option, len(reach))
		for i, r := range reach {
			options[i] = option{Value: r.Value, Label: r.Label, Selected: r.Value == string(own.ReachOf(name))}
		}
		f.Fields = append(f.Fields, field{Name: "shown_" + string(name), Label: p.T("entry_shown", label), Kind: "select", Options: options})
	}
	return formPage{frame: p.titled("entry"), Settings: true, Intro: []string{p.T("entry_intro")}, Form: f}, nil
}

// reaches are the choices of who sees a field.
func (w *Web) reaches(p *page) ([]option, error) {
	peers, err := w.Social.Peers(p.ctx())
	if err != nil {
		return nil, err
	}
	out := []option{{Value: string(social.ReachInstance), Label: p.audience(social.AudienceInstance, "")}, {Value: string(social.ReachCompany), Label: p.audience(social.AudienceCompany, "")}}
	seen := map[string]bool{}
	for _, peer := range peers {
		if name := peer.Zone.Name; peer.Zone.Kind == social.ZonePartner && !seen[name] {
			seen[name] = true
			out = append(out, option{Value: "partner:" + name, Label: p.audience(social.AudiencePartner, name)})
		}
	}
	return append(out, option{Value: string(social.ReachPartners), Label: p.T("entry_partners")}), nil
}

func (w *Web) ownEntryForm(p *page) error {
	own, err := w.Social.OwnPerson(p.ctx(), p.reader)
	if err != nil {
		return err
	}
	f, err := w.ownEntryPage(p, own)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, f)
}

func (w *Web) ownEntry(p *page) error {
	text := func(f social.PersonField) *string { v := p.r.PostFormValue(string(f)); return &v }
	items := func(f social.PersonField) []string { return append([]string{}, strings.Split(*text(f), ",")...) }
	change := social.PersonChange{Department: text(social.FieldDepartment), Title: text(social.FieldTitle), Manager: text(social.FieldManager),
		Location: text(social.FieldLocation), Pronouns: text(social.FieldPronouns), Skills: items(social.FieldSkills), Languages: items(social.FieldLanguages),
		Shown: map[social.PersonField]social.Reach{}}
	for _, f := range social.PersonFields() {
		if v := p.r.PostFormValue("shown_" + string(f)); v != "" {
			change.Shown[f] = social.Reach(v)
		}
	}
	_, err := w.Social.UpdatePerson(p.ctx(), p.reader, change)
	if mistake(err) {
		own, fault := w.Social.OwnPerson(p.ctx(), p.reader)
		if fault != nil {
			return fault
		}
		f, fault := w.ownEntryPage(p, own)
		if fault != nil {
			return fault
		}
		return w.again(p, f, string(social.FieldManager), err)
	}
	if err != nil {
		return err
	}
	return w.redirect(p, "/directory?"+url.Values{"q": {p.Me.Name()}}.Encode(), "saved")
}
