package web

import (
	"io"
	"net/http"
	"strings"

	"parley/social"
)

// wantsPart says that a script sent the form, and puts what it answers into the page.
func (p *page) wantsPart() bool { return p.r.Header.Get("Parley-Part") != "" }

// showPost answers with one post as it is now, without a page around it.
func (w *Web) showPost(p *page, id social.ID) error {
	v, err := w.Social.Post(p.ctx(), p.reader, id)
	if err != nil {
		return err
	}
	if next, _, _ := strings.Cut(p.r.PostFormValue("next"), "#"); ours(next) {
		p.Path = next
	}
	return w.showPart(p, "post", p.Card(v))
}

// showPart writes one of the shared parts alone.
func (w *Web) showPart(p *page, name string, data any) error {
	var b strings.Builder
	if err := w.parts.ExecuteTemplate(&b, name, data); err != nil {
		return err
	}
	p.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	p.w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(p.w, b.String()) // the connection may be gone; nobody is left to tell
	return nil
}
