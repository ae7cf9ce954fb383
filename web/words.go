package web

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/social"
)

// words are all texts of the pages: English, then German. A test holds both complete
// against the templates and the code.
var words = merge(frameWords, pageWords, pwaWords, personWords, streamWords, composeWords, adminWords, settingsWords, startWords, consentWords, moveWords, programsWords, filterWords)

// counted are texts with a number: English one and many, German one and many.
var counted = merge(pageCounts, streamCounts, composeCounts, adminCounts, settingsCounts, startCounts, filterCounts)

// merge puts the files of words together; a key stands in one of them.
func merge[V any](parts ...map[string]V) map[string]V {
	all := map[string]V{}
	for _, part := range parts {
		for key, text := range part {
			if _, ok := all[key]; ok {
				panic("two texts have the key " + key)
			}
			all[key] = text
		}
	}
	return all
}

// notices are the texts that an address may ask for with ?done=.
var notices = map[string]bool{"published": true, "all_read": true, "list_deleted": true, "clamped": true, "saved": true, "filter_deleted": true, "thread_muted": true, "thread_heard": true, "bookmark_gone": true, "link_mailed": true, "invitation_mailed": true, "notices_are_on": true, "notices_are_off": true, "password_changed": true, "sessions_ended": true, "work_retried": true, "work_held": true, "work_released": true, "work_dropped": true, "job_dropped": true, "server_paired": true, "server_proved": true, "server_removed": true, "group_left": true, "code_revoked": true, "level_set": true, "report_closed": true, "taken_down": true, "scheduled": true, "talk_away": true, "draft_saved": true, "draft_deleted": true, "taken_back": true, "deleted": true, "followed": true, "muted": true, "unmuted": true, "blocked": true, "unblocked": true, "follower_dropped": true, "reported": true, "app_revoked": true, "app_refused": true, "move_done": true, "move_ended": true, "asked": true, "joined": true, "asked_to_join": true, "left": true,
	"connect_admitted": true, "connect_blocked": true, "member_added": true, "member_invited": true, "handed_over": true, "group_closed": true, "signed_out": true, "password_set": true, "set_up": true}

