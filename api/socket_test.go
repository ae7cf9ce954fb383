package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/instance/instancetest"
	"parley/social"
)

// line is one message of a WebSocket.
type line struct {
	Stream  []string
	Event   string
	Payload string
	Error   string
	Status  int
}

// socket is an app's end of a WebSocket.
type socket struct {
	*client
	conn *websocket.Conn
}

// dial opens one with the token as apps send it: "protocol", "query", "both" or "header".
func (c *client) dial(how, query string) (*socket, *http.Response, error) {
	c.t.Helper()
	o := &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"https://app.test"}}}
	switch how {
	case "protocol":
		o.Subprotocols = []string{c.token}
	case "query":
		query += "&access_token=" + c.token
	case "both": // pinafore hands a browser null as the subprotocol, and that is what it asks for
		o.Subprotocols = []string{"null"}
		query += "&access_token=" + c.token
	default:
		o.HTTPHeader.Set("Authorization", "Bearer "+c.token)
	}
	conn, res, err := websocket.Dial(c.t.Context(), "ws"+strings.TrimPrefix(c.in.Config.PublicURL, "http")+"/api/v1/streaming?"+query, o)
	if err == nil {
		conn.SetReadLimit(1 << 20)
		c.t.Cleanup(func() { _ = conn.CloseNow() })
	}
	return &socket{c, conn}, res, err
}

