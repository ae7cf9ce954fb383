package web

import (
	"net/http"
	"slices"
	"strings"

	"parley/social"
)

// field is one labelled input of a form, with what was typed and what is wrong with it.
type field struct {
	Name, Label, Hint string
	Kind              string // type of the input; "textarea", "select" and "checkbox" too
	Value, Problem    string
	Autocomplete      string
	Language          string // of what is to be typed
	Required, Focus   bool
	Checked           bool
	Is                string // value of a checkbox that is not just yes
	Multiple          bool   // takes several files
	Of                string // tells fields of one name on a page apart
	MaxLength, Rows   int
	Options           []option
	Known             []string // texts that it suggests
}

type option struct {
	Value, Label string
	Selected     bool
}

// ID is the element's id.
func (f field) ID() string { return "f-" + f.Name + f.Of }

// choose selects an option by its value, if there is one.
func (f *field) choose(value string) {
	if !slices.ContainsFunc(f.Options, func(o option) bool { return o.Value == value }) {
		return
	}
	for i, o := range f.Options {
		f.Options[i].Selected = o.Value == value
	}
}

// Describes lists the ids of the hint and of the problem, for aria-describedby.
func (f field) Describes() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.ID()+"-hint")
	}
	if f.Problem != "" {
		ids = append(ids, f.ID()+"-problem")
	}
	return strings.Join(ids, " ")
}

// form is a list of fields with hidden values.
type form struct {
	Action string
	Hidden map[string]string
	Fields []field
	Lines  []line // of a profile; nil in other forms
	// LinesTitle and LinesHint stand above Lines.
	LinesTitle, LinesHint string
	Submit                string // label of the button
	File                  bool   // sends files
	Danger                bool   // what it does cannot be taken back
}

// line is one of a profile's: what it is about, and what its owner says.
type line struct {
	Name, Value field
	Proved      string // that the place it names names the profile too; "" for not
}

// all lists the fields of a form.
func (f *form) all() []*field {
	var out []*field
	for i := range f.Fields {
		out = append(out, &f.Fields[i])
	}
	for i := range f.Lines {
		out = append(out, &f.Lines[i].Name, &f.Lines[i].Value)
	}
	return out
}

// mark puts a problem at a field and moves the focus there.
func (f *form) mark(name, problem string) {
	for _, one := range f.all() {
		if one.Focus = one.Name == name; one.Focus {
			one.Problem = problem
		}
	}
}

// refill puts back what was typed; passwords are typed again.
func (f *form) refill(r *http.Request) {
	for _, one := range f.all() {
		switch one.Kind {
		case "password", "file":
		case "checkbox":
			one.Checked = r.PostFormValue(one.Name) != ""
		default:
			one.Value = r.PostFormValue(one.Name)
		}
		for j, o := range one.Options {
			one.Options[j].Selected = o.Value == r.PostFormValue(one.Name)
		}
	}
}

// mistake says that an error is one the person can mend in the form.
func mistake(err error) bool {
	switch social.KindOf(err) {
	case social.Invalid, social.Conflict, social.TooLarge, social.Limited:
		return true
	}
	return false
}

// status of a form that is shown again.
func status(err error) int {
	switch social.KindOf(err) {
	case social.Conflict:
		return http.StatusConflict
	case social.TooLarge:
		return http.StatusRequestEntityTooLarge
	case social.Limited:
		return http.StatusTooManyRequests
	}
	return http.StatusUnprocessableEntity
}

// formPage is a page that is nothing but a form.
type formPage struct {
	*frame
	Intro    []string // paragraphs before the form
	Form     *form
	After    string
	Forgot   bool       // the way to a new password by mail is shown
	Admin    bool       // a page of administrators
	Kept     string     // what was written and could not be taken; "" for nothing
	Settings bool       // one of the pages of settings
	Group    *community // whose running it is part of
	Picture  *ownFace   // the reader's picture, to change it
}

func (formPage) file() string { return "form.html" }

// again shows a form anew, with what was typed and the problem at its field.
func (w *Web) again(p *page, f formPage, name string, err error) error {
	f.Form.refill(p.r)
	f.Form.mark(name, p.say(err))
	f.Problem = p.T("check_form")
	return w.show(p, status(err), f)
}
