package leak_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/activitypub/seal"
	"parley/instance/instancetest"
	"parley/social"
)

// driver plays a world: it chooses what happens by chance, does it, and keeps the model.
type driver struct {
	testing.TB
	*world
	ctx     context.Context
	street  street
	net     *instancetest.Network
	clock   *instancetest.Clock
	rng     *rand.Rand
	crew    []*member // of all places
	zonesMu sync.Mutex
	zones   map[[2]*place]string // last known
	texts   []*text
	groups  []*group
	made    int       // canaries
	fresh   []*canary // of what is just being written
	story   []string  // one line for each thing done
	files   []string  // addresses of files that no post has taken
	done    map[string]int

	stranger *place
	down     *place // a server that does not answer at the moment
}

var cast = []struct{ name, people string }{
	{"a", "alice anna"}, {"b", "bob beate"}, {"c", "carol"}, {"acme", "ada amos"}, {"globex", "gil"}, {"world", "wanda"},
}

// play begins a world in which nothing has happened yet; c is no sister so far.
func play(t testing.TB, mode string, seed uint64) *driver {
	t.Helper()
	d := &driver{TB: t, world: newWorld(mode), street: street{}, ctx: context.Background(), clock: instancetest.NewClock(),
		rng: rand.New(rand.NewPCG(seed, 0)), done: map[string]int{}, zones: map[[2]*place]string{}}
	wire := &instancetest.Wire{Look: d.look, Open: func(e *instancetest.Exchange) { d.street.open(d, e) }}
	d.live = d.liveZone
	d.net = instancetest.NewWith(t, len(cast), instancetest.Options{Wire: wire, Apart: true, Now: d.clock.Now, Log: slog.New(slog.DiscardHandler),
		Config: map[string]string{"federation.mode": mode}})
	for i, one := range cast {
		s := newSite(t, d.net, i, one.name, strings.Fields(one.people)...)
		s.street = d.street
		s.street[s.host()] = s
		p := &place{site: s, name: one.name, host: s.host(), rules: rules{usualFields, usualFields, true, true}}
		d.places, d.byHost[p.host] = append(d.places, p), p
		for name, who := range s.people {
			d.crew = append(d.crew, &member{place: p, person: who, name: name, uri: who.reader.Account.URI})
		}
	}
	d.sortCrew()
	for _, at := range d.places {
		for _, of := range d.places {
			if at != of {
				d.setZone(at, of, start(at.name, of.name))
			}
		}
	}
	d.places[2].late = true
	d.strange(wire)
	return d
}

// sortCrew undoes the chance that lies in a map.
func (d *driver) sortCrew() {
	names := map[string]int{}
	for i, one := range cast {
		for j, name := range strings.Fields(one.people) {
			names[name] = 10*i + j
		}
	}
	sorted := make([]*member, 0, len(d.crew))
	for n := range 10 * len(cast) {
		for _, m := range d.crew {
			if names[m.name] == n {
				sorted = append(sorted, m)
			}
		}
	}
	d.crew = sorted
}

// start is the zone in which a site begins at another one.
func start(at, of string) string {
	sister := at == "a" || at == "b"
	switch partner := of == "acme" || of == "globex"; {
	case sister && (of == "a" || of == "b"):
		return "company"
	case (sister || at == "c") && partner:
		return "partner:" + of
	case (at == "acme" || at == "globex") && (of == "a" || of == "b"):
		return "partner:customer"
	}
	return "public"
}

func (d *driver) setZone(at, of *place, z string) {
	d.Helper()
	zone, err := social.ParseZone(z)
	if err != nil {
		d.Fatal(err)
	}
	if z == "company" {
		if err := d.pairUp(at, of); err != nil {
			d.tell("zone of %s at %s stays: %v", of.name, at.name, err)
		}
		return
	}
	if err := at.in.Social.SetZone(d.ctx, of.host, zone, "test", "test"); err != nil {
		d.tell("zone of %s at %s stays: %v", of.name, at.name, err)
	}
}

