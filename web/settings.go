package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/auth"
	"parley/social"
)

// SettingsWays lists the pages of settings.
func (f *frame) SettingsWays() []way {
	ways := []way{{Path: "/settings", Label: f.T("set_profile")}, {Path: "/settings/directory", Label: f.T("entry")}, {Path: "/settings/reading", Label: f.T("set_reading")}, {Path: "/settings/notices", Label: f.T("set_notices")},
		{Path: "/settings/security", Label: f.T("set_security")}, {Path: "/settings/filters", Label: f.T("filters")}, {Path: "/settings/apps", Label: f.T("apps")}, {Path: "/settings/hidden", Label: f.T("hidden")}, {Path: "/settings/heard", Label: f.T("heard")}, {Path: "/settings/data", Label: f.T("set_data")}, {Path: "/settings/move", Label: f.T("set_move")}}
	for i := range ways {
		ways[i].Current = f.Here(ways[i].Path)
	}
	return ways
}

// ownSettings says that a form page stands among the settings.
func ownSettings(f formPage) formPage {
	f.Settings = true
	return f
}

// picture makes the picture that was sent the reader's own, or takes it away.
func (w *Web) picture(p *page) error {
	if p.r.PostFormValue("do") == "remove" {
		none := social.ID(0)
		if _, err := w.Social.UpdateProfile(p.ctx(), p.reader, social.ProfileChange{AvatarID: &none}); err != nil {
			return err
		}
		return w.redirect(p, "/settings", "saved")
	}
	err := w.ownPicture(p)
	if mistake(err) {
		f := w.settingsPage(p)
		f.Problem = p.say(err)
		return w.show(p, status(err), f)
	}
	if err != nil {
		return err
	}
	return w.redirect(p, "/settings", "saved")
}

// zoneNames are time zones that are offered; the one that is chosen stands there too.
var zoneNames = []string{"Europe/Berlin", "Europe/Vienna", "Europe/Zurich", "Europe/London", "Europe/Lisbon", "Europe/Paris", "Europe/Madrid", "Europe/Rome", "Europe/Amsterdam",
	"Europe/Warsaw", "Europe/Prague", "Europe/Stockholm", "Europe/Helsinki", "Europe/Athens", "Europe/Bucharest", "Europe/Istanbul", "Europe/Kyiv",
	"America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Mexico_City", "America/Sao_Paulo", "Africa/Johannesburg", "Asia/Dubai",
	"Asia/Kolkata", "Asia/Singapore", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney", "UTC"}

// zoneField chooses the time zone of this browser.
func (w *Web) zoneField(p *page) field {
	f := field{Name: "zone", Label: p.T("zone"), Kind: "select", Options: []option{{Value: "", Label: p.T("zone_device")}}}
	names, now := zoneNames, ""
	if c, err := p.r.Cookie(w.cookie + chosenZone); err == nil && zoneOf(c.Value) != nil {
		if now = c.Value; !slices.Contains(names, now) {
			names = append([]string{now}, names...)
		}
	}
	for _, name := range names {
		f.Options = append(f.Options, option{Value: name, Label: strings.ReplaceAll(name, "_", " "), Selected: name == now})
	}
	return f
}

// firstReaders chooses who sees a new post unless its author says otherwise. What an app
// chose beyond what the pages offer stays what it is.
func (w *Web) firstReaders(p *page) (field, error) {
	f := field{Name: "audience", Label: p.T("first_readers"), Hint: p.T("first_readers_hint"), Kind: "select", Options: []option{{Label: p.T("first_readers_rule")}}}
	choices, err := w.Social.Audiences(p.ctx(), p.reader, 0)
	for _, one := range choices {
		if now := one.Label == p.Me.DefaultAudience; now || remembersAudience(one.Label) {
			f.Options = append(f.Options, option{Value: one.Label, Label: p.Choice(one), Selected: now})
		}
	}
	return f, err
}

// readingPage is the form about how the pages behave.
func (w *Web) readingPage(p *page) (formPage, error) {
	undo := field{Name: "undo", Label: p.T("undo_time"), Hint: p.T("undo_hint"), Kind: "select"}
	for _, d := range social.UndoTimes() {
		seconds := int(d / time.Second)
		one := option{Value: strconv.Itoa(seconds), Label: p.N("seconds", seconds), Selected: d == p.Me.UndoTime()}
		if seconds == 0 {
			one.Label = p.T("undo_never")
		}
		undo.Options = append(undo.Options, one)
	}
	theme := field{Name: "theme", Label: p.T("appearance"), Kind: "select", Options: []option{{Value: "", Label: p.T("as_system")}, {Value: "light", Label: p.T("light")}, {Value: "dark", Label: p.T("dark")}}}
	theme.choose(p.Theme)
	readers, err := w.firstReaders(p)
	return ownSettings(formPage{frame: p.titled("set_reading"), Form: &form{Action: "/settings/reading", Submit: p.T("save"), Fields: []field{readers, undo, theme, w.zoneField(p),
		{Name: "keys", Label: p.T("keys_on"), Hint: p.T("keys_on_hint"), Kind: "checkbox", Checked: !p.NoKeys}}}}), err
}

func (w *Web) reading(p *page) error {
	f, err := w.readingPage(p)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, f)
}

