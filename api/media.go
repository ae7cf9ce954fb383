package api

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"parley/serve"
	"parley/social"
)

func (a *API) mediaRoutes() []route {
	return []route{
		{route: "POST /api/v2/media", scope: "write:media", run: a.upload, files: true},
		{route: "POST /api/v1/media", scope: "write:media", run: a.upload, files: true},
		{route: "GET /api/v1/media/{id}", scope: "write:media", run: withID(a.getMedia)},
		{route: "PUT /api/v1/media/{id}", scope: "write:media", run: withID(a.describeMedia)},
	}
}

// keep uploads the file of a form field; a NotFound error says that there is none.
func (a *API) keep(c *call, field string) (*social.Media, error) {
	if c.MultipartForm == nil || len(c.MultipartForm.File[field]) == 0 {
		return nil, social.NotFoundError()
	}
	file, head, err := c.FormFile(field)
	if err != nil {
		return nil, unreadable("the file cannot be read", err)
	}
	defer file.Close() //nolint:errcheck // only read
	x, y := focus(c.in.Get("focus"))
	return a.Social.Upload(c.Context(), c.reader, social.Upload{Body: file, Name: head.Filename, Description: c.in.Get("description"), FocusX: x, FocusY: y})
}

func (a *API) upload(c *call) (any, error) {
	m, err := a.keep(c, "file")
	if errors.Is(err, social.ErrNotFound) {
		return nil, social.Errorf(social.Invalid, "send the file as multipart/form-data in the field file")
	}
	if err != nil {
		return nil, err
	}
	return c.mediaShape(m), nil
}

// picture uploads an avatar or header; nil when none was sent.
func (a *API) picture(c *call, field string) (*social.Media, error) {
	m, err := a.keep(c, field)
	if errors.Is(err, social.ErrNotFound) {
		return nil, nil
	}
	return m, err
}

// focus reads "x,y"; anything else is the middle.
func focus(s string) (x, y float64) {
	left, right, _ := strings.Cut(s, ",")
	x, errX := strconv.ParseFloat(left, 64)
	y, errY := strconv.ParseFloat(right, 64)
	if errX != nil || errY != nil || x != x || y != y {
		return 0, 0
	}
	return x, y
}

func (a *API) getMedia(c *call, id social.ID) (any, error) {
	m, err := a.Social.Media(c.Context(), c.reader, id)
	if err != nil {
		return nil, err
	}
	return c.mediaShape(m), nil
}

func (a *API) describeMedia(c *call, id social.ID) (any, error) {
	var at *[2]float64
	if c.in.Has("focus") {
		x, y := focus(c.in.Get("focus"))
		at = &[2]float64{x, y}
	}
	m, err := a.Social.DescribeMedia(c.Context(), c.reader, id, c.maybeText("description"), at)
	if err != nil {
		return nil, err
	}
	return c.mediaShape(m), nil
}

// sendMedia serves a file to whom its address names (T35), as what it is and never
// as anything active (A4).
func (a *API) sendMedia(w http.ResponseWriter, r *http.Request) {
	if err := a.send(w, r); err != nil {
		serve.Error(w, r, a.Log, err)
	}
}

func (a *API) send(w http.ResponseWriter, r *http.Request) error {
	id, err := social.ParseID(mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	reader, err := a.Social.MediaReader(r.Context(), id, r.URL.Query().Get("for"))
	if err != nil {
		return err
	}
	f, m, err := a.Social.OpenMedia(r.Context(), reader, id, mux.Vars(r)["size"] == "small")
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	h := w.Header()
	h.Set("Content-Type", m.Attachment.MediaType)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, max-age=3600")
	h.Set("Access-Control-Allow-Origin", "*")
	if m.Attachment.Kind != "image" {
		h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(m.Attachment.Name))
	}
	http.ServeContent(w, r, "", m.CreatedAt, f)
	return nil
}
