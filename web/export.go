package web

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"path"
	"slices"
	"time"

	"github.com/gorilla/mux"

	"parley/social"
)

// dataPage offers what a member can take along.
type dataPage struct{ *frame }

func (dataPage) file() string { return "data.html" }

func (w *Web) data(p *page) error { return w.show(p, http.StatusOK, dataPage{p.titled("set_data")}) }

// takenFile is one of the files that a member takes along: a table in the shape that
// Mastodon has for it, else JSON.
type takenFile struct {
	name  string
	write func(p *page, out io.Writer) error
}

func (w *Web) takenFiles() []takenFile {
	return []takenFile{{"profile.json", w.takeProfile}, {"posts.json", w.takePosts}, {"filters.json", w.takeFilters},
		{"following.csv", w.table(w.takeFollowing)}, {"lists.csv", w.table(w.takeLists)}, {"bookmarks.csv", w.table(w.takeBookmarks)}, {"bookmark_notes.csv", w.table(w.takeNotes)}, {"followed_tags.csv", w.table(w.takeTags)},
		{"mutes.csv", w.table(w.takeMutes)}, {"blocks.csv", w.table(w.takeBlocks)}, {"domain_blocks.csv", w.table(w.takeServers)}}
}

// fileTime is how long one uploaded file may take on its way.
const fileTime = 10 * time.Minute

// archiveName is that of all files in one, with what was uploaded.
const archiveName = "archive.zip"

// takeAlong writes one of the files.
func (w *Web) takeAlong(p *page) error {
	name := mux.Vars(p.r)["file"]
	files := append(w.takenFiles(), takenFile{archiveName, w.takeAll})
	at := slices.IndexFunc(files, func(f takenFile) bool { return f.name == name })
	if at < 0 {
		return social.NotFoundError()
	}
	kinds := map[string]string{".json": "application/json", ".csv": "text/csv; charset=utf-8", ".zip": "application/zip"}
	d := &download{w: p.w, name: name, kind: kinds[path.Ext(name)]}
	return d.fill(w.Log, func(out io.Writer) error {
		err := files[at].write(p, out)
		if p.ctx().Err() != nil {
			return nil // nobody is left to tell
		}
		return err
	})
}

