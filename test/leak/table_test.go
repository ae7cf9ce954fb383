package leak_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

// board is DESIGN's table of audiences, played by people: alice of a writes, a and b are
// sisters, acme and globex partners, world is anybody.
type board struct {
	*testing.T
	net    *instancetest.Network
	wire   *instancetest.Wire
	street street
	sites  []*site
	alice  *person
	letter map[string]*letter // by audience
}

// letter is one post with all that must not be known of it where it is not for.
type letter struct {
	audience string
	post     *social.Post
	readers  []string // names of those who may see it
	pictures []string // addresses of its files
	canaries [][]byte
}

// nobody is a reader without a name.
const nobody = "nobody"

func newBoard(t *testing.T, mode string) *board {
	t.Helper()
	return newStage(t, instancetest.Options{Config: map[string]string{"federation.mode": mode}}, "a alice anna", "b bob beate", "acme ada amos", "globex gil gwen", "world wanda will")
}

// newStage is a board with fewer people: each text names a site and who is there. The
// first of each other site follows alice.
func newStage(t *testing.T, o instancetest.Options, sites ...string) *board {
	t.Helper()
	b := &board{T: t, street: street{}, letter: map[string]*letter{}}
	b.wire = &instancetest.Wire{Open: func(e *instancetest.Exchange) { b.street.open(b, e) }}
	o.Wire, o.Apart = b.wire, true
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	b.net = instancetest.NewWith(t, len(sites), o)
	for i, one := range sites {
		names := strings.Fields(one)
		s := newSite(t, b.net, i, names[0], names[1:]...)
		s.street = b.street
		s.street[s.host()] = s
		b.sites = append(b.sites, s)
	}
	for _, one := range b.sites {
		for _, other := range b.sites {
			if one != other {
				zone, err := social.ParseZone(start(one.name, other.name))
				if err != nil {
					t.Fatal(err)
				}
				b.net.Zone(one.in, other.in, zone)
			}
		}
	}
	b.alice = b.sites[0].people["alice"]
	for i, s := range b.sites[1:] {
		s.people[strings.Fields(sites[i+1])[1]].follow(b.net, b.alice)
	}
	return b
}

func (b *board) person(name string) *person {
	b.Helper()
	for _, s := range b.sites {
		if p := s.people[name]; p != nil {
			return p
		}
	}
	b.Fatalf("nobody is called %s", name)
	return nil
}

func (b *board) everybody() (list []string) {
	for _, s := range b.sites {
		for name := range s.people {
			list = append(list, name)
		}
	}
	return list
}

// table is who may see what alice writes for whom (DESIGN, section 4).
func table() map[string][]string {
	company := []string{"alice", "anna", "bob", "beate"}
	all := append(slices.Clone(company), "ada", "amos", "gil", "gwen", "wanda", "will", nobody)
	return map[string][]string{
		"direct":         {"alice", "bob", "ada"},
		"followers":      {"alice", "bob", "ada", "gil", "wanda"},
		"instance":       {"alice", "anna"},
		"company":        company,
		"partner:acme":   append(slices.Clone(company), "ada", "amos"),
		"partner:globex": append(slices.Clone(company), "gil", "gwen"),
		"unlisted":       all,
		"public":         all,
	}
}

// drawn is a picture of its own: no two numbers give the same bytes.
func drawn(t testing.TB, n int) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 8*32, 8)) // a bar for each bit, wide enough for JPEG
	for x := range 8 * 32 {
		for y := range 8 {
			m.SetGray(x, y, color.Gray{Y: uint8(255 * (n >> (x / 8) & 1))})
		}
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, m); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// write posts one letter for each audience.
func (b *board) write() {
	b.Helper()
	n := 0
	for audience, readers := range table() {
		n++
		word := "canary" + strings.NewReplacer(":", "").Replace(audience) + "yranac"
		l := &letter{audience: audience, readers: readers, canaries: [][]byte{[]byte(word)}}
		text := word + " in the text"
		if audience == "direct" {
			text += " for " + b.handle("bob") + " and " + b.handle("ada")
		}
		var ids []social.ID
		for _, up := range []social.Upload{
			{Body: bytes.NewReader(drawn(b, n)), Name: word + ".png", Description: word + " in the description"},
			{Body: strings.NewReader(word + " in the file"), Name: word + ".txt"},
		} {
			m, err := b.alice.in.Social.Upload(b.Context(), b.alice.reader, up)
			if err != nil {
				b.Fatal(err)
			}
			ids = append(ids, m.ID)
			l.pictures = append(l.pictures, b.alice.in.Social.Links.Media(m.ID, false), b.alice.in.Social.Links.Media(m.ID, true))
		}
		v, err := b.alice.in.Social.Publish(b.Context(), b.alice.reader, social.Draft{Text: text, Summary: word + " above", Audience: audience, MediaIDs: ids})
		if err != nil {
			b.Fatal(err)
		}
		l.post = v.Post
		b.letter[audience] = l
	}
	b.net.Settle()
}

