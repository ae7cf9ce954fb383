package web

import (
	"net/http"
	"slices"
	"strings"

	"parley/social"
)

// step is one of the first steps, of a colleague or of a server.
type step struct {
	Path, Label string
	Hint        string
	Command     string // for who runs the server
	Go, GoText  string // address of the page where it is done
	Done        bool
	Current     bool
}

// checklist shows first steps above a list of posts, until they are done or unwanted.
type checklist struct {
	*frame
	Title, Intro string
	Steps        []step
	Dismiss      string // address of the form that ends it
	GoOn         string // address of the first that is not done
}

// firstSteps are those of a colleague, in their order, by the words of ?step=.
var firstSteps = []string{"picture", "skills", "people", "groups", "post"}

func (p *page) firstSteps(f social.First) []step {
	done := map[string]bool{"picture": f.Picture, "skills": f.Skills, "people": f.People, "groups": f.Groups, "post": f.Post}
	var out []step
	for _, name := range firstSteps {
		out = append(out, step{Path: "/welcome?step=" + name, Label: p.T("step_" + name), Done: done[name]})
	}
	return out
}

// undone is the first step that is not done, or the last.
func undone(steps []step) int {
	if i := slices.IndexFunc(steps, func(s step) bool { return !s.Done }); i >= 0 {
		return i
	}
	return len(steps) - 1
}

// suggestion is a colleague worth following, and why.
type suggestion struct {
	colleague
	Why string
}

func (w *Web) suggestions(p *page, limit int) ([]suggestion, error) {
	list, err := w.Social.SuggestPeople(p.ctx(), p.reader, limit)
	if err != nil {
		return nil, err
	}
	entries := make([]social.DirectoryEntry, len(list))
	for i, g := range list {
		entries[i] = g.DirectoryEntry
	}
	people, err := w.colleagues(p, entries)
	if err != nil {
		return nil, err
	}
	out := make([]suggestion, len(list))
	for i, g := range list {
		out[i] = suggestion{people[i], p.why(g)}
	}
	return out, nil
}

// why says what the reader and a colleague have in common.
func (p *page) why(g social.Suggestion) string {
	var parts []string
	if g.Manager {
		parts = append(parts, p.T("why_manager"))
	}
	if g.Department {
		parts = append(parts, p.T("why_department"))
	}
	if len(g.Skills) > 0 {
		parts = append(parts, p.T("why_skills", strings.Join(g.Skills, ", ")))
	}
	return strings.Join(parts, " · ")
}

const (
	suggestedPeople = 5
	suggestedGroups = 2
)

// stepsPage is one of the first steps of a colleague.
type stepsPage struct {
	*frame
	Steps    []step
	Step     string
	Intro    string
	Picture  face
	Field    *field
	People   []suggestion
	Groups   []community
	Composer *composer
	Next     string // address of the step after it, or home
}

func (stepsPage) file() string { return "steps.html" }

func (w *Web) steps(p *page) error {
	if !p.Me.Welcome.Begun {
		if err := w.Social.NoteWelcome(p.ctx(), p.reader, func(s *social.Welcome) { s.Begun = true }); err != nil {
			return err
		}
	}
	d, err := w.stepsPage(p, p.r.URL.Query().Get("step"))
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, d)
}

