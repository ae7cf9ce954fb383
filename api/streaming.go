package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

	"parley/live"
	"parley/serve"
	"parley/social"
)

// streamed is the value of an endpoint that has written its answer.
var streamed = any(&struct{ streamed bool }{})

func (a *API) streamRoutes() []route {
	return []route{
		{route: "GET /api/v1/streaming", run: a.socket,
			does: "One WebSocket for many streams", takes: in{"stream text the first to listen to", "only_media bool only with files", "tag text of the stream hashtag", "list id of the stream list", "group id of the stream parley:group", "since text a place that a list or an event named: begin there", "access_token text if no header can be sent"}, gives: webSocket},
		{route: "GET /api/v1/streaming/health", run: a.streamHealth,
			does: "Whether streams work", gives: plainText},
		{route: "GET /api/v1/streaming/user", scope: "read:statuses", run: a.stream("user"),
			does: "Your home, and what concerns you, as they happen", takes: in{"only_media bool only with files", "since text a place that a list or an event named: begin there"}, gives: events},
		{route: "GET /api/v1/streaming/user/notification", scope: "read:notifications", run: a.stream("user:notification"),
			does: "What concerns you, as they happen", takes: in{"only_media bool only with files", "since text a place that a list or an event named: begin there"}, gives: events},
		{route: "GET /api/v1/streaming/public", scope: "read:statuses", run: a.stream("public"),
			does: "Public posts, as they happen", takes: in{"only_media bool only with files", "since text a place that a list or an event named: begin there"}, gives: events},
		{route: "GET /api/v1/streaming/public/local", scope: "read:statuses", run: a.stream("public:local"),
			does: "Public posts from here, as they happen", takes: in{"only_media bool only with files", "since text a place that a list or an event named: begin there"}, gives: events},
		{route: "GET /api/v1/streaming/public/remote", scope: "read:statuses", run: a.stream("public:remote"),
			does: "Public posts from elsewhere, as they happen", takes: in{"only_media bool only with files", "since text a place that a list or an event named: begin there"}, gives: events},
		{route: "GET /api/v1/streaming/hashtag", scope: "read:statuses", run: a.stream("hashtag"),
			does: "Posts with a hashtag, as they happen", takes: in{"tag! text the hashtag", "only_media bool only with files", "since text a place that a list or an event named: begin there"}, gives: events},
		{route: "GET /api/v1/streaming/hashtag/local", scope: "read:statuses", run: a.stream("hashtag:local"),
			does: "Posts from here with a hashtag, as they happen", takes: in{"tag! text the hashtag", "only_media bool only with files", "since text a place that a list or an event named: begin there"}, gives: events},
		{route: "GET /api/v1/streaming/list", scope: "read:statuses", run: a.stream("list"),
			does: "Posts of who is in a list, as they happen", takes: in{"list! id the list", "only_media bool only with files", "since text a place that a list or an event named: begin there"}, gives: events},
		{route: "GET /api/v1/streaming/direct", scope: "read:statuses", run: a.stream("direct"),
			does: "What was written to you, as they happen", takes: in{"only_media bool only with files", "since text a place that a list or an event named: begin there"}, gives: events},
		{route: "GET /api/parley/v1/streaming/company", scope: "read:statuses", run: a.stream("parley:company"),
			does: "What is written for the whole company, as they happen", takes: in{"only_media bool only with files", "since text a place that a list or an event named: begin there"}, gives: events},
		{route: "GET /api/parley/v1/streaming/group", scope: "read:statuses", run: a.stream("parley:group"),
			does: "Posts in a community, as they happen", takes: in{"group! id the community", "only_media bool only with files", "since text a place that a list or an event named: begin there"}, gives: events},
	}
}

// streams are what can be listened to, by the names of the Mastodon API, and two of ours.
var streams = map[string]live.Stream{
	"user": {Name: live.User}, "user:notification": {Name: live.Notifications}, "direct": {Name: live.Direct}, "list": {Name: live.List},
	"public": {Name: live.Public}, "public:local": {Name: live.Local}, "public:remote": {Name: live.Remote},
	"public:media": {Name: live.Public, Media: true}, "public:local:media": {Name: live.Local, Media: true}, "public:remote:media": {Name: live.Remote, Media: true},
	"hashtag": {Name: live.Hashtag}, "hashtag:local": {Name: live.Hashtag, Here: true},
	"parley:company": {Name: live.Company}, "parley:group": {Name: live.Group},
}

// listen reads which stream is meant, with the further name that apps know it by: the
// tag, or the id of the list or group.
func (c *call) listen(name string, q url.Values) (st live.Stream, label []string, err error) {
	st, ok := streams[name]
	if !ok {
		return st, nil, social.Errorf(social.Invalid, "there is no stream %.40q", name)
	}
	if q.Get("only_media") == "true" {
		st.Media = true
	}
	label = []string{name}
	switch st.Name {
	case live.Hashtag:
		if st.Tag = c.api.Social.Text.FoldTag(q.Get("tag")); st.Tag == "" {
			return st, nil, social.Errorf(social.Invalid, "name the hashtag: ?tag=")
		}
		label = append(label, q.Get("tag"))
	case live.List:
		if st.List, err = social.ParseID(q.Get("list")); err == nil {
			_, err = c.api.Social.List(c.Context(), c.reader, st.List)
		}
		label = append(label, q.Get("list"))
	case live.Group:
		if st.Group, err = social.ParseID(q.Get("group")); err == nil {
			_, err = c.api.Social.Group(c.Context(), c.reader, st.Group)
		}
		label = append(label, q.Get("group"))
	}
	return st, label, err
}