// pairUp makes two places sisters as administrators do: what stood between them is
// lifted, whoever may invites.
func (d *driver) pairUp(a, b *place) error {
	if d.liveZone(a, b) == "company" && d.liveZone(b, a) == "company" {
		return nil
	}
	for _, pair := range [][2]*place{{a, b}, {b, a}} { // these fail where there is nothing to lift
		if z := d.liveZone(pair[0], pair[1]); z == "blocked" || strings.HasPrefix(z, "partner:") {
			_ = pair[0].in.Social.RemovePeer(d.ctx, pair[1].host, "test")
		}
		_ = pair[0].in.Social.Unveto(d.ctx, pair[1].host, "test")
	}
	code, err := a.in.Social.Invite(d.ctx, social.InviteRequest{Host: b.host})
	if err != nil {
		a, b = b, a
		code, err = a.in.Social.Invite(d.ctx, social.InviteRequest{Host: b.host})
	}
	if err == nil {
		_, err = b.in.Social.Accept(d.ctx, code.String(), social.Zone{}, nil, "test")
	}
	return err
}

// strange adds a server that nobody knows: it speaks just enough to be let in where
// anybody is, and keeps all it gets.
func (d *driver) strange(wire *instancetest.Wire) {
	pub, priv, err := instancetest.GenerateRSA()
	if err != nil {
		d.Fatal(err)
	}
	signer, err := httpsig.ParsePrivate(priv)
	if err != nil {
		d.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	host := server.Listener.Addr().String()
	id := "http://" + host + "/users/sly"
	server.Config.Handler = wire.Around(host)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the record is made by reading
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		w.Header().Set("Content-Type", documents)
		_ = json.NewEncoder(w).Encode(map[string]any{"@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "Person", "preferredUsername": "sly",
			"inbox": id + "/inbox", "outbox": id + "/outbox", "followers": id + "/followers",
			"publicKey": map[string]any{"id": id + "#main-key", "owner": id, "publicKeyPem": string(pub)}})
	}))
	server.Start()
	d.Cleanup(server.Close)
	d.stranger = &place{name: "stranger", host: host}
	d.byHost[host] = d.stranger
	sly := &person{site: &site{t: d, name: "stranger"}, key: httpsig.Key{ID: id + "#main-key", Private: signer}}
	d.crew = append(d.crew, &member{place: d.stranger, person: sly, name: "sly", uri: id})
}

// look judges everything that passes between servers and strangers. What members'
// own apps are told is judged where it is asked for.
func (d *driver) look(e *instancetest.Exchange) {
	if e.From == inside {
		return
	}
	d.passes(e.From, e.To, e.Method+" "+e.Target, e.Request(), true)
	d.passes(e.To, e.From, "the answer to "+e.Method+" "+e.Target, e.Response(), false)
	d.picture(e.To, e.From, "the picture "+e.Target, e.Answer)
}

// inside is what members' own apps and browsers call themselves.
const inside = "member"

// picture recognises a picture by its bytes.
func (d *driver) picture(from, to, what string, body []byte) {
	d.mu.Lock()
	word := d.sums[sha256.Sum256(body)]
	d.mu.Unlock()
	if word != "" {
		d.passes(from, to, what, []byte(word), false)
	}
}

// word makes a canary.
func (d *driver) word(c canary) string {
	d.made++
	c.word = fmt.Sprintf("%s%08s", mark, strconv.FormatInt(int64(d.made), 36))
	d.fresh = append(d.fresh, &c)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.canaries[c.word] = &c
	return c.word
}

// tell notes what is done.
func (d *driver) tell(format string, args ...any) {
	d.story = append(d.story, fmt.Sprintf("%d: ", len(d.story))+fmt.Sprintf(format, args...))
}

// about lists what was done that may explain a report.
func (d *driver) about(report string, n int) (lines []string) {
	for _, line := range d.story {
		if strings.Contains(line, "zone") || strings.Contains(line, "join") || strings.Contains(line, "leave") {
			lines = append(lines, line)
			continue
		}
		for _, post := range strings.Fields(report) {
			if _, err := strconv.Atoi(post); err == nil && strings.Contains(line+" ", "post "+post+" ") {
				lines = append(lines, line)
				break
			}
		}
	}
	return lines[max(0, len(lines)-n):]
}

