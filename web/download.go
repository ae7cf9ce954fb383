package web

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"path"

	"parley/social"
)

// download is a file for the reader. What fails before any of it is sent is answered by a
// page; what broke off later must not look like a whole file.
type download struct {
	w          http.ResponseWriter
	name, kind string
	begun      bool
}

func (d *download) begin() {
	if d.begun {
		return
	}
	d.begun = true
	d.w.Header().Set("Content-Disposition", `attachment; filename="`+d.name+`"`)
	d.w.Header().Set("Content-Type", d.kind)
}

func (d *download) Write(b []byte) (int, error) {
	d.begin()
	return d.w.Write(b)
}

// fill sends what write makes, page by page, so that it needs no room.
func (d *download) fill(log *slog.Logger, write func(io.Writer) error) error {
	out := bufio.NewWriter(d)
	err := write(out)
	switch {
	case err != nil && d.begun:
		log.Error("a file broke off", "file", d.name, "error", err)
		panic(http.ErrAbortHandler)
	case err != nil:
		return err
	}
	d.begin()
	_ = out.Flush() // the connection may be gone; nobody is left to tell
	return nil
}

// takeAlong writes one of the files that a member can take along.
func (w *Web) takeAlong(p *page) error {
	d := &download{w: p.w, name: path.Base(p.r.URL.Path), kind: "text/csv; charset=utf-8"}
	write := w.takeFollowing
	switch d.name {
	case "posts.json":
		d.kind, write = "application/json", w.takePosts
	case "bookmarks.csv":
		write = w.takeBookmarks
	}
	return d.fill(w.Log, func(out io.Writer) error { return write(p, out) })
}

func (w *Web) takeBookmarks(p *page, to io.Writer) error {
	out := csv.NewWriter(to)
	for page := (social.Page{Limit: 80}); ; {
		views, err := w.Social.Bookmarks(p.ctx(), p.reader, page)
		if err != nil || len(views) == 0 {
			return err
		}
		for _, v := range views {
			_ = out.Write([]string{v.Post.URI})
		}
		out.Flush()
		page.Max = views[len(views)-1].Cursor
	}
}

func (w *Web) takeFollowing(p *page, to io.Writer) error {
	out := csv.NewWriter(to)
	_ = out.Write([]string{"Account address"}) // the heading that other servers know
	for page := (social.Page{Limit: 80}); ; {
		accounts, cursors, err := w.Social.Following(p.ctx(), p.reader, p.Me.ID, page)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			_ = out.Write([]string{person{frame: p.frame, Account: a}.Handle()[1:]})
		}
		out.Flush()
		if len(accounts) == 0 {
			return nil
		}
		page.Max = cursors[len(cursors)-1]
	}
}

func (w *Web) takePosts(p *page, out io.Writer) error {
	_, _ = io.WriteString(out, "[") // the connection may be gone; nobody is left to tell
	enc, first := json.NewEncoder(out), true
	for page := (social.Page{Limit: 40}); ; {
		views, err := w.Social.AccountPosts(p.ctx(), p.reader, p.Me.ID, page, social.PostFilter{ExcludeBoosts: true})
		if err != nil {
			return err
		}
		if len(views) == 0 {
			_, _ = io.WriteString(out, "]\n")
			return nil
		}
		for _, v := range views {
			if !first {
				_, _ = io.WriteString(out, ",")
			}
			first = false
			t := taken{URL: v.Post.URL, PublishedAt: v.Post.PublishedAt.UTC(), Readers: v.AudienceLabel(), InReplyTo: v.Post.InReplyToURI, Summary: v.Post.Summary, Text: v.Post.Source, HTML: v.Post.Content}
			if !v.Post.EditedAt.IsZero() {
				t.EditedAt = v.Post.EditedAt.UTC()
			}
			for _, a := range v.Post.Attachments {
				t.Files = append(t.Files, w.Links.Media(a.MediaID, false))
			}
			if err := enc.Encode(t); err != nil {
				return nil // nobody is left to tell
			}
		}
		page.Max = views[len(views)-1].Post.ID
	}
}
