package leak_test

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"strings"

	"parley/social"
)

// ear is an open stream of a person, and what it has said up to the end.
type ear struct {
	who, stream string
	body        *http.Response
	said        []byte
}

// endOf is in the last post that a stream is to show.
const endOf = "endofstream"

// listen opens the streams of everybody, before anything is written.
func (b *board) listen() (ears []*ear) {
	b.Helper()
	for _, name := range b.everybody() {
		for _, stream := range []string{"public", "direct"} {
			p := b.person(name)
			ctx, cancel := context.WithCancel(context.Background())
			b.Cleanup(cancel)
			q := request(b, "GET", p.in.Config.PublicURL+"/api/v1/streaming/"+stream, nil).WithContext(ctx)
			q.Header.Set("Authorization", "Bearer "+p.token)
			res, err := http.DefaultTransport.RoundTrip(q)
			if err != nil || res.StatusCode != http.StatusOK {
				b.Fatal(err, res)
			}
			b.Cleanup(func() { _ = res.Body.Close() })
			ears = append(ears, &ear{who: name, stream: stream, body: res})
		}
	}
	return ears
}

// checkStreams lets every stream end with something of its own server, and compares
// what it said with the table: the lists of everybody, and what is for people named.
func (b *board) checkStreams(ears []*ear) {
	b.Helper()
	for _, name := range b.everybody() {
		p := b.person(name)
		for _, audience := range []string{"instance", "direct"} {
			if _, err := p.in.Social.Publish(b.Context(), p.reader, social.Draft{Text: endOf + name, Audience: audience}); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, e := range ears {
		lines := bufio.NewScanner(e.body.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() && !bytes.Contains(lines.Bytes(), []byte(endOf+e.who)) {
			e.said = append(e.said, lines.Bytes()...)
		}
		if err := lines.Err(); err != nil {
			b.Fatal(err)
		}
		for audience, l := range b.letter {
			got := bytes.Contains(e.said, l.canaries[0])
			switch {
			case e.stream == "direct" && audience == "direct", e.stream == "public" && listed(audience):
				b.same(l, e.who, "stream "+e.stream, got)
			case got:
				b.Errorf("%s by the stream %s of %s", audience, e.stream, e.who)
			}
		}
	}
}

// listed says that the public timelines hold an audience.
func listed(audience string) bool {
	return audience == "instance" || audience == "company" || audience == "public" || strings.HasPrefix(audience, "partner:")
}

// checkFeed reads alice's feed as a feed reader does.
func (b *board) checkFeed() {
	b.Helper()
	got := crawl(b, b.alice.in.Config.PublicURL+"/@alice.atom", "application/atom+xml")
	for _, l := range b.letter {
		b.same(l, nobody, "the feed", bytes.Contains(got.body, l.canaries[0]))
	}
}
