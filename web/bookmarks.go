package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"parley/social"
)

// bookmarksPage lists what the reader bookmarked, all of it or one folder.
type bookmarksPage struct {
	timelinePage
	Folders []tab
	Rename  *form // of the folder that is shown; nil for all
}

func (bookmarksPage) file() string { return "bookmarks.html" }

// folderAddress is the page of a folder; of all bookmarks for "".
func folderAddress(name string) string {
	if name == "" {
		return "/bookmarks"
	}
	return "/bookmarks?folder=" + url.QueryEscape(name)
}

func (w *Web) bookmarks(p *page) error {
	folder := p.r.URL.Query().Get("folder")
	d, err := w.bookmarksPage(p, folder)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, d)
}

func (w *Web) bookmarksPage(p *page, folder string) (d bookmarksPage, err error) {
	views, err := w.Social.Bookmarks(p.ctx(), p.reader, p.cursor(), folder)
	if err != nil {
		return d, err
	}
	folders, err := w.Social.BookmarkFolders(p.ctx(), p.reader)
	if err != nil {
		return d, err
	}
	d.timelinePage = timelinePage{frame: p.titled("bookmarks"), Empty: p.T("bookmarks_empty"), EmptyTo: "/", Posts: p.Cards(views), Older: p.older(views)}
	if len(folders) > 0 || folder != "" {
		d.Folders = []tab{{folderAddress(""), p.T("all"), folder == ""}}
	}
	for _, f := range folders {
		d.Folders = append(d.Folders, tab{folderAddress(f.Name), p.T("folder_count", f.Name, f.Count), f.Name == folder})
	}
	if folder == "" {
		return d, nil
	}
	d.Empty, d.EmptyTo = p.T("folder_empty"), "/bookmarks"
	if d.Older != "" {
		d.Older += "&folder=" + url.QueryEscape(folder)
	}
	if slices.ContainsFunc(folders, func(f social.Folder) bool { return f.Name == folder }) {
		d.Rename = &form{Action: "/bookmarks", Submit: p.T("save"), Hidden: map[string]string{"folder": folder}, Fields: []field{
			{Name: "name", Label: p.T("folder_name"), Hint: p.T("folder_rename_hint"), Kind: "text", Value: folder, MaxLength: social.MaxFolderName}}}
	}
	return d, nil
}

// renameFolder puts what is in one folder into another, or takes it out of any.
func (w *Web) renameFolder(p *page) error {
	folder := p.r.PostFormValue("folder")
	name, err := w.Social.RenameFolder(p.ctx(), p.reader, folder, p.r.PostFormValue("name"))
	if mistake(err) {
		d, fault := w.bookmarksPage(p, folder)
		if fault != nil {
			return fault
		}
		if d.Rename == nil { // it is empty, or there is none
			return err
		}
		d.Rename.refill(p.r)
		d.Rename.mark("name", p.say(err))
		d.Problem = p.T("check_form")
		return w.show(p, status(err), d)
	}
	if err != nil {
		return err
	}
	return w.redirect(p, folderAddress(name), "saved")
}

// bookmarkPage says what is kept with one bookmark.
type bookmarkPage struct {
	*frame
	Post   card
	Form   *form
	Remove string // address of the form that takes the bookmark away; "" where there is none
}

func (bookmarkPage) file() string { return "bookmark.html" }

// remindTimes are those that the form offers, in their order; "at" is the one beside it.
func (p *page) remindTimes() []option {
	var out []option
	for _, v := range []string{"", "tomorrow", "monday", "month", "at"} {
		out = append(out, option{Value: v, Label: p.T("remind_" + v)})
	}
	return out
}

// morning is when reminders without a time of their own come, in hours.
const morning = 9

// remindAt reads the time that was chosen, in the time zone of the page.
func (p *page) remindAt() (time.Time, error) {
	y, m, d := p.now.Date()
	day := func(m time.Month, d int) time.Time {
		return time.Date(y, m, d, morning, 0, 0, 0, p.now.Location())
	}
	switch p.r.PostFormValue("when") {
	case "tomorrow":
		return day(m, d+1), nil
	case "monday":
		return day(m, d+(7+int(time.Monday-p.now.Weekday())-1)%7+1), nil
	case "month":
		return day(m+1, min(d, day(m+2, 0).Day())), nil // 31 January: the last of February
	case "at":
		t, err := p.sendAt()
		if err == nil && t.IsZero() {
			err = social.Errorf(social.Invalid, "write the day and the time, such as %s", "2026-03-31T09:00")
		}
		return t, err
	}
	return time.Time{}, nil
}