func (b *board) handle(name string) string {
	p := b.person(name)
	return instancetest.Handle(p.in, p.reader)
}

// same demands that a reader gets a letter in some way if and only if it is for them.
func (b *board) same(l *letter, who, way string, got bool) {
	b.Helper()
	if want := slices.Contains(l.readers, who); got != want {
		b.Errorf("%s, %s by %s: got it %v, want %v", l.audience, way, who, got, want)
	}
}

// Done when (1): one post for each audience; each reader sees exactly what the table
// says, in the client API, by streams and the feed, by ActivityPub and by the files'
// addresses, whoever signs;
// and no server was sent a byte of what is not for it.
func TestEachReaderSeesExactlyTheTable(t *testing.T) {
	for _, mode := range []string{"allowlist", "open"} {
		t.Run(mode, func(t *testing.T) {
			b := newBoard(t, mode)
			ears := b.listen()
			b.write()
			b.noticePictures()
			b.checkWire("after sending")
			b.checkStreams(ears)
			b.checkFeed()
			b.checkAPI()
			b.checkDocuments()
			b.checkFiles()
			b.checkWire("after all asked for everything")
		})
	}
}

// noticePictures adds to the canaries the bytes of pictures as they are sent, which
// are not those that were uploaded.
func (b *board) noticePictures() {
	for _, l := range b.letter {
		n := 0
		for _, address := range b.attachments(b.alice, l) {
			if a := b.alice.call("GET", address, nil); a.status == 200 && strings.HasPrefix(a.header.Get("Content-Type"), "image/") {
				l.canaries = append(l.canaries, a.body)
				n++
			}
		}
		if n != 2 {
			b.Fatalf("%s: %d pictures", l.audience, n)
		}
	}
}

// attachments are the addresses that an app is given for a post's files.
func (b *board) attachments(p *person, l *letter) (list []string) {
	var found struct {
		Statuses []struct {
			Media []struct {
				URL     string `json:"url"`
				Preview string `json:"preview_url"`
			} `json:"media_attachments"`
		}
	}
	p.call("GET", "/api/v2/search?type=statuses&q="+url.QueryEscape(l.post.URI), nil).into(b, &found)
	for _, s := range found.Statuses {
		for _, m := range s.Media {
			list = append(list, m.URL)
			if m.Preview != "" {
				list = append(list, m.Preview)
			}
		}
	}
	return list
}

func (b *board) checkAPI() {
	b.Helper()
	for _, name := range b.everybody() {
		p := b.person(name)
		shown := b.lists(p)
		for _, l := range b.letter {
			var found struct{ Statuses []struct{ ID string } }
			p.call("GET", "/api/v2/search?resolve=true&type=statuses&q="+url.QueryEscape(l.post.URI), nil).into(b, &found)
			b.same(l, name, "search for the address", len(found.Statuses) == 1)
			if id, stored := b.stored(p.site, l); stored {
				for _, tail := range []string{"", "/context", "/history", "/favourited_by"} {
					b.same(l, name, "status by id"+tail, p.call("GET", "/api/v1/statuses/"+id+tail, nil).status == 200)
				}
			} else {
				b.same(l, name, "being stored at all", false)
			}
			b.same(l, name, "the account's statuses", bytes.Contains(shown, l.canaries[0]))
			files := b.attachments(p, l)
			b.same(l, name, "the list of files", len(files) > 0)
			for _, file := range files {
				b.same(l, name, "file "+file, p.call("GET", file, nil).status == 200)
			}
		}
	}
	for _, s := range b.sites {
		for _, path := range []string{"/api/v1/timelines/public", "/api/v1/timelines/tag/x", "/public", "/", "/@alice", "/@alice@" + b.alice.host()} {
			got := crawl(b, s.in.Config.PublicURL+path, pages)
			for _, l := range b.letter {
				if bytes.Contains(got.body, l.canaries[0]) {
					b.same(l, nobody, s.name+path, true)
				}
			}
		}
	}
}

