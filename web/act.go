package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"parley/social"
)

// act does what a small form under a post asks for.
func (w *Web) act(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	verb := mux.Vars(p.r)["act"]
	on, done := !strings.HasPrefix(verb, "un"), ""
	switch strings.TrimPrefix(verb, "un") {
	case "like":
		_, err = w.Social.Favourite(p.ctx(), p.reader, id, on)
	case "share":
		_, err = w.Social.Boost(p.ctx(), p.reader, id, on)
	case "bookmark":
		_, err = w.Social.Bookmark(p.ctx(), p.reader, id, on)
	case "pin":
		_, err = w.Social.Pin(p.ctx(), p.reader, id, on)
	case "pin-group":
		_, err = w.Social.PinInGroup(p.ctx(), p.reader, id, on)
	case "mute-thread":
		if _, err = w.Social.MuteThread(p.ctx(), p.reader, id, on); on {
			done = "thread_muted"
		} else {
			done = "thread_heard"
		}
	case "vote":
		err = w.vote(p, id)
	}
	if err != nil {
		return err
	}
	if p.wantsPart() {
		return w.showPost(p, id)
	}
	return w.back(p, "/", done)
}

func (w *Web) vote(p *page, id social.ID) error {
	var choices []int
	for _, s := range p.r.PostForm["choice"] {
		n, err := strconv.Atoi(s)
		if err != nil {
			return social.Errorf(social.Invalid, "choose one answer")
		}
		choices = append(choices, n)
	}
	_, err := w.Social.Vote(p.ctx(), p.reader, id, choices)
	return err
}

// language changes that of the pages: for members in their profile, for others by
// a cookie.
func (w *Web) language(p *page) error {
	l := p.r.PostFormValue("language")
	if !known(l) {
		return social.Errorf(social.Invalid, "choose de or en")
	}
	w.setCookie(p, w.cookie+"_language", l, 365*24*3600)
	if p.Me != nil {
		if _, err := w.Social.UpdateProfile(p.ctx(), p.reader, social.ProfileChange{Language: &l}); err != nil {
			return err
		}
	}
	return w.back(p, "/", "")
}

// appearance chooses light or dark for this browser, or lets the system say.
func (w *Web) appearance(p *page) error {
	if !w.setTheme(p, p.r.PostFormValue("theme")) {
		return social.Errorf(social.Invalid, "choose light, dark or what the system says")
	}
	return w.back(p, "/", "")
}

// setTheme keeps what was chosen in this browser; false for what is none.
func (w *Web) setTheme(p *page, t string) bool {
	switch t {
	case "light", "dark":
		w.setCookie(p, w.cookie+"_theme", t, 365*24*3600)
	case "":
		w.setCookie(p, w.cookie+"_theme", "", -1)
	default:
		return false
	}
	return true
}

// ownFace is the reader's picture among the settings.
type ownFace struct {
	Face face
	Own  bool // not just initials
}

// settingsPage is the form about oneself.
func (w *Web) settingsPage(p *page) formPage {
	me := p.Me
	return formPage{frame: p.titled("settings"), Settings: true, Picture: &ownFace{p.Face(me), me.AvatarID != 0}, Form: &form{Action: "/settings", Submit: p.T("save"), Fields: []field{
		{Name: "display_name", Label: p.T("your_name"), Kind: "text", Value: me.DisplayName, MaxLength: w.Social.Limits.NameLength, Autocomplete: "name"},
		{Name: "note", Label: p.T("about_you"), Hint: p.T("about_hint"), Kind: "textarea", Rows: 5, Value: me.NoteSource, MaxLength: w.Social.Limits.BioLength, Language: p.Language},
		{Name: "language", Label: p.T("language"), Kind: "select", Options: []option{
			{Value: "de", Label: "Deutsch", Selected: p.Language == "de"}, {Value: "en", Label: "English", Selected: p.Language == "en"}}},
		{Name: "locked", Label: p.T("locked"), Hint: p.T("locked_hint"), Kind: "checkbox", Checked: me.Locked},
		{Name: "hide_network", Label: p.T("hide_network"), Hint: p.T("hide_network_hint"), Kind: "checkbox", Checked: me.HideNetwork},
	}, Lines: w.profileLines(p), LinesTitle: p.T("lines"), LinesHint: p.T("lines_hint")}}
}

// profileLines are those that the reader's profile has, and room for as many as it can have.
func (w *Web) profileLines(p *page) []line {
	out := make([]line, max(w.Social.Limits.Fields, len(p.Me.Fields)))
	for i := range out {
		n := strconv.Itoa(i + 1)
		l := line{Name: field{Name: "line-" + n, Label: p.T("line_name", i+1), Kind: "text", MaxLength: lineLength},
			Value: field{Name: "says-" + n, Label: p.T("line_value", i+1), Kind: "text", MaxLength: lineLength}}
		if i < len(p.Me.Fields) {
			f := p.Me.Fields[i]
			l.Name.Value, l.Value.Value, l.Proved = f.Name, w.Social.Text.ToPlain(f.Value), p.Proved(f)
		}
		out[i] = l
	}
	return out
}

// lineLength bounds both sides of a profile's line, in characters.
const lineLength = 255

// Proved says since when the place that a profile's line names is known to name the profile
// too; "" where nobody knows.
func (f *frame) Proved(l social.Field) string {
	if l.VerifiedAt.IsZero() {
		return ""
	}
	return f.T("line_proved", f.When(l.VerifiedAt))
}

// sentLines reads the lines that were sent; one without a side names the field that lacks it.
func (p *page) sentLines(lines []line) (out []social.Field, lacks string) {
	out = []social.Field{}
	for _, l := range lines {
		name, value := strings.TrimSpace(p.r.PostFormValue(l.Name.Name)), strings.TrimSpace(p.r.PostFormValue(l.Value.Name))
		switch {
		case name == "" && value == "":
			continue
		case name == "":
			return nil, l.Name.Name
		case value == "":
			return nil, l.Value.Name
		}
		out = append(out, social.Field{Name: name, Value: value})
	}
	return out, ""
}

func (w *Web) settingsForm(p *page) error {
	return w.show(p, http.StatusOK, w.settingsPage(p))
}

func (w *Web) settings(p *page) error {
	name, note, l := p.r.PostFormValue("display_name"), strings.ReplaceAll(p.r.PostFormValue("note"), "\r\n", "\n"), p.r.PostFormValue("language")
	locked, hide := p.r.PostFormValue("locked") != "", p.r.PostFormValue("hide_network") != ""
	f := w.settingsPage(p)
	if !known(l) {
		return w.again(p, f, "language", social.Errorf(social.Invalid, "choose de or en"))
	}
	lines, lacks := p.sentLines(f.Form.Lines)
	if lacks != "" {
		return w.again(p, f, lacks, social.Errorf(social.Invalid, "a line has both: what it is about, and what you say; or leave both empty"))
	}
	_, err := w.Social.UpdateProfile(p.ctx(), p.reader, social.ProfileChange{DisplayName: &name, Note: &note, Language: &l, Locked: &locked, HideNetwork: &hide, Fields: lines})
	if mistake(err) {
		return w.again(p, f, "note", err)
	}
	if err != nil {
		return err
	}
	return w.redirect(p, "/@"+p.Me.Username, "saved")
}
