package web

import (
	"strings"

	"parley/social"
)

// words are all texts of the pages: English, then German. A test holds both
// complete against the templates.
var words = map[string][2]string{
	"home": {"Home", "Start"}, "company": {"Company", "Firma"}, "find": {"Find people", "Leute finden"}, "notifications": {"Notifications", "Mitteilungen"},
	"sign_in": {"Sign in", "Anmelden"}, "sign_out": {"Sign out", "Abmelden"}, "profile": {"Profile", "Profil"}, "thread": {"Conversation", "Unterhaltung"},
	"welcome": {"Welcome", "Willkommen"}, "hashtag": {"Hashtag", "Schlagwort"}, "setup": {"Set up", "Einrichten"}, "new_password": {"New password", "Neues Passwort"},
	"error":          {"That did not work", "Das hat nicht geklappt"},
	"not_found":      {"There is nothing here, or it is not meant for you.", "Hier ist nichts, oder es ist nicht für Sie bestimmt."},
	"back_home":      {"Back to the start", "Zurück zum Start"},
	"not_set_up":     {"This instance is not set up yet. Open the link that parley serve printed, or run: parley setup-link", "Diese Instanz ist noch nicht eingerichtet. Öffnen Sie den Link, den parley serve ausgegeben hat, oder rufen Sie auf: parley setup-link"},
	"trial":          {"Trial: no other server can reach you. Next step: give the instance a domain in parley.yaml.", "Probebetrieb: Kein anderer Server kann Sie erreichen. Nächster Schritt: der Instanz in parley.yaml eine Domain geben."},
	"name":           {"Name (for signing in)", "Name (zum Anmelden)"},
	"your_name":      {"Your name, as others see it", "Ihr Name, wie andere ihn sehen"},
	"password":       {"Password", "Passwort"},
	"password_hint":  {"at least 10 characters", "mindestens 10 Zeichen"},
	"short_password": {"The password needs at least 10 characters.", "Das Passwort braucht mindestens 10 Zeichen."},
	"wrong_password": {"The name or the password is wrong.", "Name oder Passwort stimmt nicht."},
	"forgot":         {"Forgotten? Ask your administrator for a link.", "Vergessen? Bitten Sie Ihre Verwaltung um einen Link."},
	"organisation":   {"Your organisation", "Ihre Organisation"}, "group": {"Your group of companies (may stay empty)", "Ihre Firmengruppe (kann leer bleiben)"},
	"become_admin": {"You become the administrator of this instance.", "Sie werden Administrator dieser Instanz."},
	"write":        {"What would you like to share?", "Was möchten Sie teilen?"}, "who_sees": {"Who sees this?", "Wer sieht das?"},
	"publish": {"Publish", "Veröffentlichen"}, "reply": {"Reply", "Antworten"}, "file": {"File", "Datei"}, "description": {"Describe the picture", "Bild beschreiben"},
	"poll": {"Poll: one answer per line", "Umfrage: eine Antwort je Zeile"}, "more": {"File, poll, content warning", "Datei, Umfrage, Inhaltswarnung"},
	"warning": {"Content warning", "Inhaltswarnung"}, "like": {"Like", "Gefällt mir"}, "unlike": {"Liked", "Gefällt Ihnen"}, "share": {"Share", "Teilen"}, "unshare": {"Shared", "Geteilt"},
	"bookmark": {"Bookmark", "Merken"}, "unbookmark": {"Bookmarked", "Gemerkt"}, "delete": {"Delete", "Löschen"}, "vote": {"Vote", "Abstimmen"}, "votes": {"votes", "Stimmen"},
	"shared_by": {"shared by", "geteilt von"}, "edited": {"edited", "bearbeitet"}, "older": {"Older posts", "Ältere Beiträge"},
	"empty":  {"Nothing here yet. Find colleagues and follow them.", "Noch nichts hier. Finden Sie Kolleginnen und Kollegen und folgen Sie ihnen."},
	"follow": {"Follow", "Folgen"}, "unfollow": {"Unfollow", "Nicht mehr folgen"}, "requested": {"Requested (withdraw)", "Angefragt (zurückziehen)"}, "follows_you": {"follows you", "folgt Ihnen"},
	"followers": {"followers", "folgen"}, "following": {"following", "gefolgt"}, "accept": {"Accept", "Annehmen"}, "reject": {"Reject", "Ablehnen"},
	"find_hint": {"A name, or @name@host", "Ein Name oder @name@host"}, "find_none": {"Nobody found. Check the spelling; another server must be admitted here first.", "Niemand gefunden. Prüfen Sie die Schreibweise; ein anderer Server muss hier erst zugelassen sein."},
	"external": {"on another server", "auf einem anderen Server"},
	"mention":  {"mentioned you", "hat Sie erwähnt"}, "favourite": {"likes your post", "gefällt Ihr Beitrag"}, "reblog": {"shared your post", "hat Ihren Beitrag geteilt"},
	"follow_request": {"wants to follow you", "möchte Ihnen folgen"}, "now_follows": {"follows you now", "folgt Ihnen jetzt"}, "update": {"edited a post that you shared", "hat einen Beitrag bearbeitet, den Sie geteilt haben"},
	"poll_ended": {"A poll has ended", "Eine Umfrage ist beendet"}, "admin.report": {"sent a report", "hat etwas gemeldet"},
	"aud_direct": {"Only the people named", "Nur die Genannten"}, "aud_followers": {"My followers", "Nur wer mir folgt"}, "aud_instance": {"Only %s", "Nur %s"},
	"aud_company": {"Whole %s", "Ganze %s"}, "aud_partner": {"Our group and %s", "Unsere Gruppe und %s"}, "aud_public": {"Public, outside the company too", "Öffentlich, auch außerhalb"},
	"aud_unlisted": {"Public, outside too (quiet)", "Öffentlich, auch außerhalb (leise)"}, "aud_group": {"Community %s", "Community %s"}, "our_group": {"company", "Firma"}, "servers": {"servers", "Server"},
}