// liveZone asks an instance where another one stands; one that is down says what it
// said last.
func (d *driver) liveZone(at, of *place) string {
	d.zonesMu.Lock()
	defer d.zonesMu.Unlock()
	both := [2]*place{at, of}
	if at != d.down && at.site != nil && at != of {
		z, err := at.in.Social.Zone(d.ctx, of.host)
		if err != nil {
			d.Errorf("the zone of %s at %s: %v", of.name, at.name, err)
		}
		if z.Kind == social.ZoneCompany && d.zones[both] != "company" {
			d.joined[both] = d.sinceWhen(at, of)
		}
		d.zones[both] = z.String()
	}
	return d.zones[both]
}

// sinceWhen is the day of joining that both sides agreed on; the roster that tells it
// may come later.
func (d *driver) sinceWhen(at, of *place) time.Time {
	list, err := at.in.Social.Pairings(d.ctx)
	if err != nil {
		d.Errorf("the pairings of %s: %v", at.name, err)
	}
	for _, p := range list {
		if p.Authority == of.host {
			return p.Since
		}
	}
	return d.clock.Now()
}

func (d *driver) allZones() map[[2]*place]string {
	all := map[[2]*place]string{}
	for _, at := range d.places {
		for _, of := range slices.Concat(d.places, []*place{d.stranger}) {
			all[[2]*place{at, of}] = d.liveZone(at, of)
		}
	}
	return all
}

// settle lets everything happen that waits.
func (d *driver) settle() {
	before := d.allZones()
	d.mu.Lock()
	d.before = before
	d.mu.Unlock()
	d.net.Settle()
	d.mu.Lock()
	d.before = nil
	d.mu.Unlock()
	d.allZones()
	// A follow that somebody took back counts until its home knows.
	for pair := range d.fading {
		if pair[1].place != d.down && !d.counts(pair[0], pair[1]) {
			delete(d.fading, pair)
			delete(d.follows, pair)
		}
	}
}

// ask is one request of somebody outside, judged as a whole server and as the person.
func (d *driver) ask(m *member, method, address, accept, agent string) {
	q := request(d, method, address, nil)
	q.Header.Set("Accept", accept)
	var open func([]byte) []byte
	if m != nil {
		var err error
		if open, err = m.person.signFor(q, d.clock.Now()); err != nil {
			d.Fatal(err)
		}
		agent = m.place.host
	}
	a := send(d, q, agent)
	if m == nil || a.status != http.StatusOK {
		return
	}
	if open != nil && a.header.Get("Content-Type") == seal.MediaType {
		a.body = open(a.body)
	}
	d.judge(m, address, a.body)
}

// judge holds what a person was given against what is for that person.
func (d *driver) judge(m *member, way string, body []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := d.words(body)
	if word := d.sums[sha256.Sum256(body)]; word != "" {
		found = map[string]bool{word: true}
	}
	for word := range found {
		c := d.canaries[word]
		if c == nil || c.home() == nil || !strings.Contains(way, c.home().host) {
			continue
		}
		if open, _ := d.may(c, nil, nil); open {
			continue // pages and the client API do not ask who signed
		}
		if ok, why := d.may(c, m.place, m); !ok {
			d.report(c, m.String(), "the answer to "+way, why)
		}
	}
}

// read is what a member is shown at home.
func (d *driver) read(m *member, path string) {
	q := request(d, "GET", m.in.Config.PublicURL+path, nil)
	q.Header.Set("Authorization", "Bearer "+m.person.token)
	a := send(d, q, inside)
	d.mu.Lock()
	defer d.mu.Unlock()
	for word := range d.words(a.body) {
		c := d.canaries[word]
		if c == nil {
			continue
		}
		if ok, why := d.shown(c, m); !ok {
			d.report(c, m.String(), path, why)
		}
	}
}