func (s *socket) ask(v object) {
	s.t.Helper()
	text, err := json.Marshal(v)
	if err == nil {
		err = s.conn.Write(s.t.Context(), websocket.MessageText, text)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *socket) next() (l line, err error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	_, text, err := s.conn.Read(ctx)
	if err == nil {
		err = json.Unmarshal(text, &l)
	}
	if err == nil {
		err = promised().told(l.Event, l.Payload)
	}
	return l, err
}

// until reads up to the post with a text, as "stream: event text".
func (s *socket) until(last string) (got []string) {
	s.t.Helper()
	for {
		l, err := s.next()
		if err != nil {
			s.t.Fatalf("before %q, after %v: %v", last, got, err)
		}
		var o struct{ Content, Type string }
		what := strings.Join(l.Stream, " ") + ": " + l.Event + " " + l.Payload + l.Error
		if json.Unmarshal([]byte(l.Payload), &o) == nil && strings.HasPrefix(l.Payload, "{") {
			what = strings.Join(l.Stream, " ") + ": " + l.Event + " " + markup.ReplaceAllString(o.Content, "") + o.Type
		}
		if strings.HasSuffix(what, " "+last) {
			return got
		}
		got = append(got, what)
	}
}

// One WebSocket carries many streams, each as far as its reader may see it (T60), with the
// name that the app asked by; and the token in any of the three places.
func aSocketCarriesManyStreams(t *testing.T) {
	w := start(t)
	w.bob.post("/api/v1/accounts/"+w.alice.id+"/follow", nil).ok()
	list := text(w.bob.post("/api/v1/lists", object{"title": "Team"}).ok(), "id")
	w.bob.post("/api/v1/lists/"+list+"/accounts", object{"account_ids": []string{w.alice.id}}).ok()
	group, err := w.in.Social.CreateGroup(t.Context(), w.bob.who, social.NewGroup{Name: "ops", Join: "open"})
	if err != nil {
		t.Fatal(err)
	}
	w.alice.post("/api/parley/v1/groups/"+group.Account.ID.String()+"/join", nil).ok()

	all, res, err := w.bob.dial("protocol", "stream=user")
	if err != nil || res.Header.Get("Sec-WebSocket-Protocol") != w.bob.token {
		t.Fatal(err, "the subprotocol is not echoed")
	}
	all.ask(object{"type": "subscribe", "stream": "hashtag", "tag": "Work"})
	all.ask(object{"type": "subscribe", "stream": "list", "list": list})
	all.ask(object{"type": "subscribe", "stream": "parley:group", "group": group.Account.ID.String()})
	all.ask(object{"type": "subscribe", "stream": "everything"})
	if l, err := all.next(); err != nil || l.Status != 422 || l.Error == "" {
		t.Errorf("an unknown stream: %+v %v", l, err)
	}
	told, _, err := w.bob.dial("query", "stream=user:notification")
	if err != nil {
		t.Fatal(err)
	}
	if _, res, err = w.bob.dial("both", "stream=direct"); err != nil || res.Header.Get("Sec-WebSocket-Protocol") != "null" {
		t.Fatal(err, "a subprotocol that is no token is not echoed")
	}
	media, _, err := w.bob.dial("header", "stream=public:media")
	if err != nil {
		t.Fatal(err)
	}

	w.alice.write("about #work", "company")
	var by []string
	for range 3 { // the three streams tell of it in any order
		l, err := all.next()
		if err != nil || l.Event != "update" || !strings.Contains(l.Payload, "about") {
			t.Fatalf("%+v %v", l, err)
		}
		by = append(by, strings.Join(l.Stream, " "))
	}
	slices.Sort(by)
	if want := []string{"hashtag Work", "list " + list, "user"}; !slices.Equal(by, want) {
		t.Errorf("it came by %v, want %v", by, want)
	}
	w.alice.write("for carol alone", "direct")
	w.alice.write("@bob hello", "direct")
	if l, err := told.next(); err != nil || l.Event != "notification" || !slices.Equal(l.Stream, []string{"user:notification"}) {
		t.Errorf("%+v %v", l, err)
	}
	if got := all.until("mention"); len(got) != 0 {
		t.Errorf("%v", got)
	}
	w.alice.write("in the group", "group:ops")
	for range 3 { // by home, by the list and by the group, in any order
		if got := all.until("in the group"); len(got) != 0 {
			t.Errorf("%v", got)
		}
	}
	all.ask(object{"type": "unsubscribe", "stream": "user"})
	all.ask(object{"type": "unsubscribe", "stream": "list", "list": list})
	all.ask(object{"type": "unsubscribe", "stream": "parley:group", "group": group.Account.ID.String()})
	all.ask(object{"type": "nonsense"})
	for {
		l, err := all.next()
		if err != nil {
			t.Fatal(err)
		}
		if l.Status == 400 {
			break
		}
	}
	w.alice.write("no tag", "company")
	w.alice.write("last #work", "company")
	if got := all.until("last #work"); len(got) != 0 {
		t.Errorf("after leaving the other streams: %v", got)
	}
	w.alice.post("/api/v1/statuses", object{"status": "a picture", "audience": "company", "media_ids": []string{w.alice.picture()}}).ok()
	if got := media.until("a picturea.txt"); len(got) != 0 {
		t.Errorf("posts without files: %v", got)
	}
}

// picture uploads one.
func (c *client) picture() string {
	c.t.Helper()
	m, err := c.in.Social.Upload(c.t.Context(), c.who, social.Upload{Name: "a.txt", Body: strings.NewReader("a file")})
	if err != nil {
		c.t.Fatal(err)
	}
	return m.ID.String()
}

// Who has no token hears nothing, and whose token ends hears nothing more (T30, H1).
func aSocketIsForItsToken(t *testing.T) {
	w := start(t)
	stranger := *w.bob
	stranger.token = "wrong"
	for _, how := range []string{"protocol", "query", "header"} {
		if _, res, err := stranger.dial(how, "stream=public"); err == nil || res == nil || res.StatusCode != 401 {
			t.Errorf("a wrong token by %s: %v %v", how, res, err)
		}
	}
	if _, res, err := w.nobs.dial("header", "stream=public"); err == nil || res.StatusCode != 401 {
		t.Errorf("no token: %v", err)
	}
	narrow := w.bob.app("read:notifications write", true)
	s, _, err := narrow.dial("header", "")
	if err != nil {
		t.Fatal(err)
	}
	s.ask(object{"type": "subscribe", "stream": "public"})
	if l, err := s.next(); err != nil || l.Status != 403 {
		t.Errorf("beyond the scopes: %+v %v", l, err)
	}
	own := text(w.bob.post("/api/v1/lists", object{"title": "Mine"}).ok(), "id")
	other, _, err := w.alice.dial("header", "")
	if err != nil {
		t.Fatal(err)
	}
	other.ask(object{"type": "subscribe", "stream": "list", "list": own})
	if l, err := other.next(); err != nil || l.Status != 404 {
		t.Errorf("somebody else's list: %+v %v", l, err)
	}
	open, _, err := w.bob.dial("header", "stream=public")
	if err != nil {
		t.Fatal(err)
	}
	w.alice.write("before", "company")
	open.until("before")
	if err := w.in.Auth.EndAccess(t.Context(), w.bob.who.Account.ID, "test"); err != nil {
		t.Fatal(err)
	}
	for {
		l, err := open.next()
		if err != nil {
			if websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
				t.Errorf("it ended by %v", err)
			}
			break
		}
		t.Errorf("after its token: %+v", l)
	}
}