func (w *Web) saveReading(p *page) error {
	f, err := w.readingPage(p)
	if err != nil {
		return err
	}
	seconds, err := strconv.Atoi(p.r.PostFormValue("undo"))
	if err != nil {
		seconds = -1
	}
	readers := p.r.PostFormValue("audience")
	if !slices.ContainsFunc(f.Form.Fields[0].Options, func(o option) bool { return o.Value == readers }) {
		return w.again(p, f, "audience", social.Errorf(social.Invalid, "choose one of those that are offered"))
	}
	_, err = w.Social.UpdateProfile(p.ctx(), p.reader, social.ProfileChange{UndoSeconds: &seconds, DefaultAudience: &readers})
	if mistake(err) {
		return w.again(p, f, "undo", err)
	}
	if err != nil {
		return err
	}
	w.setTheme(p, p.r.PostFormValue("theme"))
	if zone := p.r.PostFormValue("zone"); zoneOf(zone) != nil {
		w.setCookie(p, w.cookie+chosenZone, zone, 365*24*3600)
	} else {
		w.setCookie(p, w.cookie+chosenZone, "", -1)
	}
	if p.r.PostFormValue("keys") == "" {
		w.setCookie(p, w.cookie+"_keys", "off", 365*24*3600)
	} else {
		w.setCookie(p, w.cookie+"_keys", "", -1)
	}
	return w.redirect(p, "/settings/reading", "saved")
}

// securityPage is about the password, and where the reader is signed in.
type securityPage struct {
	*frame
	Form     *form
	Sessions []*auth.Session
	This     social.ID // the session of this browser
}

func (securityPage) file() string { return "security.html" }

func (w *Web) security(p *page) error {
	return w.showSecurity(p, http.StatusOK, w.passwordForm(p))
}

func (w *Web) passwordForm(p *page) *form {
	next := p.newPassword(false)
	next.Label = p.T("new_password")
	return &form{Action: "/settings/security", Submit: p.T("save_password"), Hidden: map[string]string{"do": "password"}, Fields: []field{
		{Name: "present", Label: p.T("present_password"), Kind: "password", Required: true, Autocomplete: "current-password", MaxLength: auth.MaxPassword}, next}}
}

func (w *Web) showSecurity(p *page, status int, f *form) error {
	d := securityPage{frame: p.titled("set_security"), Form: f, This: p.session}
	var err error
	if d.Sessions, err = w.Auth.Sessions(p.ctx(), p.Me.ID); err != nil {
		return err
	}
	return w.show(p, status, d)
}

// changeSecurity gives a new password, or signs out elsewhere.
func (w *Web) changeSecurity(p *page) error {
	switch p.r.PostFormValue("do") {
	case "password":
		err := w.Auth.ChangePassword(p.ctx(), p.Me, p.r.PostFormValue("present"), p.r.PostFormValue("password"))
		if err != nil && social.KindOf(err) != social.Internal {
			f, name := w.passwordForm(p), "password"
			if social.KindOf(err) == social.Unauthenticated {
				name, err = "present", social.Errorf(social.Invalid, "this is not your present password")
			}
			f.mark(name, p.say(err))
			p.Problem = p.T("check_form")
			return w.showSecurity(p, status(err), f)
		}
		if err != nil {
			return err
		}
		// All sessions are over, this one too; whoever changed it goes on here.
		text, err := w.Auth.Begin(p.ctx(), p.Me.ID, p.r.UserAgent())
		if err != nil {
			return err
		}
		w.setCookie(p, w.cookie, text, sessionAge)
		return w.redirect(p, "/settings/security", "password_changed")
	case "end":
		id, err := social.ParseID(p.r.PostFormValue("session"))
		if err != nil {
			id = 0 // all others
		}
		if err := w.Auth.EndSessions(p.ctx(), p.Me.ID, id, p.session); err != nil {
			return err
		}
		return w.redirect(p, "/settings/security", "sessions_ended")
	}
	return social.NotFoundError()
}