// takeAll writes all files into one, with what was uploaded for posts and the profile.
func (w *Web) takeAll(p *page, out io.Writer) error {
	z := zip.NewWriter(out)
	for _, one := range w.takenFiles() {
		f, err := z.Create(one.name)
		if err != nil {
			return err
		}
		if err := one.write(p, f); err != nil {
			return err
		}
	}
	for _, id := range []social.ID{p.Me.AvatarID, p.Me.HeaderID} {
		if err := w.takeUpload(p, z, id); err != nil {
			return err
		}
	}
	err := w.eachPost(p, func(v *social.PostView) error {
		for _, a := range v.Post.Attachments {
			if err := w.takeUpload(p, z, a.MediaID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return z.Close()
}

// takeUpload puts one upload into the archive, by the name that posts.json has for it. One
// that is gone is left out.
func (w *Web) takeUpload(p *page, z *zip.Writer, id social.ID) error {
	if id == 0 {
		return nil
	}
	r, m, err := w.Social.OpenMedia(p.ctx(), p.reader, id, false)
	if social.KindOf(err) == social.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // only read
	// Each file has its own time: how long all take nobody can say.
	_ = http.NewResponseController(p.w).SetWriteDeadline(time.Now().Add(fileTime)) // without one the server's counts
	f, err := z.CreateHeader(&zip.FileHeader{Name: "media/" + id.String() + path.Ext(m.File), Modified: m.CreatedAt.UTC()})
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return err
}

// table makes a file of lines.
func (w *Web) table(lines func(p *page, add func(...string) error) error) func(*page, io.Writer) error {
	return func(p *page, out io.Writer) error {
		table := csv.NewWriter(out)
		if err := lines(p, func(line ...string) error { return table.Write(line) }); err != nil {
			return err
		}
		table.Flush()
		return table.Error()
	}
}

// eachPerson goes through a list of people from page to page.
func (w *Web) eachPerson(p *page, list func(context.Context, social.Reader, social.Page) ([]*social.Account, []social.ID, error), see func(handle string) error) error {
	for page := (social.Page{Limit: 80}); ; {
		accounts, cursors, err := list(p.ctx(), p.reader, page)
		if err != nil || len(accounts) == 0 {
			return err
		}
		for _, a := range accounts {
			if err := see(person{frame: p.frame, Account: a}.Handle()[1:]); err != nil {
				return err
			}
		}
		page.Max = cursors[len(cursors)-1]
	}
}

// accountHeading is that of a table of people, as other servers know it.
const accountHeading = "Account address"

func (w *Web) takeFollowing(p *page, add func(...string) error) error {
	if err := add(accountHeading); err != nil {
		return err
	}
	return w.eachPerson(p, func(ctx context.Context, r social.Reader, at social.Page) ([]*social.Account, []social.ID, error) {
		return w.Social.Following(ctx, r, p.Me.ID, at)
	}, func(handle string) error { return add(handle) })
}

func (w *Web) takeMutes(p *page, add func(...string) error) error {
	if err := add(accountHeading, "Hide notifications"); err != nil {
		return err
	}
	return w.eachPerson(p, w.Social.Muted, func(handle string) error { return add(handle, "true") })
}

func (w *Web) takeBlocks(p *page, add func(...string) error) error {
	return w.eachPerson(p, w.Social.Blocked, func(handle string) error { return add(handle) })
}

func (w *Web) takeServers(p *page, add func(...string) error) error {
	for page := (social.Page{Limit: 200}); ; {
		list, err := w.Social.DomainBlocks(p.ctx(), p.reader, page)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, one := range list {
			if err := add(one.Domain); err != nil {
				return err
			}
		}
		page.Max = list[len(list)-1].ID
	}
}

func (w *Web) takeLists(p *page, add func(...string) error) error {
	lists, err := w.Social.Lists(p.ctx(), p.reader)
	if err != nil {
		return err
	}
	for _, l := range lists {
		err := w.eachPerson(p, func(ctx context.Context, r social.Reader, at social.Page) ([]*social.Account, []social.ID, error) {
			return w.Social.ListMembers(ctx, r, l.ID, at)
		}, func(handle string) error { return add(l.Title, handle) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *Web) takeTags(p *page, add func(...string) error) error {
	for page := (social.Page{Limit: 80}); ; {
		tags, cursors, err := w.Social.FollowedTags(p.ctx(), p.reader, page)
		if err != nil || len(tags) == 0 {
			return err
		}
		for _, tag := range tags {
			if err := add(tag); err != nil {
				return err
			}
		}
		page.Max = cursors[len(cursors)-1]
	}
}

func (w *Web) takeBookmarks(p *page, add func(...string) error) error {
	return w.eachBookmark(p, func(v *social.PostView) error { return add(v.Post.URI) })
}

// takeNotes writes what is kept with bookmarks: the post, the folder, when a reminder comes,
// and the note.
func (w *Web) takeNotes(p *page, add func(...string) error) error {
	return w.eachBookmark(p, func(v *social.PostView) error {
		if v.Kept == (social.Kept{}) {
			return nil
		}
		remind := ""
		if !v.Kept.RemindAt.IsZero() {
			remind = v.Kept.RemindAt.UTC().Format(time.RFC3339)
		}
		return add(v.Post.URI, v.Kept.Folder, remind, v.Kept.Note)
	})
}

func (w *Web) eachBookmark(p *page, take func(*social.PostView) error) error {
	for page := (social.Page{Limit: 80}); ; {
		views, err := w.Social.Bookmarks(p.ctx(), p.reader, page, "")
		if err != nil || len(views) == 0 {
			return err
		}
		for _, v := range views {
			if err := take(v); err != nil {
				return err
			}
		}
		page.Max = views[len(views)-1].Cursor
	}
}

// takenProfile is what a member says of themselves, as the file has it.
type takenProfile struct {
	Address     string       `json:"address"`
	URL         string       `json:"url"`
	DisplayName string       `json:"display_name"`
	Note        string       `json:"note"` // as it was typed
	Fields      []takenField `json:"fields"`
	Language    string       `json:"language,omitempty"`
	Email       string       `json:"email,omitempty"`
	Locked      bool         `json:"locked"`
	CreatedAt   time.Time    `json:"created_at"`
	AlsoKnownAs []string     `json:"also_known_as,omitempty"`
}

type takenField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (w *Web) takeProfile(p *page, out io.Writer) error {
	me := p.Me
	t := takenProfile{Address: person{frame: p.frame, Account: me}.Handle()[1:], URL: me.URL, DisplayName: me.DisplayName, Note: me.NoteSource, Fields: []takenField{},
		Language: me.Language, Email: me.Email, Locked: me.Locked, CreatedAt: me.CreatedAt.UTC(), AlsoKnownAs: me.AlsoKnownAs}
	for _, f := range me.Fields {
		t.Fields = append(t.Fields, takenField{f.Name, w.Social.Text.ToPlain(f.Value)})
	}
	return json.NewEncoder(out).Encode(t)
}

// takenFilter is a filter as the file has it, in the words of the Mastodon API.
type takenFilter struct {
	Title     string                 `json:"title"`
	Context   []social.FilterPlace   `json:"context"`
	Action    string                 `json:"filter_action"`
	ExpiresAt time.Time              `json:"expires_at,omitzero"`
	Keywords  []social.FilterKeyword `json:"keywords"`
}

func (w *Web) takeFilters(p *page, out io.Writer) error {
	list, err := w.Social.Filters(p.ctx(), p.reader)
	if err != nil {
		return err
	}
	taken := []takenFilter{}
	for _, f := range list {
		taken = append(taken, takenFilter{f.Title, f.Places, f.Action, f.ExpiresAt, f.Keywords})
	}
	return json.NewEncoder(out).Encode(taken)
}

// taken is a post as it stands in the file that its author takes along.
type taken struct {
	URL         string    `json:"url"`
	PublishedAt time.Time `json:"published_at"`
	EditedAt    time.Time `json:"edited_at,omitzero"`
	Readers     string    `json:"readers"` // audience, as the composer sends it
	InReplyTo   string    `json:"in_reply_to,omitempty"`
	Summary     string    `json:"summary,omitempty"`
	Text        string    `json:"text"` // as it was typed
	HTML        string    `json:"html"`
	Files       []string  `json:"files,omitempty"`
}

// eachPost goes through what the reader wrote.
func (w *Web) eachPost(p *page, see func(*social.PostView) error) error {
	for page := (social.Page{Limit: 40}); ; {
		views, err := w.Social.AccountPosts(p.ctx(), p.reader, p.Me.ID, page, social.PostFilter{ExcludeBoosts: true})
		if err != nil || len(views) == 0 {
			return err
		}
		for _, v := range views {
			if err := see(v); err != nil {
				return err
			}
		}
		page.Max = views[len(views)-1].Post.ID
	}
}

func (w *Web) takePosts(p *page, out io.Writer) error {
	if _, err := io.WriteString(out, "["); err != nil {
		return err
	}
	enc, between := json.NewEncoder(out), ""
	err := w.eachPost(p, func(v *social.PostView) error {
		if _, err := io.WriteString(out, between); err != nil {
			return err
		}
		between = ","
		t := taken{URL: v.Post.URL, PublishedAt: v.Post.PublishedAt.UTC(), Readers: v.AudienceLabel(), InReplyTo: v.Post.InReplyToURI, Summary: v.Post.Summary, Text: v.Post.Source, HTML: v.Post.Content}
		if !v.Post.EditedAt.IsZero() {
			t.EditedAt = v.Post.EditedAt.UTC()
		}
		for _, a := range v.Post.Attachments {
			t.Files = append(t.Files, w.Links.Media(a.MediaID, false))
		}
		return enc.Encode(t)
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, "]\n")
	return err
}
