package serve

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// eventTime bounds one write to a reader that does not read.
const eventTime = 10 * time.Second

// Events writes server-sent events (WHATWG HTML, section 9.2).
type Events struct {
	w     http.ResponseWriter
	line  *http.ResponseController
	begun bool
}

// NewEvents makes a writer; nothing is sent before the first Beat or Send.
func NewEvents(w http.ResponseWriter) *Events {
	return &Events{w: w, line: http.NewResponseController(w)}
}

// Begun says that something was sent, so that no other answer is possible.
func (e *Events) Begun() bool { return e.begun }

func (e *Events) write(text string) error {
	if !e.begun {
		e.begun = true
		_ = e.line.SetReadDeadline(time.Time{}) // where a connection has none of its own, the server's remain
		e.w.Header().Set("Content-Type", "text/event-stream")
		e.w.Header().Set("X-Accel-Buffering", "no") // nginx would keep events back
	}
	_ = e.line.SetWriteDeadline(time.Now().Add(eventTime))
	if _, err := e.w.Write([]byte(text)); err != nil {
		return err
	}
	return e.line.Flush()
}

// Beat keeps a quiet connection open, and finds out whether it still is.
func (e *Events) Beat() error { return e.write(":)\n") }

// oneField keeps each line of a text in the field "data", whatever ends the line.
var oneField = strings.NewReplacer("\r\n", "\ndata: ", "\n", "\ndata: ", "\r", "\ndata: ")

// Send writes an event. place is where a reader can go on who lost the connection, and
// says so in Last-Event-ID; 0 for nowhere.
func (e *Events) Send(place int64, name, data string) error {
	id := ""
	if place != 0 {
		id = "id: " + strconv.FormatInt(place, 10) + "\n"
	}
	return e.write(id + "event: " + name + "\ndata: " + oneField.Replace(data) + "\n\n")
}
