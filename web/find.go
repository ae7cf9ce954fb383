package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"parley/social"
)

// findPage is the search for people, communities, posts, and hashtags.
type findPage struct {
	*frame
	Query  field
	Kind   field   // of what alone is sought
	Narrow []field // the filters as fields; they can be typed too
	Opened bool    // one of them is filled
	Asked  bool
	People []person
	Groups []community
	Posts  []card
	Tags   []string
	Topics []social.Topic
	More   map[string]string // addresses of further people, communities and topics
	Older  string            // address of older posts; "" at the end
}

func (findPage) file() string { return "find.html" }

// Nothing says that a search had no result.
func (f findPage) Nothing() bool {
	return f.Asked && f.Problem == "" && f.Older == "" && len(f.People)+len(f.Groups)+len(f.Posts)+len(f.Tags)+len(f.Topics) == 0
}

// findKinds are what can be sought alone, as the search calls them.
var findKinds = map[string]string{"posts": "statuses", "people": "people", "groups": "groups", "topics": "topics"}

// sought is what was typed, with the fields below it in the same words.
func (d *findPage) sought(q url.Values) string {
	parts := []string{strings.TrimSpace(q.Get("q"))}
	for i, f := range d.Narrow {
		value := strings.TrimSpace(q.Get(f.Name))
		if value == "" {
			continue
		}
		d.Opened, d.Narrow[i].Value, d.Narrow[i].Checked = true, value, true
		d.Narrow[i].choose(value)
		if strings.ContainsAny(value, " \"") {
			value = `"` + strings.ReplaceAll(value, `"`, "") + `"`
		}
		parts = append([]string{f.Name + ":" + value}, parts...)
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

func (w *Web) find(p *page) error {
	query := p.r.URL.Query()
	at, err := w.places(p)
	if err != nil {
		return err
	}
	d := findPage{frame: p.titled("find"), Query: field{Name: "q", Label: p.T("find_label"), Hint: p.T("find_hint"), Kind: "search", Value: strings.TrimSpace(query.Get("q")), MaxLength: 500},
		Kind: field{Name: "kind", Label: p.T("find_kind"), Kind: "select", Options: []option{{Label: p.T("find_all")}, {Value: "posts", Label: p.T("posts")},
			{Value: "people", Label: p.T("found_people")}, {Value: "groups", Label: p.T("groups")}, {Value: "topics", Label: p.T("topics")}}},
		Narrow: []field{at, {Name: "from", Label: p.T("find_from"), Kind: "text", MaxLength: 200}, {Name: "in", Label: p.T("find_in"), Kind: "text", MaxLength: 200},
			{Name: "after", Label: p.T("find_after"), Kind: "date"}, {Name: "before", Label: p.T("find_before"), Kind: "date"},
			{Name: "has", Label: p.T("find_has"), Kind: "select", Options: []option{{Label: p.T("find_has_any")}, {Value: "file", Label: p.T("find_has_file")}, {Value: "poll", Label: p.T("poll")}, {Value: "question", Label: p.T("asks")}}}},
		More: map[string]string{}}
	d.Kind.choose(query.Get("kind"))
	q := d.sought(query)
	d.Asked, d.Query.Focus = q != "" || query.Get("kind") == "topics", q == ""
	if err := w.search(p, &d, q); err != nil {
		return err
	}
	return w.show(p, http.StatusOK, d)
}

// places is the choice of where what is sought was written or is at home: our own company,
// all of the group, a partner, outside, or one server.
func (w *Web) places(p *page) (field, error) {
	f := field{Name: "at", Label: p.T("find_at"), Kind: "select", Options: []option{{Label: p.T("find_anywhere")}, {Value: "here", Label: p.Org.Name}}}
	peers, err := w.Social.Peers(p.ctx())
	if err != nil {
		return f, err
	}
	var hosts, partners []option
	group := false
	for _, peer := range peers {
		switch peer.Zone.Kind {
		case social.ZoneCompany:
			group = true
		case social.ZonePartner:
			one := option{Value: "partner:" + peer.Zone.Name, Label: p.T("find_partner", p.Org.Partner(peer.Zone.Name))}
			if !slices.Contains(partners, one) {
				partners = append(partners, one)
			}
		case social.ZonePublic:
		default:
			continue
		}
		hosts = append(hosts, option{Value: peer.Authority, Label: p.NameOf(peer.Authority)})
	}
	if group {
		f.Options = append(f.Options, option{Value: "group", Label: p.audience(social.AudienceCompany, "")})
	}
	f.Options = append(append(f.Options, partners...), option{Value: "outside", Label: p.T("find_outside")})
	f.Options = append(f.Options, hosts[:min(len(hosts), placesListed)]...)
	return f, nil
}

// placesListed bounds how many servers can be chosen; any other can be typed.
const placesListed = 200

// fewGroups is how many communities stand among other things that were found.
const fewGroups = 5

// search fills the page with what was found of the kinds asked for. A whole handle or an
// address stands for one thing; the reason why a handle is not found reaches the person who
// asks.
func (w *Web) search(p *page, d *findPage, q string) error {
	query := p.r.URL.Query()
	if handle := strings.TrimPrefix(q, "@"); strings.Contains(handle, "@") && !strings.ContainsAny(handle, " /:") {
		a, err := w.Social.FindHandle(p.ctx(), p.reader, handle)
		switch kind := social.KindOf(err); {
		case err == nil:
			return w.sort(p, d, []*social.Account{a})
		case kind == social.NotFound:
			return nil
		case kind == social.Internal:
			return err
		}
		d.refuse(p.say(err))
		return nil
	}
	if strings.HasPrefix(q, "https://") || strings.HasPrefix(q, "http://") {
		res, err := w.Social.Search(p.ctx(), p.reader, q, social.SearchOptions{Resolve: true})
		if err != nil {
			return d.mend(p, err)
		}
		d.Posts = p.Cards(res.Posts)
		return w.sort(p, d, res.Accounts)
	}
	if kind := findKinds[query.Get("kind")]; kind != "" {
		return d.mend(p, w.searchKind(p, d, q, kind, pageSize))
	}
	some := []string{"people", "groups", "hashtags", "statuses"}
	if p.cursor().Max != 0 {
		some = some[3:]
	}
	for _, kind := range some {
		limit := pageSize
		if kind == "groups" {
			limit = fewGroups
		}
		if err := w.searchKind(p, d, q, kind, limit); err != nil {
			return d.mend(p, err)
		}
	}
	return nil
}

func (w *Web) searchKind(p *page, d *findPage, q, kind string, limit int) error {
	query := p.r.URL.Query()
	var ends social.Ends
	o := social.SearchOptions{Type: kind, Resolve: true, Posts: p.cursor(), Limit: limit}
	o.Posts.Ends = &ends
	if query.Get("kind") != "" && kind != "statuses" {
		o.Offset = p.skip("skip")
	}
	if q == "" && kind == "topics" {
		q = "#"
	}
	res, err := w.Social.Search(p.ctx(), p.reader, q, o)
	if err != nil {
		return err
	}
	d.Posts, d.Tags, d.Topics = append(d.Posts, p.Cards(res.Posts)...), append(d.Tags, res.Tags...), res.Topics
	if res.More {
		query.Set("kind", kind)
		query.Set("skip", strconv.Itoa(o.Offset+limit))
		d.More[kind] = "/find?" + query.Encode()
	}
	if ends.Older != 0 {
		query.Set("older", ends.Older.String())
		d.Older = "/find?" + query.Encode()
	}
	return w.sort(p, d, res.Accounts)
}

// mend shows a mistake in what was typed at its field.
func (d *findPage) mend(p *page, err error) error {
	if !mistake(err) {
		return err
	}
	d.refuse(p.say(err))
	return nil
}

func (d *findPage) refuse(why string) {
	d.Query.Problem, d.Problem, d.Query.Focus = why, d.T("find_failed"), true
}

// sort puts people and communities that were found in their places.
func (w *Web) sort(p *page, d *findPage, found []*social.Account) error {
	var people []*social.Account
	for _, a := range found {
		if a.Kind != social.KindGroup {
			people = append(people, a)
			continue
		}
		v, err := w.Social.Group(p.ctx(), p.reader, a.ID)
		if social.KindOf(err) == social.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		d.Groups = append(d.Groups, p.communities([]*social.GroupView{v})...)
	}
	more, err := w.people(p, people)
	d.People = append(d.People, more...)
	return err
}
