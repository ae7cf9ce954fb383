package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/social"
)

// filtersPage lists the words that the reader does not want to see.
type filtersPage struct {
	*frame
	Filters []filterEntry
	New     *form
}

func (filtersPage) file() string { return "filters.html" }

// filterEntry is one filter in the list.
type filterEntry struct {
	*social.Filter
	Words, Where, Does, Until string
}

// filterPage changes one filter.
type filterPage struct {
	*frame
	ID   social.ID
	Name string
	Form *form
}

func (filterPage) file() string { return "filter.html" }

// filterPlaces are where a filter can count, with the names that the pages have for it.
func filterPlaces(f *frame) []option {
	return []option{{Value: string(social.InHome), Label: f.T("filter_home")}, {Value: string(social.InPublic), Label: f.T("filter_public")}, {Value: string(social.InThread), Label: f.T("filter_thread")},
		{Value: string(social.InAccount), Label: f.T("filter_account")}, {Value: string(social.InNotifications), Label: f.T("filter_notifications")}}
}

// filterDays are how long a filter can last.
var filterDays = []int{1, 3, 7, 30}

func (w *Web) filters(p *page) error { return w.showFilters(p, http.StatusOK, nil) }

func (w *Web) showFilters(p *page, status int, add *form) error {
	list, err := w.Social.Filters(p.ctx(), p.reader)
	if err != nil {
		return err
	}
	if add == nil {
		add = p.filterForm("/settings/filters", p.T("filter_add"), &social.Filter{Action: "warn", Places: []social.FilterPlace{social.InHome, social.InPublic, social.InThread}})
	}
	d := filtersPage{frame: p.titled("filters"), New: add}
	for _, f := range list {
		e := filterEntry{Filter: f, Does: p.T("filter_warns")}
		var words, where []string
		for _, k := range f.Keywords {
			words = append(words, k.Keyword)
		}
		for _, o := range filterPlaces(p.frame) {
			if slices.Contains(f.Places, social.FilterPlace(o.Value)) {
				where = append(where, o.Label)
			}
		}
		if e.Words, e.Where = strings.Join(words, ", "), strings.Join(where, ", "); f.Action == "hide" {
			e.Does = p.T("filter_hides")
		}
		switch {
		case f.ExpiresAt.IsZero():
		case p.now.Before(f.ExpiresAt):
			e.Until = p.T("filter_until", p.When(f.ExpiresAt))
		default:
			e.Until = p.T("filter_over", p.When(f.ExpiresAt))
		}
		d.Filters = append(d.Filters, e)
	}
	return w.show(p, status, d)
}

// filterForm asks for a filter; words that an app made stay what they are.
func (p *page) filterForm(action, submit string, f *social.Filter) *form {
	var words []string
	for _, k := range f.Keywords {
		words = append(words, k.Keyword)
	}
	does := field{Name: "does", Label: p.T("filter_does"), Kind: "select", Options: []option{{Value: "warn", Label: p.T("filter_warns"), Selected: f.Action != "hide"}, {Value: "hide", Label: p.T("filter_hides"), Selected: f.Action == "hide"}}}
	lasts := field{Name: "lasts", Label: p.T("filter_lasts"), Kind: "select", Options: []option{{Label: p.T("filter_for_good")}}}
	if !f.ExpiresAt.IsZero() {
		lasts.Options = append(lasts.Options, option{Value: "stays", Label: p.T("filter_stays", p.When(f.ExpiresAt)), Selected: true})
	}
	for _, n := range filterDays {
		lasts.Options = append(lasts.Options, option{Value: strconv.Itoa(n), Label: p.N("days", n)})
	}
	out := &form{Action: action, Submit: submit, Fields: []field{
		{Name: "title", Label: p.T("filter_name"), Hint: p.T("filter_name_hint"), Kind: "text", Value: f.Title, Required: true, MaxLength: 200},
		{Name: "words", Label: p.T("filter_words"), Hint: p.T("filter_words_hint"), Kind: "textarea", Rows: 4, Value: strings.Join(words, "\n"), Language: p.Language},
		{Name: "whole", Label: p.T("filter_whole"), Kind: "checkbox", Checked: wholeWords(f)}, does, lasts}}
	for i, o := range filterPlaces(p.frame) {
		one := field{Name: "in_" + o.Value, Label: p.T("filter_in", o.Label), Kind: "checkbox", Checked: slices.Contains(f.Places, social.FilterPlace(o.Value))}
		if i == 0 {
			one.Hint = p.T("filter_in_hint")
		}
		out.Fields = append(out.Fields, one)
	}
	return out
}