// ownBookmark is the page about a post, as far as the reader may see it.
func (w *Web) ownBookmark(p *page, id social.ID) (bookmarkPage, error) {
	v, err := w.Social.Post(p.ctx(), p.reader, id)
	if err != nil {
		return bookmarkPage{}, err
	}
	folders, err := w.Social.BookmarkFolders(p.ctx(), p.reader)
	if err != nil {
		return bookmarkPage{}, err
	}
	folder := field{Name: "folder", Label: p.T("folder"), Hint: p.T("folder_hint"), Kind: "text", Value: v.Kept.Folder, MaxLength: social.MaxFolderName}
	for _, f := range folders {
		folder.Known = append(folder.Known, f.Name)
	}
	when := field{Name: "when", Label: p.T("remind"), Hint: p.T("remind_hint"), Kind: "select", Options: p.remindTimes()}
	at := field{Name: "at", Label: p.T("remind_day"), Kind: "datetime-local"}
	if !v.Kept.RemindAt.IsZero() {
		when.choose("at")
		at.Value = v.Kept.RemindAt.In(p.now.Location()).Format(atForm)
	}
	address := "/bookmarks/" + v.Post.ID.String()
	d := bookmarkPage{frame: p.titled("bookmark_edit"), Post: p.Card(v), Form: &form{Action: address, Submit: p.T("save"), Fields: []field{folder,
		{Name: "note", Label: p.T("kept_note"), Hint: p.T("kept_note_hint"), Kind: "textarea", Rows: 4, Value: v.Kept.Note, MaxLength: social.MaxKeptNote, Language: p.Language},
		when, at}}}
	if v.Bookmarked {
		d.Remove = address
	}
	return d, nil
}

func (w *Web) bookmark(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	d, err := w.ownBookmark(p, id)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, d)
}

// changeBookmark keeps what the form says, or takes the bookmark away with all of it.
func (w *Web) changeBookmark(p *page) error {
	id, err := p.id("id")
	if err != nil {
		return err
	}
	if p.r.PostFormValue("do") == "remove" {
		if err := w.Social.Unbookmark(p.ctx(), p.reader, id); err != nil {
			return err
		}
		return w.redirect(p, "/bookmarks", "bookmark_gone")
	}
	k := social.Kept{Folder: p.r.PostFormValue("folder"), Note: p.r.PostFormValue("note")}
	var v *social.PostView
	if k.RemindAt, err = p.remindAt(); err == nil {
		v, err = w.Social.Keep(p.ctx(), p.reader, id, k)
	}
	if mistake(err) {
		return w.bookmarkAgain(p, id, err)
	}
	if err != nil {
		return err
	}
	return w.redirect(p, folderAddress(v.Kept.Folder), "saved")
}

// bookmarkAgain shows the form with what is wrong with it.
func (w *Web) bookmarkAgain(p *page, id social.ID, err error) error {
	d, fault := w.ownBookmark(p, id)
	if fault != nil {
		return fault
	}
	name := "at"
	var wrong *social.Error
	if errors.As(err, &wrong) && wrong.Field != "" {
		name = wrong.Field
	}
	d.Form.refill(p.r)
	d.Form.mark(name, p.say(err))
	d.Problem = p.T("check_form")
	return w.show(p, status(err), d)
}

// keeping is what a card says of the reader's bookmark.
type keeping struct {
	Folder, FolderTo, Note, Remind string
}

// Keeping says what the reader keeps with the bookmark; nil for nothing.
func (c card) Keeping() *keeping {
	k := c.V.Kept
	if k == (social.Kept{}) {
		return nil
	}
	out := keeping{Folder: k.Folder, FolderTo: folderAddress(k.Folder), Note: k.Note}
	if !k.RemindAt.IsZero() {
		out.Remind = c.T("reminds_at", c.When(k.RemindAt))
	}
	return &out
}
