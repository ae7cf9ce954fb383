package serve

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"

	"github.com/gorilla/mux"

	"parley/social"
)

// Files shows the files of posts and profiles, to all who may ask in one way: a peer
// by its signature, an app by an address that is bound to its member (T35), a browser
// by its cookie. Who of them may see a file is decided by social.
type Files struct {
	Social *social.Service
	// Signed tells who signed a request; Member who is signed in, or nobody.
	Signed func(w http.ResponseWriter, r *http.Request) (social.Reader, error)
	Member func(r *http.Request) social.Reader
	// Audit notes which post's file another server gets, or that it was refused; its
	// error keeps the file back.
	Audit func(r *http.Request, reader social.Reader, post social.ID, refused error) error
	Log   *slog.Logger
}

// opened is a file with what is told of it.
type opened func(reader social.Reader) (io.ReadSeekCloser, *social.Media, error)

// Own serves a file of ours; the path names its id and size.
func (f *Files) Own(w http.ResponseWriter, r *http.Request) {
	id, err := social.ParseID(mux.Vars(r)["id"])
	if err != nil {
		Error(w, r, f.Log, err)
		return
	}
	ticket := func(t string) (social.Reader, error) { return f.Social.MediaReader(r.Context(), id, t) }
	f.answer(w, r, ticket, func(reader social.Reader) (io.ReadSeekCloser, *social.Media, error) {
		return f.Social.OpenMedia(r.Context(), reader, id, mux.Vars(r)["size"] == "small")
	})
}

// Remote serves our copy of a file of another server's post; the path names the post
// and the file's place in it.
func (f *Files) Remote(w http.ResponseWriter, r *http.Request) {
	post, err := social.ParseID(mux.Vars(r)["post"])
	place, wrong := strconv.Atoi(mux.Vars(r)["place"])
	if err != nil || wrong != nil {
		Error(w, r, f.Log, social.NotFoundError())
		return
	}
	ticket := func(t string) (social.Reader, error) { return f.Social.RemoteMediaReader(r.Context(), post, place, t) }
	f.answer(w, r, ticket, func(reader social.Reader) (io.ReadSeekCloser, *social.Media, error) {
		return f.Social.OpenRemote(r.Context(), reader, post, place)
	})
}

// Face serves our copy of the picture of somebody on another server.
func (f *Files) Face(w http.ResponseWriter, r *http.Request) {
	id, err := social.ParseID(mux.Vars(r)["account"])
	if err != nil {
		Error(w, r, f.Log, err)
		return
	}
	ticket := func(t string) (social.Reader, error) { return f.Social.FaceReader(r.Context(), id, t) }
	f.answer(w, r, ticket, func(reader social.Reader) (io.ReadSeekCloser, *social.Media, error) {
		return f.Social.OpenFace(r.Context(), reader, id)
	})
}

func (f *Files) answer(w http.ResponseWriter, r *http.Request, ticket func(string) (social.Reader, error), open opened) {
	w.Header().Set("Vary", "Cookie, Signature, Signature-Input")
	reader, err := f.reader(w, r, ticket)
	if err != nil {
		Error(w, r, f.Log, err)
		return
	}
	file, m, err := open(reader)
	if err != nil {
		_ = f.Audit(r, reader, 0, err) // it is refused anyway
		Error(w, r, f.Log, err)
		return
	}
	defer file.Close() //nolint:errcheck // only read
	if err := f.Audit(r, reader, m.PostID, nil); err != nil {
		Error(w, r, f.Log, err)
		return
	}
	send(w, r, file, m)
}

func (f *Files) reader(w http.ResponseWriter, r *http.Request, ticket func(string) (social.Reader, error)) (social.Reader, error) {
	switch {
	case len(r.Header.Values("Signature")) > 0:
		return f.Signed(w, r)
	case r.URL.Query().Has("for"):
		w.Header().Set("Access-Control-Allow-Origin", "*") // apps may be pages of other sites
		return ticket(r.URL.Query().Get("for"))
	}
	return f.Member(r), nil
}

// send writes a file as what it is and never as anything active (A4). No cache but
// the reader's own may keep it.
func send(w http.ResponseWriter, r *http.Request, file io.ReadSeeker, m *social.Media) {
	h := w.Header()
	h.Set("Content-Type", m.Attachment.MediaType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, max-age=3600")
	if m.Attachment.Kind != "image" {
		h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(m.Attachment.Name))
	}
	http.ServeContent(w, r, "", m.CreatedAt, file)
}