// wholeWords says that a filter looks for whole words alone, as a new one does.
func wholeWords(f *social.Filter) bool {
	return !slices.ContainsFunc(f.Keywords, func(k social.FilterKeyword) bool { return !k.WholeWord })
}

// sentFilter makes of a filter what was sent; at names the field that is mistaken.
func (p *page) sentFilter(f *social.Filter) (at string, err error) {
	f.Title, f.Action = strings.TrimSpace(p.r.PostFormValue("title")), "warn"
	if p.r.PostFormValue("does") == "hide" {
		f.Action = "hide"
	}
	whole, had := p.r.PostFormValue("whole") != "", f.Keywords
	same := whole == wholeWords(f)
	f.Keywords = nil
	for text := range strings.Lines(p.r.PostFormValue("words")) {
		if text = strings.Join(strings.Fields(text), " "); text == "" {
			continue
		}
		k := social.FilterKeyword{Keyword: text, WholeWord: whole}
		if i := slices.IndexFunc(had, func(h social.FilterKeyword) bool { return h.Keyword == text }); i >= 0 {
			if k.ID = had[i].ID; same {
				k.WholeWord = had[i].WholeWord
			}
		}
		f.Keywords = append(f.Keywords, k)
	}
	f.Places = nil
	for _, o := range filterPlaces(p.frame) {
		if p.r.PostFormValue("in_"+o.Value) != "" {
			f.Places = append(f.Places, social.FilterPlace(o.Value))
		}
	}
	switch lasts := p.r.PostFormValue("lasts"); lasts {
	case "stays":
	case "":
		f.ExpiresAt = time.Time{}
	default:
		n, err := strconv.Atoi(lasts)
		if err != nil || !slices.Contains(filterDays, n) {
			return "lasts", social.Errorf(social.Invalid, "choose one of those that are offered")
		}
		f.ExpiresAt = p.now.AddDate(0, 0, n).UTC()
	}
	switch {
	case f.Title == "":
		return "title", social.Errorf(social.Invalid, "a filter needs a title")
	case len(f.Keywords)+len(f.Posts) == 0:
		return "words", social.Errorf(social.Invalid, "write at least one word")
	case len(f.Places) == 0:
		return "in_" + string(social.InHome), social.Errorf(social.Invalid, "choose at least one place where it counts")
	}
	return "words", nil
}

// keepFilter saves what was sent, zero for a new one; it says which field is mistaken.
func (w *Web) keepFilter(p *page, id social.ID) (at string, err error) {
	_, err = w.Social.ChangeFilter(p.ctx(), p.reader, id, func(f *social.Filter) (err error) {
		at, err = p.sentFilter(f)
		return err
	})
	return at, err
}

func (w *Web) addFilter(p *page) error {
	at, err := w.keepFilter(p, 0)
	if mistake(err) {
		f := p.filterForm("/settings/filters", p.T("filter_add"), &social.Filter{})
		f.refill(p.r)
		f.mark(at, p.say(err))
		p.Problem = p.T("check_form")
		return w.showFilters(p, status(err), f)
	}
	if err != nil {
		return err
	}
	return w.redirect(p, "/settings/filters", "saved")
}

// filterPage finds one of the reader's own.
func (w *Web) filterPage(p *page) (d filterPage, err error) {
	id, err := p.id("id")
	if err != nil {
		return d, err
	}
	list, err := w.Social.Filters(p.ctx(), p.reader)
	if err != nil {
		return d, err
	}
	at := slices.IndexFunc(list, func(f *social.Filter) bool { return f.ID == id })
	if at < 0 {
		return d, social.NotFoundError()
	}
	return filterPage{frame: p.titled("filter_change"), ID: id, Name: list[at].Title, Form: p.filterForm("/settings/filters/"+id.String(), p.T("save"), list[at])}, nil
}

func (w *Web) filter(p *page) error {
	d, err := w.filterPage(p)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, d)
}

func (w *Web) changeFilter(p *page) error {
	d, err := w.filterPage(p)
	if err != nil {
		return err
	}
	if p.r.PostFormValue("do") == "delete" {
		if err := w.Social.DeleteFilter(p.ctx(), p.reader, d.ID); err != nil {
			return err
		}
		return w.redirect(p, "/settings/filters", "filter_deleted")
	}
	at, err := w.keepFilter(p, d.ID)
	if mistake(err) {
		d.Form.refill(p.r)
		d.Form.mark(at, p.say(err))
		d.Problem = p.T("check_form")
		return w.show(p, status(err), d)
	}
	if err != nil {
		return err
	}
	return w.redirect(p, "/settings/filters", "saved")
}
