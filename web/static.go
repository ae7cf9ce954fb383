package web

import (
	"net/http"

	"github.com/gorilla/mux"
)

// static serves the embedded files; they change only with the program.
func (w *Web) static(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Cache-Control", "public, max-age=3600")
	http.ServeFileFS(rw, r, files, "static/"+mux.Vars(r)["name"])
}