// T is the text of a key in the page's language, its places filled.
func (f *frame) T(key string, args ...any) string {
	w, ok := words[key]
	if !ok {
		return key
	}
	if other, ok := alone[key]; ok && f.Org.Group == "" {
		w = other
	}
	text := w[0]
	if f.Language == "de" {
		text = w[1]
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// N is a text with a number in it.
func (f *frame) N(key string, n int) string {
	i := 0
	if f.Language == "de" {
		i = 2
	}
	if n != 1 {
		i++
	}
	return fmt.Sprintf(counted[key][i], n)
}

// Choice says in words whom an audience reaches.
func (f *frame) Choice(c social.Choice) string {
	text := f.audience(c.Kind, c.Name)
	switch {
	case c.Group != nil:
		text = f.community(c.Group)
	case c.Kind == social.AudienceCompany && c.Peers > 0 && f.Org.Group != "":
		text += " (" + f.N("companies", c.Peers+1) + ")"
	case c.Kind == social.AudiencePartner, c.Peers > 0 && (c.Kind == social.AudienceCompany || c.Kind == social.AudiencePublic || c.Kind == social.AudienceUnlisted):
		text += " (" + f.N("servers", c.Peers+1) + ")"
	}
	return text
}

// community names one as readers of a post, and says so when they are not the company's
// own people alone.
func (f *frame) community(g *social.Account) string {
	switch f.reach(social.AudienceGroup, g) {
	case "outside":
		return f.T("aud_group_public", g.Name())
	case "partner":
		return f.T("aud_group_partner", g.Name())
	}
	return f.T("aud_group", g.Name())
}

// Meaning says in sentences whom an audience reaches, and how many that are.
func (f *frame) Meaning(c social.Choice) string {
	text := f.meaning(c)
	switch {
	case c.People == 0:
		return text
	case c.Kind == social.AudienceFollowers || c.Kind == social.AudienceGroup || c.Peers == 0:
		return text + " " + f.N("reaches", c.People)
	}
	servers := f.N("at_servers", c.Peers+1)
	if c.Kind == social.AudienceCompany && len(c.Hosts) <= mostNamed {
		names := []string{f.Org.Name}
		for _, host := range c.Hosts {
			names = append(names, f.NameOf(host))
		}
		servers += " (" + strings.Join(names, ", ") + ")"
	}
	if c.Least {
		return text + " " + f.T("reaches_least", f.N("people", c.People), servers)
	}
	return text + " " + f.T("reaches_at", f.N("people", c.People), servers)
}

// mostNamed is of how many other servers a choice says the names.
const mostNamed = 6

func (f *frame) meaning(c social.Choice) string {
	switch c.Kind {
	case social.AudienceDirect:
		return f.T("means_direct")
	case social.AudienceFollowers:
		return f.T("means_followers")
	case social.AudienceInstance:
		return f.T("means_instance", f.Org.Name)
	case social.AudienceCompany:
		return f.T("means_company")
	case social.AudiencePartner:
		text := f.T("means_partner", f.Org.Partner(c.Name))
		if len(c.Hosts) > 0 && len(c.Hosts) <= mostNamed {
			text += " " + f.T("means_hosts", strings.Join(c.Hosts, ", "))
		}
		return text
	case social.AudienceGroup:
		switch f.reach(c.Kind, c.Group) {
		case "outside":
			return f.T("means_group_public", c.Group.Name())
		case "partner":
			return f.T("means_group_partner", c.Group.Name())
		}
		return f.T("means_group", c.Group.Name())
	case social.AudienceUnlisted:
		return f.T("means_unlisted")
	}
	return f.T("means_public")
}

// Who says in words who sees a post.
func (f *frame) Who(p *social.Post, author *social.Account) string {
	a := p.Audience
	switch a.Kind {
	case social.AudienceFollowers:
		switch {
		case f.Me != nil && a.Name == f.Me.URI:
			return f.T("aud_followers")
		case a.Name == author.URI:
			return f.T("aud_their_followers", author.Name())
		}
		return f.T("aud_some_followers")
	case social.AudienceInstance, social.AudienceCompany, social.AudiencePartner, social.AudienceGroup:
		if a.Owner != f.home && f.zone(a.Owner) != social.ZoneCompany {
			if a.Kind == social.AudiencePartner && f.zone(a.Owner) == social.ZonePartner {
				return f.T("aud_foreign_partner", f.NameOf(a.Owner), f.Org.Name)
			}
			return f.T("aud_foreign", f.NameOf(a.Owner)) // their group is not ours
		}
	}
	return f.audience(a.Kind, a.Name)
}

func (f *frame) audience(kind social.AudienceKind, name string) string {
	switch kind {
	case social.AudienceInstance:
		return f.T("aud_instance", f.Org.Name)
	case social.AudienceCompany:
		if f.Org.Group == "" {
			return f.T("aud_company", f.T("our_group"))
		}
		return f.T("aud_company", f.Org.Group)
	case social.AudiencePartner:
		return f.T("aud_partner", f.Org.Partner(name))
	case social.AudienceGroup:
		return f.T("aud_group", name)
	}
	return f.T("aud_" + string(kind))
}

// capital begins a sentence as one.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// When is a moment in the page's language and the server's time zone.
func (f *frame) When(t time.Time) string {
	t = t.In(f.now.Location())
	if f.Language == "de" {
		return t.Format("02.01.2006, 15:04")
	}
	return t.Format("2 Jan 2006, 15:04")
}

// Does says what a notification tells.
func (f *frame) Does(k social.NotificationKind) string {
	switch k {
	case social.NotifyFollow:
		return f.T("now_follows")
	case social.NotifyPoll:
		return f.T("poll_ended")
	case social.NotifyUnsent:
		return f.T("was_not_sent")
	case social.NotifyReminder:
		return f.T("is_reminded")
	case social.NotifyReportClosed:
		return f.T("was_dealt_with")
	case social.NotifyJoinRequest:
		return f.T("is_asked")
	}
	return f.T(string(k))
}