// T is the text of a key in the page's language.
func (p *page) T(key string) string {
	w, ok := words[key]
	if !ok {
		return key
	}
	if p.Language == "de" {
		return w[1]
	}
	return w[0]
}

// Who says in words who sees an audience.
func (p *page) Who(kind social.AudienceKind, name string) string {
	text := p.T("aud_" + string(kind))
	switch kind {
	case social.AudienceInstance:
		name = p.Org.Name
	case social.AudienceCompany:
		if name = p.Org.Group; name == "" {
			name = p.T("our_group")
		}
	}
	return strings.Replace(text, "%s", name, 1)
}

// When is a moment in the page's language.
func (p *page) When(v *social.PostView) string {
	if p.Language == "de" {
		return v.Post.PublishedAt.Format("02.01.2006 15:04")
	}
	return v.Post.PublishedAt.Format("2 Jan 2006 15:04")
}

// Does says what a notification tells.
func (p *page) Does(k social.NotificationKind) string {
	switch k {
	case social.NotifyFollow:
		return p.T("now_follows")
	case social.NotifyPoll:
		return p.T("poll_ended")
	}
	return p.T(string(k))
}

// Card pairs a page with one post, for the template of a post.
func (p *page) Card(v *social.PostView) card { return card{p, v} }

type card struct {
	P *page
	V *social.PostView
}

// Open says that the reader may vote.
func (c card) Open() bool {
	return c.P.Me != nil && !c.V.Voted && c.V.Post.AuthorID != c.P.Me.ID && !c.V.Post.Poll.Closed(c.P.now)
}

// Path is the post's page here.
func (c card) Path() string { return "/@" + c.V.Author.Acct() + "/" + c.V.Post.ID.String() }

// Posts pairs a page with a list of posts.
func (p *page) Posts(views []*social.PostView) posts { return posts{p, views} }

type posts struct {
	P     *page
	Views []*social.PostView
}

// Act is one small form under a post.
func (c card) Act(verb string, done bool, count int) action {
	if done {
		verb = "un" + verb
	}
	return action{ID: c.V.Post.ID, Verb: verb, Label: c.P.T(verb), Next: c.P.URL.Path, Count: count}
}

type action struct {
	ID                social.ID
	Verb, Label, Next string
	Count             int
}