// stepsPage makes the page of a step, or of the first that is not done.
func (w *Web) stepsPage(p *page, name string) (d stepsPage, err error) {
	first, err := w.Social.First(p.ctx(), p.reader)
	if err != nil {
		return d, err
	}
	d = stepsPage{frame: p.frame, Steps: p.firstSteps(first), Next: "/"}
	d.Title = p.T("hello", p.Me.Name())
	at := slices.Index(firstSteps, name)
	if at < 0 {
		at = undone(d.Steps)
	}
	d.Steps[at].Current, d.Step, d.Intro = true, firstSteps[at], p.T("step_"+firstSteps[at]+"_intro")
	if at+1 < len(d.Steps) {
		d.Next = d.Steps[at+1].Path
	}
	p.Path = d.Steps[at].Path // what is followed or joined comes back here
	switch d.Step {
	case "picture":
		d.Picture = p.Face(p.Me)
		d.Field = &field{Name: "file", Label: p.T("step_picture_field"), Kind: "file", Required: true}
	case "skills":
		own, err := w.Social.OwnPerson(p.ctx(), p.reader)
		if err != nil {
			return d, err
		}
		d.Field = &field{Name: "skills", Label: p.T("entry_skills"), Hint: p.T("step_skills_hint"), Kind: "text", Value: strings.Join(own.Skills, ", "), MaxLength: 1000, Required: true}
	case "people":
		d.People, err = w.suggestions(p, suggestedPeople)
	case "groups":
		d.Groups, err = w.suggestedGroups(p)
	case "post":
		d.Composer, err = w.composer(p, nil)
	}
	return d, err
}

func (w *Web) suggestedGroups(p *page) ([]community, error) {
	views, err := w.Social.SuggestGroups(p.ctx(), p.reader, suggestedGroups)
	return p.communities(views), err
}

// takeStep keeps a picture or skills, or ends the first steps.
func (w *Web) takeStep(p *page) error {
	name := p.r.PostFormValue("step")
	var err error
	switch name {
	case "picture":
		err = w.ownPicture(p)
	case "skills":
		_, err = w.Social.UpdatePerson(p.ctx(), p.reader, social.PersonChange{Skills: strings.Split(p.r.PostFormValue("skills"), ",")})
	default:
		if err = w.Social.NoteWelcome(p.ctx(), p.reader, func(s *social.Welcome) { s.Begun, s.Done = true, true }); err != nil {
			return err
		}
		return w.redirect(p, "/", "")
	}
	if !mistake(err) {
		if err != nil {
			return err
		}
		return w.redirect(p, "/welcome", "saved")
	}
	d, fault := w.stepsPage(p, name)
	if fault != nil {
		return fault
	}
	d.Problem, d.Field.Problem = p.T("check_form"), p.say(err)
	if d.Field.Kind != "file" {
		d.Field.Value = p.r.PostFormValue(d.Field.Name)
	}
	return w.show(p, status(err), d)
}

// ownPicture makes the picture that was sent the reader's own.
func (w *Web) ownPicture(p *page) error {
	file, head, err := p.r.FormFile("file")
	if err != nil {
		return social.Errorf(social.Invalid, "choose a file")
	}
	defer file.Close() //nolint:errcheck // only read
	m, err := w.Social.Upload(p.ctx(), p.reader, social.Upload{Name: head.Filename, Body: file})
	if err != nil {
		return err
	}
	_, err = w.Social.UpdateProfile(p.ctx(), p.reader, social.ProfileChange{AvatarID: &m.ID})
	return err
}

// checklists are the first steps that home still shows: the server's to who runs it,
// then the reader's own.
func (w *Web) checklists(p *page) (out []checklist, err error) {
	if !p.Me.Welcome.Begun {
		return nil, nil
	}
	if p.Admin && !p.Me.Welcome.ServerDone {
		steps, err := w.serverSteps(p)
		if err != nil {
			return nil, err
		}
		if i := undone(steps); !steps[i].Done {
			out = append(out, checklist{frame: p.frame, Title: p.T("server_steps"), Intro: p.T("server_steps_intro"), Steps: steps, Dismiss: "/admin/start", GoOn: "/admin/start"})
		}
	}
	if p.Me.Welcome.Done {
		return out, nil
	}
	first, err := w.Social.First(p.ctx(), p.reader)
	if err != nil {
		return nil, err
	}
	if first.All() {
		return out, w.Social.NoteWelcome(p.ctx(), p.reader, func(s *social.Welcome) { s.Done = true })
	}
	return append(out, checklist{frame: p.frame, Title: p.T("first_steps"), Intro: p.T("first_steps_intro"), Steps: p.firstSteps(first), Dismiss: "/welcome", GoOn: "/welcome"}), nil
}

