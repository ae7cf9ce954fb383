package web

import (
	"encoding/json"
	"net/http"
	"strings"
)

// manifest lets a browser put the pages among the person's programs. What is shared
// from another program opens the composer.
func (w *Web) manifest(p *page) error {
	type icon struct {
		Source  string `json:"src"`
		Sizes   string `json:"sizes"`
		Type    string `json:"type"`
		Purpose string `json:"purpose"`
	}
	type target struct {
		Action string            `json:"action"`
		Method string            `json:"method"`
		Params map[string]string `json:"params"`
	}
	m := struct {
		ID         string `json:"id"`
		Name       string `json:"name"`
		ShortName  string `json:"short_name"`
		Language   string `json:"lang"`
		Start      string `json:"start_url"`
		Scope      string `json:"scope"`
		Display    string `json:"display"`
		Background string `json:"background_color"`
		Theme      string `json:"theme_color"`
		Icons      []icon `json:"icons"`
		Share      target `json:"share_target"`
	}{ID: "/", Name: p.Org.Name, ShortName: p.Org.Name, Language: p.Language, Start: "/", Scope: "/", Display: "standalone",
		Background: "#f6f5f1", Theme: "#0b5a8a",
		Share: target{Action: "/compose", Method: http.MethodGet, Params: map[string]string{"title": "title", "text": "text", "url": "url"}}}
	for _, one := range []icon{{"parley.svg", "any", "image/svg+xml", "any"}, {"icon-192.png", "192x192", "image/png", "any maskable"}, {"icon-512.png", "512x512", "image/png", "any maskable"}} {
		address, err := w.assets.path(one.Source)
		if err != nil {
			return err
		}
		one.Source = address
		m.Icons = append(m.Icons, one)
	}
	p.w.Header().Set("Content-Type", "application/manifest+json")
	p.w.Header().Set("Cache-Control", "private, max-age=3600")
	return json.NewEncoder(p.w).Encode(m)
}

// shared is what another program handed over to be posted.
func shared(r *http.Request) string {
	var parts []string
	for _, name := range []string{"title", "text", "url"} {
		if s := strings.TrimSpace(r.URL.Query().Get(name)); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "\n\n")
}

// worker serves the script that answers while there is no connection. It stands at the
// root, because a worker only sees addresses below its own.
func (w *Web) worker(rw http.ResponseWriter, r *http.Request) {
	guard(rw.Header())
	rw.Header().Set("Content-Type", w.assets.files["worker.js"].kind)
	rw.Header().Set("Cache-Control", "no-cache")
	_, _ = rw.Write(w.assets.files["worker.js"].plain) // the connection may be gone; nobody is left to tell
}

// offline is the page that the worker keeps: in the person's language, and with nothing
// on it that was written by anybody.
func (w *Web) offline(p *page) error {
	f := &frame{Language: p.Language, Theme: p.Theme, Bare: true, Org: p.Org, Path: "/", Title: p.T("offline")}
	return w.show(p, http.StatusOK, offlinePage{f})
}

type offlinePage struct{ *frame }

func (offlinePage) file() string { return "offline.html" }