// placeHeader tells with a list where a stream has to begin so that nothing between is
// missed: ?since= takes it.
const placeHeader = "Parley-Place"

// since is where a stream begins: at a place that a list or an event named, or now.
func (c *call) since() (int64, error) {
	text := c.Header.Get("Last-Event-ID")
	if text == "" {
		text = c.in.Get("since")
	}
	if text == "" {
		return 0, nil
	}
	since, err := strconv.ParseInt(text, 10, 64)
	if err != nil || since < 0 {
		return 0, social.Errorf(social.Invalid, "since is a place that a list or an event named")
	}
	return since, nil
}

// listener finds who listens, each time anew: a stream ends within seconds of its token.
func (c *call) listener(token string) func() (social.Reader, error) {
	return func() (social.Reader, error) {
		member, _, err := c.api.Auth.Bearer(c.Context(), token)
		if err == nil && member == nil {
			err = errToken()
		}
		if err != nil {
			return social.Reader{}, err
		}
		return social.Member(member, c.api.Links.Home()), nil
	}
}

// bearer is the token of the header.
func (c *call) bearer() string {
	_, text, _ := strings.Cut(c.Header.Get("Authorization"), " ")
	return strings.TrimSpace(text)
}

// stream shows events as they happen, as server-sent events (Mastodon API, streaming).
func (a *API) stream(name string) endpoint {
	return func(c *call) (any, error) {
		st, _, err := c.listen(name, c.in)
		if err == nil {
			st.Since, err = c.since()
		}
		if err != nil {
			return nil, err
		}
		if c.Method == http.MethodHead {
			c.w.Header().Set("Content-Type", "text/event-stream")
			return streamed, nil
		}
		out := serve.NewEvents(c.w)
		err = a.Live.Follow(c.Context(), st, c.listener(c.bearer()), func(m live.Message) error {
			event, data, err := c.event(m)
			if err != nil {
				return err
			}
			return out.Send(m.Place, event, string(data))
		}, out.Beat)
		if !out.Begun() {
			return nil, err
		}
		return streamed, nil // nobody is left to tell how it ended
	}
}

func (a *API) streamHealth(c *call) (any, error) {
	c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = c.w.Write([]byte("OK")) // the connection may be gone; nobody is left to tell
	return streamed, nil
}

// event gives a message the name and shape that apps know.
func (c *call) event(m live.Message) (event string, data []byte, err error) {
	if m.Missed {
		return "parley.missed", []byte("{}"), nil // what happened since is no longer known: read the list again
	}
	switch m.Kind {
	case social.EventDeleted:
		return "delete", []byte(m.Deleted.String()), nil
	case social.EventNotified:
		data, err = json.Marshal(c.notificationShape(m.Notification))
		return "notification", data, err
	case social.EventEdited:
		event = "status.update"
	default:
		event = "update"
	}
	data, err = json.Marshal(c.statusShape(m.Post))
	return event, data, err
}

const (
	// socketTime bounds one write to a reader that does not read, and the answer to a ping.
	socketTime = 10 * time.Second
	pingEvery  = 30 * time.Second
	// maxAsked is how long a message of an app may be, in bytes.
	maxAsked = 4 << 10
)

// socket is the WebSocket of the Mastodon API: one connection for many streams. The token
// comes in the header, as a subprotocol, which is echoed, or in the address.
func (a *API) socket(c *call) (any, error) {
	if !strings.EqualFold(c.Header.Get("Upgrade"), "websocket") {
		return nil, social.Errorf(social.Invalid, "this address speaks WebSocket; server-sent events are at /api/v1/streaming/user and beside it")
	}
	var protocols []string
	if c.token == nil {
		token := c.in.Get("access_token")
		if p := strings.TrimSpace(c.Header.Get("Sec-WebSocket-Protocol")); p != "" && !strings.Contains(p, ",") {
			protocols = []string{p}
			if token == "" { // else it names none: pinafore says "null" beside its address
				token = p
			}
		}
		c.Header.Set("Authorization", "Bearer "+token)
		if err := a.recognise(c); err != nil {
			return nil, err
		}
	}
	if c.reader.Account == nil {
		return nil, errToken()
	}
	var first url.Values
	if c.in.Get("stream") != "" {
		first = c.in
		if _, _, err := c.listen(first.Get("stream"), first); err != nil {
			return nil, err
		}
	}
	conn, err := websocket.Accept(c.w, c.Request, &websocket.AcceptOptions{Subprotocols: protocols, InsecureSkipVerify: true}) // any page: the token is the right
	if err != nil {
		return streamed, nil // it has answered
	}
	// The request ends here, and with it all that it took; the connection is ours.
	s := &socket{call: &call{Request: &http.Request{}, api: a, reader: c.reader, token: c.token}, conn: conn, token: c.bearer(), open: map[string]context.CancelFunc{}}
	go s.safely(func() { s.run(first) })
	return streamed, nil
}