// newcomer says that somebody has never been here: nothing written, nobody followed, and
// not welcomed yet.
func newcomer(a *social.Account) bool {
	return !a.Welcome.Begun && a.PostsCount == 0 && a.FollowingCount == 0
}

// serverSteps are those to a server that works, has a name and is one of its group.
func (w *Web) serverSteps(p *page) ([]step, error) {
	members, posts, err := w.Social.CountMembers(p.ctx())
	if err != nil {
		return nil, err
	}
	peers, err := w.Social.Peers(p.ctx())
	if err != nil {
		return nil, err
	}
	paired := slices.ContainsFunc(peers, func(one social.Peer) bool { return one.Zone.Kind == social.ZoneCompany })
	return []step{
		{Path: "/admin/start#step-0", Label: p.T("server_name"), Hint: p.T("server_name_hint"), Done: p.Org.Description != ""},
		{Path: "/admin/start#step-1", Label: p.T("server_address"), Hint: p.T("server_address_hint"), Command: "parley domain set HOST", Done: !p.Trial},
		{Path: "/admin/people", Label: p.T("server_people"), Hint: p.T("server_people_hint"), Go: "/admin/people", GoText: p.T("server_people_go"), Done: members > 1},
		{Path: "/admin/servers", Label: p.T("server_group"), Hint: p.T("server_group_hint"), Go: "/admin/servers", GoText: p.T("server_group_go"), Done: paired},
		{Path: "/compose", Label: p.T("server_post"), Hint: p.T("server_post_hint"), Done: posts > 0},
	}, nil
}

// serverPage is the checklist of a new server.
type serverPage struct {
	*frame
	Steps []step
	Form  *form
}

func (serverPage) file() string { return "server.html" }

func (w *Web) serverPage(p *page) (serverPage, error) {
	steps, err := w.serverSteps(p)
	return serverPage{frame: p.titled("server_steps"), Steps: steps, Form: &form{Action: "/admin/start", Submit: p.T("save"), Fields: []field{
		{Name: "organisation", Label: p.T("organisation"), Hint: p.T("organisation_hint"), Kind: "text", Required: true, MaxLength: 100, Value: p.Org.Name},
		{Name: "group", Label: p.T("group"), Hint: p.T("group_hint"), Kind: "text", MaxLength: 100, Value: p.Org.Group},
		{Name: "description", Label: p.T("server_description"), Hint: p.T("server_description_hint"), Kind: "textarea", Rows: 3, MaxLength: 500, Value: p.Org.Description},
	}}}, err
}

func (w *Web) server(p *page) error {
	d, err := w.serverPage(p)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, d)
}

// nameServer keeps the names, or ends the checklist.
func (w *Web) nameServer(p *page) error {
	if p.r.PostFormValue("step") == "done" {
		if err := w.Social.NoteWelcome(p.ctx(), p.reader, func(s *social.Welcome) { s.ServerDone = true }); err != nil {
			return err
		}
		return w.redirect(p, "/", "")
	}
	o := p.Org
	o.Name, o.Group, o.Description = p.r.PostFormValue("organisation"), p.r.PostFormValue("group"), plainLines(p.r.PostFormValue("description"))
	err := w.Social.SetOrganisation(p.ctx(), o, p.Me.Username)
	if mistake(err) {
		d, fault := w.serverPage(p)
		if fault != nil {
			return fault
		}
		d.Form.refill(p.r)
		d.Form.mark("organisation", p.say(err))
		d.Problem = p.T("check_form")
		return w.show(p, status(err), d)
	}
	if err != nil {
		return err
	}
	return w.redirect(p, "/admin/start", "saved")
}
