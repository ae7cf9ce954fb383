package federation_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/social"
)

// endless is a body that goes on as long as somebody reads it.
type endless struct{ read atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read.Add(int64(len(p)))
	return len(p), nil
}

// T9: a body beyond 1 MiB is refused, with and without a length, and is not read
// to its end.
func TestT9LargeBodies(t *testing.T) {
	in, r, _ := admitted(t, social.ZonePublic)
	inbox := in.Config.PublicURL + "/inbox"
	large := []byte(`{"a":"` + strings.Repeat("x", activitypub.MaxBytes-7) + `"}`)
	chunked := func(body io.Reader) func(*http.Request) {
		return func(q *http.Request) { q.Body, q.ContentLength, q.GetBody = io.NopCloser(body), -1, nil }
	}
	if got := r.send(inbox, large, httpsig.Cavage, nil); got != 413 {
		t.Errorf("with a length: %d", got)
	}
	if got := r.send(inbox, large, httpsig.Cavage, chunked(bytes.NewReader(large))); got != 413 {
		t.Errorf("chunked: %d", got)
	}
	if got := r.send(inbox, large[:len(large)-3], httpsig.Cavage, nil); got != 400 { // inside the bound, and no JSON
		t.Errorf("1 MiB: %d", got)
	}
	stream := &endless{}
	q, err := http.NewRequest("POST", inbox, stream)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/activity+json")
	// The server hangs up while the body still comes: either its answer arrives
	// first or the broken line does.
	if res, err := http.DefaultClient.Do(q); err == nil {
		_ = res.Body.Close()
		if res.StatusCode != 413 {
			t.Errorf("endless: %d", res.StatusCode)
		}
	}
	if n := stream.read.Load(); n > 16<<20 {
		t.Errorf("%d bytes of an endless body were taken", n)
	}
	if n := r.fetches.Load(); n != 0 {
		t.Errorf("%d fetches", n)
	}
}