// What is posted between the reading of a list and the beginning of a stream is in one of
// the two: the list names its place in time, and the stream begins there.
func TestNothingIsLostBetweenListAndStream(t *testing.T) {
	w := start(t)
	var wg sync.WaitGroup
	const posts, readers = 60, 10
	seen := make([]map[string]bool, readers)
	begin := make(chan struct{}, posts)
	for i := range seen {
		wg.Go(func() {
			for range i * posts / readers / 2 {
				<-begin
			}
			a := w.bob.get("/api/v1/timelines/public?limit=80")
			got := map[string]bool{}
			for _, s := range a.list() {
				got[text(s, "id")] = true
			}
			runtime.Gosched()
			s, _, err := w.bob.dial("header", "stream=public&since="+a.header.Get("Parley-Place"))
			if err != nil {
				t.Error(err)
				return
			}
			for {
				l, err := s.next()
				if err != nil {
					t.Error(err)
					return
				}
				var p struct{ ID, Content string }
				if err := json.Unmarshal([]byte(l.Payload), &p); err != nil {
					t.Error(err, l)
					return
				}
				if strings.Contains(p.Content, "the last") {
					break
				}
				got[p.ID] = true
			}
			seen[i] = got
		})
	}
	var made []string
	for i := range posts {
		made = append(made, w.alice.write(fmt.Sprintf("post %d", i), "company"))
		for range readers {
			select {
			case begin <- struct{}{}:
			default:
			}
		}
	}
	close(begin)
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for open := true; open; { // a reader who comes late waits for another last one
		w.alice.write("the last", "company")
		select {
		case <-done:
			open = false
		case <-time.After(50 * time.Millisecond):
		}
	}
	for i, got := range seen {
		for _, id := range made {
			if !got[id] {
				t.Errorf("reader %d never saw %s", i, id)
			}
		}
	}
}

// A thousand people who look on while nothing happens cost less than 40 MiB; and one alone
// cannot take all the room.
func TestIdleStreams(t *testing.T) {
	network := instancetest.New(t, 1, nil)
	w := people(t, network.Instances[0])
	dial := func(c *client) net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", w.in.Config.Listen)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := fmt.Fprintf(conn, "GET /api/v1/streaming?stream=user HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer %s\r\n\r\n", w.in.Config.Domain, c.token); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	var members []*client
	for i := range 10 {
		members = append(members, w.member(fmt.Sprintf("m%d", i)))
	}
	memory := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	first := dial(members[0])
	if _, err := http.ReadResponse(bufio.NewReader(first), nil); err != nil {
		t.Fatal(err)
	}
	before := memory()
	for i := 1; i < 1000; i++ {
		conn := dial(members[i%len(members)])
		head := make([]byte, 12)
		if _, err := conn.Read(head); err != nil || !strings.HasPrefix(string(head), "HTTP/1.1 101") {
			t.Fatalf("stream %d: %q %v", i, head, err)
		}
	}
	if after := memory(); after > before+40<<20 {
		t.Errorf("1,000 streams cost %d KiB", (after-before)>>10)
	} else {
		t.Logf("1,000 streams cost %d KiB", (int64(after)-int64(before))>>10)
	}
	if s, _, err := members[0].dial("header", ""); err != nil {
		t.Fatal(err)
	} else {
		s.ask(object{"type": "subscribe", "stream": "public"})
		if l, err := s.next(); err != nil || l.Status != 429 {
			t.Errorf("one stream too many: %+v %v", l, err)
		}
	}
}
