package web

import (
	"net/http"
	"time"

	"parley/queue"
	"parley/social"
)

// stylePage shows the components of the pages in their states, side by side, for whoever
// changes them. It is there on trial servers alone, and knows nobody's posts.
type stylePage struct {
	*frame
	Fields    []field
	Posts     []card
	Fresh     string // as in lists that grow; nothing follows here
	Older     string
	Asked     card // a poll that is open
	Folded    card // the same, as one of many answers
	Held      unsent
	Told      told
	Marks     []meaning
	Form      *form
	Composer  *composer
	Kept      keptFile
	Meant     meant
	People    []person
	Group     community
	Groups    []community
	Topics    []social.Topic
	Colleague colleague
	Suggested suggestion
	Checklist checklist
	Work      []workForms
	Figures   []figure
}

func (stylePage) file() string { return "style.html" }

func (w *Web) style(p *page) error {
	if !w.Trial || p.Me == nil {
		return social.NotFoundError()
	}
	d := stylePage{frame: p.titled("style")}
	for _, kind := range []string{"text", "password", "date", "file", "checkbox", "textarea", "select"} {
		for _, problem := range []string{"", p.T("check_form")} {
			f := field{Name: kind, Of: "-style", Label: kind, Hint: p.T("style_hint"), Kind: kind, Problem: problem, Rows: 2}
			if problem != "" {
				f.Of = "-wrong"
			}
			if kind == "select" {
				f.Options = []option{{Value: "1", Label: p.T("yes"), Selected: true}, {Value: "2", Label: p.T("no")}}
			}
			d.Fields = append(d.Fields, f)
		}
	}
	for i, kind := range []social.AudienceKind{social.AudienceCompany, social.AudiencePartner, social.AudiencePublic} {
		post := &social.Post{ID: social.ID(i + 1), AuthorID: p.Me.ID, Kind: social.PostNote, Content: "<p>" + p.T("style_text") + "</p>", PublishedAt: p.now, Local: true,
			Audience: social.Audience{Kind: kind, Name: "acme", Owner: p.home}, FavouritesCount: i, RepliesCount: i}
		if i == 0 {
			post.Question = true
		}
		if i == 1 {
			post.Summary, post.EditedAt = p.T("sensitive"), p.now
		}
		if i == 2 {
			post.Kind, post.Poll = social.PostPoll, &social.Poll{Options: []social.PollOption{{Title: p.T("yes"), Votes: 3}, {Title: p.T("no"), Votes: 1}}, Voters: 4, ExpiresAt: p.now.Add(-time.Hour)}
		}
		c := p.Card(&social.PostView{Post: post, Author: p.Me, Favourited: i == 1})
		c.Main, c.Depth, c.Place = i == 1, i, i+1
		d.Posts = append(d.Posts, c)
		d.Marks = append(d.Marks, meaning{Reach: p.reach(kind, nil), Text: p.Meaning(social.Choice{Kind: kind, Name: "acme"})})
	}
	d.Held = unsent{frame: p.frame, V: &social.UnsentView{Unsent: &social.Unsent{ID: 1}}, Left: 30}
	d.Told = told{"/drafts", p.T("scheduled")}
	d.Older = "/about/style"
	d.styleForms(p)
	d.stylePeople(p)
	var err error
	if d.Composer, err = w.composer(p, nil); err != nil {
		return err
	}
	d.Composer.Text.Problem, d.Composer.More = p.T("check_form"), true
	d.Composer.Ask = question{Name: "outside", Yes: p.T("publish_outside")}
	return w.show(p, http.StatusOK, d)
}

// styleForms fills in what belongs to forms and to what an administrator looks after.
func (d *stylePage) styleForms(p *page) {
	d.Form = &form{Action: "/about/style", Submit: p.T("save"), Danger: true, Fields: []field{{Name: "alone", Label: p.T("style"), Kind: "text"}}}
	d.Kept = p.kept(&social.Media{ID: 4, Attachment: social.Attachment{Name: "plan.txt", Kind: "unknown"}})
	waits, held := queue.Host{Queued: 3}, queue.Host{Queued: 1, HeldAt: p.now}
	d.Work = []workForms{p.WorkOf("b.test", waits, refused{Host: "b.test", Problem: p.T("check_form")}), p.WorkOf("c.test", held, refused{})}
	d.Figures = []figure{{Label: p.T("figure_failing"), Value: p.Number(1), Bad: true, To: "/about/style"}, {Label: p.T("figure_posts"), Value: p.Number(1234)}}
}

// stylePeople fills in people, communities and first steps.
func (d *stylePage) stylePeople(p *page) {
	ben := &social.Account{ID: 5, Username: "ben", Host: "b.test", Authority: "b.test", DisplayName: "Ben Brandt", Locked: true}
	for _, rel := range []*social.Relationship{{}, {Requested: true, FollowedBy: true}, {Following: true, Muting: true, Blocking: true}} {
		d.People = append(d.People, person{p.frame, ben, rel})
	}
	d.Meant = meant{p.frame, d.People[:2]}
	entry := social.DirectoryEntry{Person: &social.Person{URI: "https://b.test/users/5", Username: "ben", Host: "b.test", Peer: "b.test", Name: "Ben Brandt", Pronouns: "he", Title: "Dispatcher",
		Department: "Fleet", Location: "Hamburg", Skills: []string{"Excel"}, Languages: []string{"de"}}, Managers: []*social.Person{{URI: "https://b.test/users/6", Name: "Lena Lang", Title: "Head of Fleet"}}}
	d.Colleague = colleague{p.frame, entry, nil}
	d.Suggested = suggestion{d.Colleague, p.T("why_department")}
	fleet := &social.Account{ID: 7, Kind: social.KindGroup, Username: "fleet", DisplayName: "Fleet", FollowersCount: 12, Group: &social.Group{Join: social.JoinRequest}}
	d.Group = community{p.frame, &social.GroupView{Account: fleet, Owner: p.Me, Member: true, Runs: true, Owns: true, Waiting: 2}}
	d.Groups = []community{d.Group, {p.frame, &social.GroupView{Account: fleet, Asked: true}}}
	d.Topics = []social.Topic{{Tag: "fleet", Posts: 2, Followed: true}, {Tag: "plan", Posts: 1}}
	steps := p.firstSteps(social.First{Picture: true})
	steps[1].Current = true
	d.Checklist = checklist{frame: p.frame, Title: p.T("first_steps"), Intro: p.T("first_steps_intro"), Steps: steps, Dismiss: "/welcome", GoOn: "/welcome"}
	open := &social.Post{ID: 8, AuthorID: ben.ID, Kind: social.PostPoll, Content: "<p>" + p.T("style_text") + "</p>", PublishedAt: p.now, Audience: social.Audience{Kind: social.AudienceCompany, Owner: p.home},
		Poll:        &social.Poll{Options: []social.PollOption{{Title: p.T("yes")}, {Title: p.T("no")}}, ExpiresAt: p.now.Add(time.Hour)},
		Attachments: []social.Attachment{{MediaID: 9, Name: "plan.txt", Kind: "unknown", Description: p.T("style")}}}
	d.Asked = p.Card(&social.PostView{Post: open, Author: ben, Quote: d.Posts[0].V, Bookmarked: true,
		Kept: social.Kept{Folder: p.T("folder"), Note: p.T("style_text"), RemindAt: p.now}})
	d.Asked.By = p.Me
	d.Folded = d.Asked
	d.Folded.Anchor = ""
}