// socket is one open WebSocket.
type socket struct {
	*call
	conn  *websocket.Conn
	token string
	open  map[string]context.CancelFunc // streams by their label; of run alone
}

// safely ends the connection, and nothing else, when something breaks.
func (s *socket) safely(f func()) {
	defer func() {
		if p := recover(); p != nil {
			s.api.Log.Error("a stream broke", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			_ = s.conn.CloseNow() // it may be over
		}
	}()
	f()
}

// request is what an app says.
type request struct {
	Type   string `json:"type"`
	Stream string `json:"stream"`
	Tag    string `json:"tag"`
	List   string `json:"list"`
	Group  string `json:"group"`
	Since  string `json:"since"`
}

// run reads what the app asks for until the connection ends.
func (s *socket) run(first url.Values) {
	ctx, cancel := context.WithCancel(context.Background()) // ends with the connection, and that with the hub
	defer cancel()
	defer s.conn.CloseNow() //nolint:errcheck // it is over
	s.conn.SetReadLimit(maxAsked)
	if first != nil {
		s.subscribe(ctx, first)
	}
	time.AfterFunc(pingEvery, func() { s.safely(func() { s.ping(ctx) }) })
	for {
		_, text, err := s.conn.Read(ctx)
		if err != nil {
			return
		}
		var q request
		if json.Unmarshal(text, &q) != nil {
			_ = s.say(ctx, map[string]any{"error": "this is not JSON", "status": http.StatusBadRequest})
			continue
		}
		asked := url.Values{"stream": {q.Stream}, "tag": {q.Tag}, "list": {q.List}, "group": {q.Group}, "since": {q.Since}}
		switch q.Type {
		case "subscribe":
			s.subscribe(ctx, asked)
		case "unsubscribe":
			if _, label, err := s.listen(q.Stream, asked); err == nil {
				s.end(label)
			}
		default:
			_ = s.say(ctx, map[string]any{"error": "type is subscribe or unsubscribe", "status": http.StatusBadRequest})
		}
	}
}

func (s *socket) end(label []string) {
	name := strings.Join(label, "\n")
	if cancel := s.open[name]; cancel != nil {
		cancel()
		delete(s.open, name)
	}
}

// subscribe begins a stream, in the place of the same one before.
func (s *socket) subscribe(whole context.Context, q url.Values) {
	st, label, err := s.listen(q.Get("stream"), q)
	scope := "read:statuses"
	if st.Name == live.Notifications {
		scope = "read:notifications"
	}
	if err == nil && !s.call.token.Allows(scope) {
		err = social.Errorf(social.Forbidden, "This action is outside the authorized scopes")
	}
	if err == nil && q.Get("since") != "" {
		st.Since, err = strconv.ParseInt(q.Get("since"), 10, 64)
	}
	if err != nil {
		_ = s.say(whole, map[string]any{"error": serve.Public(err), "status": serve.Status(err)}) // reading finds out that it is over
		return
	}
	s.end(label)
	ctx, cancel := context.WithCancel(whole)
	s.open[strings.Join(label, "\n")] = cancel
	ready := make(chan struct{})
	begun := false
	go s.safely(func() {
		defer cancel()
		err := s.api.Live.Follow(ctx, st, s.listener(s.token), func(m live.Message) error {
			event, data, err := s.event(m)
			if err != nil {
				return err
			}
			// Not by the stream's own context: a write that is cut off ends the connection.
			return s.say(whole, map[string]any{"stream": label, "event": event, "payload": string(data), "place": strconv.FormatInt(m.Place, 10)})
		}, func() error {
			if !begun {
				begun = true
				close(ready)
			}
			return nil
		})
		if !begun {
			close(ready)
		}
		switch {
		case social.KindOf(err) == social.Unauthenticated:
			_ = s.conn.Close(websocket.StatusPolicyViolation, "the access token is invalid") // it may be over
		case social.KindOf(err) == social.Limited:
			_ = s.say(whole, map[string]any{"error": serve.Public(err), "status": serve.Status(err)}) // it may be over
		case ctx.Err() == nil: // too slow, or the server stops
			_ = s.conn.Close(websocket.StatusGoingAway, "read the list, and listen again") // it may be over
		}
	})
	<-ready // what happens from here on is heard
}

func (s *socket) say(ctx context.Context, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, socketTime)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, text)
}

// ping keeps a quiet connection open, and ends one that is gone. It waits without a
// goroutine of its own.
func (s *socket) ping(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	wait, cancel := context.WithTimeout(ctx, socketTime)
	defer cancel()
	if err := s.conn.Ping(wait); err != nil {
		_ = s.conn.CloseNow() // it is gone
		return
	}
	time.AfterFunc(pingEvery, func() { s.safely(func() { s.ping(ctx) }) })
}
