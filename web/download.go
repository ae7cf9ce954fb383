package web

import (
	"bufio"
	"io"
	"log/slog"
	"net/http"
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
