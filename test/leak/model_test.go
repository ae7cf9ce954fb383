package leak_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// This file is what DESIGN section 4 says about who may have what, written anew: it
// asks nothing of social, whose answers it is to judge.

// place is a server, or somebody outside without one.
type place struct {
	*site // nil for strangers and those without a server
	name  string
	host  string // as the wire names it
	late  bool   // has not joined yet, or has left
	rules rules
}

// member is a person of a place.
type member struct {
	*place
	person    *person // nil for a stranger
	name, uri string
	suspended bool
	deleted   bool
	entry     map[string]*entry // in the directory, by field
}

func (m *member) String() string { return m.name + "@" + m.place.name }

// bound is one condition that a reader must meet.
type bound struct {
	kind   string // direct, followers, group, instance, company, partner, public
	zone   string // of partner
	owner  *place
	of     *member   // whose followers
	people []*member // of direct
	group  *group
}

func (b bound) String() string {
	switch b.kind {
	case "partner":
		return b.owner.name + "'s partner:" + b.zone
	case "followers":
		return "followers of " + b.of.String()
	case "group":
		return "group " + b.group.String()
	case "direct":
		return fmt.Sprint("direct ", b.people)
	case "public", "unlisted":
		return b.kind
	}
	return b.owner.name + "'s " + b.kind
}

func (b bound) open() bool { return b.kind == "public" || b.kind == "unlisted" }

// text is a post in the model.
type text struct {
	n        int
	at       time.Time
	uri, url string
	id       string
	home     *place
	author   *member
	audience bound
	was      []bound // audiences before it was narrowed
	ceilings []bound
	named    []*member
	ever     []*member // named in any version
	answers  *member   // whom it replies to
	deleted  bool
	poll     bool
	version  int
	files    []string
	numbered []string // addresses of its activities
}

// bounds are the ceilings of what answers, quotes or boosts the text.
func (p *text) bounds() []bound {
	if len(p.ceilings) > 0 {
		return p.ceilings
	}
	if p.audience.open() {
		return nil
	}
	return []bound{p.audience}
}

// canary is a word that stands in one place only.
type canary struct {
	word  string
	of    *text   // nil for what stands in no post
	owner *member // of a file that no post has taken yet, or of an entry
	entry *entry  // of the directory
	first bound   // the audience when it was written
	what  string
}

// world is the model with the record of what was seen where.
type world struct {
	mode     string
	places   []*place
	byHost   map[string]*place
	canaries map[string]*canary
	sums     map[[32]byte]string // of pictures as they are sent

	follows  map[[2]*member]bool // may count at the home of the one followed
	fading   map[[2]*member]bool // of those, taken back by the follower
	followed map[[2]*member]bool // counted once
	blocks   map[[2]*member]bool // by the first of the second

	live      func(at, of *place) string
	joined    map[[2]*place]time.Time // since when a place is a sister of another one
	hadPost   map[string]map[*text]bool
	before    map[[2]*place]string // zones when the present settling began
	looksBack bool

	mu   sync.Mutex
	had  map[string]map[string]bool // place -> words that came rightly
	bad  []string
	seen int // canaries found where they may be
}

func newWorld(mode string) *world {
	return &world{mode: mode, byHost: map[string]*place{}, canaries: map[string]*canary{}, sums: map[[32]byte]string{},
		follows: map[[2]*member]bool{}, fading: map[[2]*member]bool{}, followed: map[[2]*member]bool{}, blocks: map[[2]*member]bool{}, had: map[string]map[string]bool{}, joined: map[[2]*place]time.Time{}, hadPost: map[string]map[*text]bool{}}
}

// zone is where a place stands at another one now. What administrators decided is asked
// of the instance itself: pairings and rosters move by messages too.
func (w *world) zone(at, of *place) string {
	if at == of {
		return "company"
	}
	if w.looksBack {
		return w.before[[2]*place{at, of}]
	}
	return w.live(at, of)
}

// twice judges by the zones as they are and, while messages that may change them are
// under way, as they were when that began.
func (w *world) twice(judge func() (bool, string)) (ok bool, why string) {
	if ok, why = judge(); ok || w.before == nil {
		return ok, why
	}
	w.looksBack = true
	defer func() { w.looksBack = false }()
	if was, _ := judge(); was {
		return true, ""
	}
	return false, why
}

// admits says whether a place as a whole, or with m a person there, meets a condition
// of a text now.
func (w *world) admits(b bound, p *text, at *place, m *member) bool {
	if b.open() || at == b.owner && b.kind != "direct" && (m == nil || b.kind != "followers" && b.kind != "group") {
		return true
	}
	switch b.kind {
	case "company":
		return w.zone(b.owner, at) == "company" && w.since(b.owner, at, p)
	case "partner":
		z := w.zone(b.owner, at)
		return z == "company" && w.since(b.owner, at, p) || z == "partner:"+b.zone
	case "direct":
		return w.among(b.people, at, m)
	case "group":
		return w.inGroup(b.group, p, at, m)
	case "followers":
		if m == b.of && m != nil || m != nil && m == p.author {
			return true
		}
		for pair := range w.follows {
			if pair[1] == b.of && w.mayFollow(pair[0], b.of) && (m == nil && pair[0].place == at || m != nil && pair[0] == m) {
				return true
			}
		}
		if p.author == b.of {
			return w.among(p.named, at, m)
		}
		return p.answers != nil && w.among([]*member{p.answers}, at, m)
	}
	return false // instance
}

