package api

import (
	"errors"
	"strconv"
	"strings"

	"parley/social"
)

func (a *API) mediaRoutes() []route {
	return []route{
		{route: "POST /api/v2/media", scope: "write:media", run: a.upload, files: true,
			does: "Upload a file for a post", takes: in{"file! file a picture", "description text for who cannot see it", "focus text x,y from -1 to 1: what stays visible when it is cut"}, gives: attachment{}},
		{route: "POST /api/v1/media", scope: "write:media", run: a.upload, files: true,
			does: "Upload a file, as older apps do", takes: in{"file! file a picture", "description text for who cannot see it", "focus text x,y from -1 to 1: what stays visible when it is cut"}, gives: attachment{}},
		{route: "GET /api/v1/media/{id}", scope: "write:media", run: withID(a.getMedia),
			does: "A file of yours", gives: attachment{}},
		{route: "PUT /api/v1/media/{id}", scope: "write:media", run: withID(a.describeMedia),
			does: "Describe a file", takes: in{"description text for who cannot see it", "focus text x,y from -1 to 1: what stays visible when it is cut"}, gives: attachment{}},
	}
}

// keep uploads the file of a form field, with what is said of it; a NotFound error says
// that there is none.
func (a *API) keep(c *call, field string, u social.Upload) (*social.Media, error) {
	if c.MultipartForm == nil || len(c.MultipartForm.File[field]) == 0 {
		return nil, social.NotFoundError()
	}
	file, head, err := c.FormFile(field)
	if err != nil {
		return nil, unreadable("the file cannot be read", err)
	}
	defer file.Close() //nolint:errcheck // only read
	u.Body, u.Name = file, head.Filename
	return a.Social.Upload(c.Context(), c.reader, u)
}

func (a *API) upload(c *call) (any, error) {
	x, y := focus(c.in.Get("focus"))
	m, err := a.keep(c, "file", social.Upload{Description: c.in.Get("description"), FocusX: x, FocusY: y})
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
	m, err := a.keep(c, field, social.Upload{})
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