// lists reads every list that alice's posts may stand in; what is in one is shown by
// her account's too.
func (b *board) lists(p *person) []byte {
	b.Helper()
	var account struct{ ID string }
	p.call("GET", "/api/v1/accounts/lookup?acct=alice@"+b.alice.host(), nil).into(b, &account)
	statuses := p.call("GET", "/api/v1/accounts/"+account.ID+"/statuses?limit=40", nil)
	for _, path := range []string{"/api/v1/timelines/home", "/api/v1/timelines/public", "/api/v1/timelines/public?local=true",
		"/api/v1/notifications", "/api/v2/search?q=canary"} {
		a := p.call("GET", path, nil)
		if a.status != 200 {
			b.Errorf("%s: %d", path, a.status)
		}
		for _, l := range b.letter {
			if bytes.Contains(a.body, l.canaries[0]) && !bytes.Contains(statuses.body, l.canaries[0]) {
				b.same(l, p.reader.Account.Username, path, true)
			}
		}
	}
	return statuses.body
}

// stored is the id that a site gave to a letter, if it has it.
func (b *board) stored(s *site, l *letter) (id string, ok bool) {
	b.Helper()
	err := s.in.DB.View(b.Context(), func(tx social.Tx) error {
		p, err := tx.PostByURI(b.Context(), l.post.URI)
		if err == nil {
			id = p.ID.String()
		}
		return err
	})
	if err != nil && social.KindOf(err) != social.NotFound {
		b.Fatal(err)
	}
	return id, err == nil
}

// whole says whether a server as such, which signs for all its members, is given a
// letter: where all of its members may read it.
func whole(l *letter, s *site) bool {
	for name := range s.people {
		if !slices.Contains(l.readers, name) {
			return false
		}
	}
	return true
}

func (b *board) checkDocuments() {
	b.Helper()
	for _, l := range b.letter {
		addresses := []string{l.post.URI, l.post.URI + "/activity", l.post.URI + "/replies",
			b.alice.in.Config.PublicURL + "/contexts/" + l.post.ID.String(), b.alice.in.Config.PublicURL + "/@alice/" + l.post.ID.String()}
		for _, address := range addresses {
			for _, s := range b.sites[1:] {
				for name, p := range s.people {
					b.same(l, name, address, p.fetch(address).status == 200)
				}
				if got := s.speaker().fetch(address).status == 200; got != whole(l, s) {
					b.Errorf("%s, %s by the instance %s: got it %v", l.audience, address, s.name, got)
				}
			}
			b.same(l, nobody, address, crawl(b, address, documents).status == 200)
		}
		for _, page := range []string{l.post.URI, l.post.URL} {
			b.same(l, nobody, "page "+page, crawl(b, page, pages).status == 200)
		}
	}
	outbox := b.alice.reader.Account.OutboxURI + "?page=true"
	for _, s := range b.sites[1:] {
		for name, p := range s.people {
			got := p.fetch(outbox)
			for _, l := range b.letter {
				b.same(l, name, "outbox", bytes.Contains(got.body, l.canaries[0]))
			}
		}
	}
	got := crawl(b, outbox, documents)
	for _, l := range b.letter {
		b.same(l, nobody, "outbox", bytes.Contains(got.body, l.canaries[0]))
	}
}

func (b *board) checkFiles() {
	b.Helper()
	for _, l := range b.letter {
		for _, address := range l.pictures {
			for _, s := range b.sites[1:] {
				for name, p := range s.people {
					b.same(l, name, address, p.fetch(address).status == 200)
				}
			}
			b.same(l, nobody, address, crawl(b, address, "*/*").status == 200)
		}
	}
}

// checkWire searches all that each server was sent or fetched for what is for nobody there.
func (b *board) checkWire(when string) {
	b.Helper()
	receivers := []string{"crawler"}
	may := map[string]func(l *letter) bool{"crawler": func(l *letter) bool { return slices.Contains(l.readers, nobody) }}
	for _, s := range b.sites[1:] {
		receivers = append(receivers, s.host())
		may[s.host()] = func(l *letter) bool {
			for name := range s.people {
				if slices.Contains(l.readers, name) {
					return true
				}
			}
			return false
		}
	}
	found := 0
	for _, to := range receivers {
		seen := b.wire.Seen(to)
		for _, l := range b.letter {
			for _, canary := range l.canaries {
				if !bytes.Contains(seen, canary) {
					continue
				}
				if found++; !may[to](l) {
					b.Errorf("%s: the wire to %s holds %.40q of a post for %s", when, to, canary, l.audience)
				}
			}
		}
	}
	if found < 10 {
		b.Errorf("%s: only %d canaries are found where they may be: the record is not whole (%s)", when, found, fmt.Sprint(receivers))
	}
}