// shown says whether a member may be shown a canary by their own server.
func (d *driver) shown(c *canary, m *member) (bool, string) {
	if c.home() == m.place {
		if c.of != nil && c.of.author == m || c.entry != nil {
			return true, ""
		}
		return d.may(c, m.place, m)
	}
	if c.of == nil {
		return d.had[m.place.host][c.word], "it did not come rightly"
	}
	for _, b := range append([]bound{c.first}, c.of.ceilings...) {
		switch b.kind {
		case "direct":
			if !d.among(b.people, m.place, m) && c.of.author != m {
				return false, "it is for " + b.String()
			}
		case "followers":
			if !d.followed[[2]*member{m, b.of}] && m != b.of && !d.among(c.of.ever, m.place, m) && m != c.of.answers && c.of.author != m {
				return false, "it is for " + b.String()
			}
		case "group":
			if !d.followed[[2]*member{m, b.of}] && c.of.author != m {
				return false, "it is for " + b.String()
			}
		case "instance":
			return false, "it is for " + b.String()
		}
	}
	if d.had[m.place.host][c.word] {
		return true, ""
	}
	return d.could(c, m.place)
}

// upload brings a file of a kind with a canary in it, and in its name and description.
func (d *driver) upload(m *member, p *text) (social.ID, error) {
	name := d.word(canary{of: p, owner: m, what: "name of a file"})
	said := d.word(canary{of: p, owner: m, what: "description of a file"})
	inner := d.word(canary{of: p, owner: m, what: "bytes of a file"})
	up := social.Upload{Name: name + ".txt", Description: said, Body: strings.NewReader(inner)}
	isPicture := d.rng.IntN(3) == 0
	if isPicture {
		up.Name, up.Body = name+".png", bytes.NewReader(drawn(d, d.made))
	}
	media, err := m.in.Social.Upload(d.ctx, m.person.reader, up)
	if err != nil {
		return 0, err
	}
	for _, small := range []bool{false, true} {
		address := m.in.Social.Links.Media(media.ID, small)
		if p != nil {
			p.files = append(p.files, address)
		} else {
			d.files = append(d.files, address)
		}
		if !isPicture {
			continue
		}
		f, _, err := m.in.Social.OpenMedia(d.ctx, m.person.reader, media.ID, small)
		if err != nil {
			return 0, err
		}
		b, err := io.ReadAll(f)
		_ = f.Close()
		if err != nil {
			return 0, err
		}
		d.mu.Lock()
		d.sums[sha256.Sum256(b)] = inner
		d.mu.Unlock()
	}
	return media.ID, nil
}

// counts says whether a follow still stands where the one followed is at home.
func (d *driver) counts(follower, target *member) (yes bool) {
	err := target.in.DB.View(d.ctx, func(tx social.Tx) error {
		a, err := tx.AccountByURI(d.ctx, follower.uri)
		if err != nil {
			return err
		}
		t, err := tx.AccountByURI(d.ctx, target.uri)
		if err != nil {
			return err
		}
		_, err = tx.Follow(d.ctx, a.ID, t.ID)
		yes = err == nil
		return err
	})
	if err != nil && social.KindOf(err) != social.NotFound {
		d.Fatal(err)
	}
	return yes
}

// say posts an activity of the stranger to a member's server.
func (d *driver) say(from, to *member, activity map[string]any) {
	body, err := json.Marshal(activity)
	if err != nil {
		d.Fatal(err)
	}
	q := request(d, "POST", to.in.Config.PublicURL+"/inbox", body)
	q.Header.Set("Content-Type", documents)
	if err := httpsig.Sign(q, body, from.person.key, httpsig.Cavage, d.clock.Now()); err != nil {
		d.Fatal(err)
	}
	d.tell("the stranger says %s of %s: %d", activity["type"], to, send(d, q, from.place.host).status)
}

func (d *driver) pick(n int) int { return d.rng.IntN(n) }

func (d *driver) chance(percent int) bool { return d.rng.IntN(100) < percent }

// advance lets time pass, so that what failed is tried again.
func (d *driver) advance() {
	t := time.Duration(1+d.rng.IntN(120)) * time.Minute
	d.tell("time passes: %s", t)
	d.clock.Advance(t)
}