// since says that a text was written after a sister joined, or that it has it anyway.
func (w *world) since(owner, at *place, p *text) bool {
	return !p.at.Before(w.joined[[2]*place{owner, at}]) || w.hadPost[at.host][p]
}

// mayFollow says that the policy of somebody's server lets people of another one's zone
// follow.
func (w *world) mayFollow(follower, target *member) bool {
	switch z := w.zone(target.place, follower.place); {
	case strings.HasPrefix(z, "partner:"):
		return target.rules.partnersFollow
	case z == "public":
		return target.rules.everybodyFollow
	}
	return true
}

func (w *world) among(people []*member, at *place, m *member) bool {
	return slices.ContainsFunc(people, func(one *member) bool { return m == nil && one.place == at || m != nil && one == m })
}

// may says whether a place, or a person there, may be given a canary at this moment by
// the server where the text is at home; nil is nobody in particular.
func (w *world) may(c *canary, at *place, m *member) (bool, string) {
	p := c.of
	switch {
	case c.entry != nil:
		return w.lets(c, at)
	case p == nil:
		return m != nil && m == c.owner, "no post has taken it"
	case p.deleted || p.author.deleted:
		return false, "it was deleted"
	case p.author.suspended:
		return false, "its author is suspended"
	case m != nil && w.blocks[[2]*member{p.author, m}]:
		return false, "its author blocks them"
	}
	return w.meets(append([]bound{p.audience}, p.ceilings...), p, at, m)
}

func (w *world) meets(bounds []bound, p *text, at *place, m *member) (bool, string) {
	for _, b := range bounds {
		if b.open() || at == p.home && (m == nil || b.kind == "company" || b.kind == "partner") {
			continue
		}
		if at == nil || w.zone(b.owner, at) == "blocked" || !w.admits(b, p, at, m) {
			return false, "it is for " + b.String()
		}
	}
	return true, ""
}

// could says whether a place may have a canary of a server where the text is not at
// home, which may not know yet that it was edited, narrowed or deleted.
func (w *world) could(c *canary, at *place) (bool, string) {
	if c.entry != nil {
		return w.may(c, at, nil)
	}
	if c.of == nil {
		return false, "no post has taken it"
	}
	if ok, _ := w.meets(append([]bound{c.first}, c.of.ceilings...), c.of, at, nil); ok {
		return true, ""
	}
	return w.meets(append([]bound{c.of.audience}, c.of.ceilings...), c.of, at, nil)
}

// passes judges bytes that went from a sender to a receiver. What was sent, not asked
// for, does not go to a blocked server at all.
func (w *world) passes(from, to string, what string, b []byte, sent bool) {
	sender, receiver := w.byHost[from], w.byHost[to]
	w.mu.Lock()
	defer w.mu.Unlock()
	for word := range w.words(b) {
		c := w.canaries[word]
		if c == nil {
			continue // asked for by chance
		}
		home := c.home()
		if receiver == home && receiver != nil {
			continue
		}
		ok, why := w.twice(func() (bool, string) {
			switch {
			case sent && sender != nil && receiver != nil && w.zone(sender, receiver) == "blocked":
				return false, "the server is blocked"
			case sender == home:
				return w.may(c, receiver, nil)
			case w.had[to][word] && (sender == nil || c.of == nil || sender != c.of.audience.owner):
				return true, ""
			}
			return w.could(c, receiver)
		})
		if !ok {
			w.report(c, to, what, why)
			continue
		}
		if w.had[to] == nil {
			w.had[to] = map[string]bool{}
		}
		w.had[to][word] = true
		if c.of != nil {
			if w.hadPost[to] == nil {
				w.hadPost[to] = map[*text]bool{}
			}
			w.hadPost[to][c.of] = true
		}
		w.seen++
	}
}

func (c *canary) home() *place {
	if c.of == nil {
		return c.owner.place
	}
	return c.of.home
}

func (w *world) report(c *canary, to, what, why string) {
	of := "what is of " + fmt.Sprint(c.owner)
	if c.entry != nil {
		of += fmt.Sprintf(" for %s", c.entry.reach)
	}
	if c.of != nil {
		of = fmt.Sprintf("post %d by %s for %s under %v", c.of.n, c.of.author, c.of.audience, c.of.ceilings)
	}
	if p := w.byHost[to]; p != nil {
		to = p.name
	}
	w.bad = append(w.bad, fmt.Sprintf("%s (%s of %s) reached %s by %s, but %s", c.word, c.what, of, to, what, why))
}

// mark begins a canary; the rest has a fixed length, so that no search needs a pattern.
const (
	mark    = "zqc"
	wordLen = len(mark) + 8
)

// words finds the canaries in some bytes.
func (w *world) words(b []byte) map[string]bool {
	var found map[string]bool
	add := func(word string) {
		if found == nil {
			found = map[string]bool{}
		}
		found[word] = true
	}
	s := string(b)
	for {
		i := strings.Index(s, mark)
		if i < 0 {
			return found
		}
		if s = s[i:]; len(s) >= wordLen {
			add(s[:wordLen])
		}
		s = s[len(mark):]
	}
}
