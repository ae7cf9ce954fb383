package web

import (
	"net/http"
	"net/url"

	"github.com/gorilla/mux"

	"parley/serve"
	"parley/social"
)

// static serves the embedded files; they change only with the program.
func (w *Web) static(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Cache-Control", "public, max-age=3600")
	http.ServeFileFS(rw, r, files, "static/"+mux.Vars(r)["name"])
}

// media serves files as what they are and never as anything active (A4).
func (w *Web) media(rw http.ResponseWriter, r *http.Request) {
	p := w.page(rw, r)
	id, err := p.id("id")
	if err == nil {
		err = w.sendMedia(p, id)
	}
	if err != nil {
		serve.Error(rw, r, w.Log, err)
	}
}

func (w *Web) sendMedia(p *page, id social.ID) error {
	f, m, err := w.Social.OpenMedia(p.ctx(), p.reader, id, mux.Vars(p.r)["size"] == "small")
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	h := p.w.Header()
	h.Set("Content-Type", m.Attachment.MediaType)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, max-age=3600")
	if m.Attachment.Kind != "image" {
		h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(m.Attachment.Name))
	}
	http.ServeContent(p.w, p.r, "", m.CreatedAt, f)
	return nil
}