// T10: compressed bodies are refused, whatever is inside.
func TestT10CompressedBodies(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	plain, err := json.Marshal(r.create(1))
	if err != nil {
		t.Fatal(err)
	}
	var zipped, deflated bytes.Buffer
	g := gzip.NewWriter(&zipped)
	f, err := flate.NewWriter(&deflated, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []io.WriteCloser{g, f} {
		if _, err := w.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	bodies := map[string][]byte{"gzip": zipped.Bytes(), "x-gzip": zipped.Bytes(), "GZIP": zipped.Bytes(), "deflate": deflated.Bytes(), "br": plain,
		"zstd": plain, "gzip, gzip": zipped.Bytes(), "identity, gzip": zipped.Bytes()}
	for encoding, body := range bodies {
		got := r.send(in.Config.PublicURL+"/inbox", body, httpsig.Cavage, func(q *http.Request) { q.Header.Set("Content-Encoding", encoding) })
		if got != 415 {
			t.Errorf("%s: %d", encoding, got)
		}
	}
	got := r.send(in.Config.PublicURL+"/inbox", zipped.Bytes(), httpsig.Cavage, func(q *http.Request) {
		q.Header["Content-Encoding"] = []string{"", "gzip"}
	})
	if got != 415 && got != 400 {
		t.Errorf("hidden behind an empty header: %d", got)
	}
	net.Settle()
	if r.fetches.Load() != 0 || known(t, in, r.url("/notes/1")) {
		t.Error("something got through")
	}
}

func deep(n int) string { return strings.Repeat(`{"object":`, n) + `{}` + strings.Repeat(`}`, n) }

// T11, A6, A7: what two readers could take differently, or none cheaply, is a 400
// before anybody looks at the signature.
func TestT11A6A7ConfusingBodies(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	note := `"object":{"id":"` + r.url("/notes/1") + `","type":"Note","attributedTo":"` + r.actor("mallory") + `","content":"x"}`
	with := func(more string) string {
		return `{"id":"` + r.url("/a/1") + `","type":"Create","actor":"` + r.actor("mallory") + `",` + note + more + `}`
	}
	for name, body := range map[string]string{
		"T11 depth 65":          with(`,"x":` + deep(64)),
		"T11 depth 9000":        with(`,"x":` + deep(9000)),
		"T11 lists 9000 deep":   with(`,"x":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000)),
		"T11 tokens in a list":  with(`,"x":[` + strings.Repeat("1,", 20_001) + `1]`),
		"T11 tokens in keys":    with(`,"x":{` + manyKeys(10_001) + `}`),
		"A7 duplicate":          with(`,"type":"Undo"`),
		"A7 duplicate, null":    with(`,"x":null,"x":1`),
		"A7 case":               with(`,"TYPE":"Undo"`),
		"A7 case inside":        with(`,"x":{"to":"a","To":"b"}`),
		"A7 case in a list":     with(`,"x":[{"to":"a","tO":"b"}]`),
		"A7 long s":             with(`,"summary":"a","\u017fummary":"b"`),
		"A7 kelvin sign":        with(`,"key":"a","\u212aey":"b"`),
		"A7 alias":              with(`,"@type":"Undo"`),
		"A7 escaped":            with(`,"t\u0079pe":"Undo"`),
		"A7 keyword in capital": with(`,"@ID":"x"`),
		"A6 graph":              with(`,"@graph":[]`),
		"A6 included":           with(`,"@included":[]`),
		"A6 reverse":            with(`,"@reverse":{}`),
		"A6 reverse inside":     with(`,"x":[{"y":{"@reverse":{"object":{}}}}]`),
		"A6 graph in capitals":  with(`,"@GRAPH":[]`),
		"A6 escaped":            with(`,"\u0040graph":[]`),
		"A6 list at the top":    "[" + with("") + "]",
		"two documents":         with("") + with(""),
		"not UTF-8":             with(",\"x\":\"\xff\""),
		"byte order mark":       "\ufeff" + with(""),
		"cut off":               with("")[:100],
	} {
		for signed, change := range map[string]func(*http.Request){"signed": nil, "unsigned": func(q *http.Request) { q.Header.Del("Signature") }} {
			if got := r.send(in.Config.PublicURL+"/inbox", []byte(body), httpsig.Cavage, change); got != 400 {
				t.Errorf("%s, %s: %d", name, signed, got)
			}
		}
	}
	if n := r.fetches.Load(); n != 0 {
		t.Errorf("%d fetches", n)
	}
	// A context may define terms with the same words: nothing is read from it.
	fine := with(`,"@context":{"x":{"@reverse":"as:object"},"X":"y:z"},"x":` + deep(62))
	if got := r.send(in.Config.PublicURL+"/inbox", []byte(fine), httpsig.Cavage, nil); got != 202 {
		t.Errorf("just inside the bounds: %d", got)
	}
	net.Settle()
	if !known(t, in, r.url("/notes/1")) {
		t.Error("the fine one was not taken")
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"k%d":1,`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// A6: a signature inside the document proves nothing; who forwards must be who acts.
func TestA6LinkedDataSignatures(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	create := r.create(1)
	create["actor"] = r.actor("victim")
	create["object"].(map[string]any)["attributedTo"] = r.actor("victim")
	create["signature"] = map[string]any{"type": "RsaSignature2017", "creator": r.actor("victim") + "#main-key", "created": "2026-01-01T00:00:00Z", "signatureValue": "AAAA"}
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", create); got != 401 {
		t.Errorf("answered %d", got)
	}
	net.Settle()
	if known(t, in, r.url("/notes/1")) {
		t.Error("taken")
	}
}

// Public has three spellings (ActivityPub 5.6), in lists and alone.
func TestThreeSpellingsOfPublic(t *testing.T) {
	in, r, net := admitted(t, social.ZonePublic)
	n := 0
	for _, spelling := range []string{"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"} {
		for kind, to := range map[social.AudienceKind][2]any{
			social.AudiencePublic:   {spelling, []any{r.actor("mallory") + "/followers"}},
			social.AudienceUnlisted: {r.actor("mallory") + "/followers", []any{spelling}},
		} {
			n++
			create := r.create(n)
			note := create["object"].(map[string]any)
			note["to"], note["cc"] = to[0], to[1]
			if got := r.sendJSON(in.Config.PublicURL+"/inbox", create); got != 202 {
				t.Fatalf("answered %d", got)
			}
			net.Settle()
			v, err := in.Social.PostByURI(context.Background(), social.Nobody(in.Social.HomeAuthority()), r.url(fmt.Sprintf("/notes/%d", n)))
			if err != nil || v.Post.Audience.Kind != kind {
				t.Errorf("%s, %s: %+v %v", spelling, kind, v, err)
			}
		}
	}
}

// G7: no more than 8 large bodies are held at once; who comes then with another is
// asked to come again, memory stays within bounds, and small ones are taken.
func TestManyLargeBodiesAreBounded(t *testing.T) {
	in, r, _ := admitted(t, social.ZonePublic)
	inbox := in.Config.PublicURL + "/inbox"
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const lines = 100
	body := []byte(`{"x":"` + strings.Repeat("x", activitypub.MaxBytes-20) + `"}`)
	var open []net.Conn
	for range lines {
		c, err := net.Dial("tcp", strings.TrimPrefix(in.Config.PublicURL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
		if _, err := fmt.Fprintf(c, "POST /inbox HTTP/1.1\r\nHost: %s\r\nContent-Type: application/activity+json\r\nContent-Length: %d\r\n\r\n", in.Config.Domain, len(body)); err != nil {
			t.Fatal(err)
		}
	}
	var wait sync.WaitGroup
	for _, c := range open {
		wait.Go(func() { _, _ = c.Write(body[:len(body)-1]) }) // those beyond the bound are hung up on
	}
	wait.Wait()
	refused := func() bool {
		res := r.do(inbox, "application/activity+json", body[:len(body)/2])
		return res.StatusCode == 503 && res.Header.Get("Retry-After") != ""
	}
	for tries := 0; !refused(); tries++ { // until all lines were seen
		if tries > 2000 {
			t.Fatal("nobody is refused")
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<20 {
		t.Errorf("%d MiB for %d bodies", grown>>20, lines)
	} else {
		t.Logf("%d MiB for %d bodies", grown>>20, lines)
	}
	if got := r.sendJSON(inbox, r.create(1)); got != 202 {
		t.Errorf("a small one meanwhile: %d", got)
	}
	for _, c := range open {
		_ = c.Close()
	}
	for tries := 0; refused(); tries++ { // until all lines were given up
		if tries > 2000 {
			t.Fatal("everybody is still refused")
		}
		runtime.Gosched()
	}
	if got := r.sendJSON(inbox, r.create(2)); got != 202 {
		t.Errorf("afterwards: %d", got)
	}
}

// G7: what a body costs while it is read and refused does not depend on how it is
// made up.
func TestLargeBodiesAreCheap(t *testing.T) {
	in, r, _ := admitted(t, social.ZonePublic)
	const each = 24 << 20 // the body itself is read in growing pieces, about 5 MiB in all
	for name, body := range map[string]string{
		"one text":    `{"x":"` + strings.Repeat("x", activitypub.MaxBytes-20) + `"}`,
		"escapes":     `{"x":"` + strings.Repeat(`\n`, activitypub.MaxBytes/2-20) + `"}`,
		"objects":     `{"x":[` + strings.Repeat("{},", activitypub.MaxBytes/3-20) + `1]}`,
		"lists":       `{"x":[` + strings.Repeat("[],", activitypub.MaxBytes/3-20) + `1]}`,
		"keys":        `{` + manyKeys(70_000) + `}`,
		"long keys":   `{` + strings.ReplaceAll(manyKeys(9_000), "k", strings.Repeat("k", 90)) + `}`,
		"blank space": `{` + strings.Repeat(" ", activitypub.MaxBytes-20) + `}`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var wait sync.WaitGroup
		const lines = 8
		for range lines {
			wait.Go(func() {
				if got := r.do(in.Config.PublicURL+"/inbox", "application/activity+json", []byte(body)).StatusCode; got != 400 {
					t.Errorf("%s: %d", name, got)
				}
			})
		}
		wait.Wait()
		runtime.ReadMemStats(&after)
		one := (after.TotalAlloc - before.TotalAlloc) / lines
		t.Logf("%s: %.1f MiB allocated for each", name, float64(one)/(1<<20))
		if one > each {
			t.Errorf("%s: %d MiB", name, one>>20)
		}
	}
}
