package social

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"
)

// FilterPlace is a list in which a filter counts, by the words of the Mastodon API.
type FilterPlace string

// The places.
const (
	InHome          FilterPlace = "home"
	InNotifications FilterPlace = "notifications"
	InPublic        FilterPlace = "public"
	InThread        FilterPlace = "thread"
	InAccount       FilterPlace = "account"
)

// Filter keeps posts with certain words, or certain posts, out of a member's sight. Its
// owner's own posts pass.
type Filter struct {
	ID        ID
	AccountID ID
	Title     string
	Places    []FilterPlace
	Action    string    // warn, blur or hide
	ExpiresAt time.Time // zero: never
	Keywords  []FilterKeyword
	Posts     []FilterPost
}

// FilterKeyword is a word or several, wherever they stand or as whole words.
type FilterKeyword struct {
	ID        ID     `json:"id,string"`
	Keyword   string `json:"keyword"`
	WholeWord bool   `json:"whole_word"`
}

// FilterPost is a single post that a filter holds back.
type FilterPost struct {
	ID     ID `json:"id,string"`
	PostID ID `json:"post_id,string"`
}

// Filtered is a filter that a post meets, and by what.
type Filtered struct {
	Filter   *Filter
	Keywords []string
	Posts    []ID
}

// FilterStore keeps filters.
type FilterStore interface {
	// Filters lists an account's by id.
	Filters(ctx context.Context, account ID) ([]*Filter, error)
	// PutFilter inserts what has no id yet, else updates it.
	PutFilter(ctx context.Context, f *Filter) error
	DeleteFilter(ctx context.Context, account, id ID) error
}

const (
	maxFilters  = 100
	maxKeywords = 100
	maxKeyword  = 200
)

func (s *Service) checkFilter(f *Filter) error {
	f.Title = s.Text.SanitizePlain(f.Title, 200)
	if f.Title == "" {
		return Errorf(Invalid, "a filter needs a title")
	}
	known := []FilterPlace{InHome, InNotifications, InPublic, InThread, InAccount}
	if len(f.Places) == 0 || slices.ContainsFunc(f.Places, func(p FilterPlace) bool { return !slices.Contains(known, p) }) {
		return Errorf(Invalid, "context holds some of home, notifications, public, thread and account")
	}
	if !slices.Contains([]string{"warn", "blur", "hide"}, f.Action) {
		return Errorf(Invalid, "filter_action is warn, blur or hide")
	}
	if len(f.Keywords) > maxKeywords || len(f.Posts) > maxKeywords {
		return Errorf(Invalid, "a filter holds %d words and posts at most", maxKeywords)
	}
	for i, k := range f.Keywords {
		if f.Keywords[i].Keyword = strings.Join(strings.Fields(k.Keyword), " "); f.Keywords[i].Keyword == "" || len(k.Keyword) > maxKeyword {
			return Errorf(Invalid, "a keyword has 1 to %d bytes", maxKeyword)
		}
	}
	return nil
}

// Filters are the reader's own.
func (s *Service) Filters(ctx context.Context, r Reader) (list []*Filter, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		list, err = tx.Filters(ctx, me.ID)
		return err
	})
	return list, err
}

// ChangeFilter finds one of the reader's own filters, zero for a new one, and keeps what
// change makes of it. Words and posts without an id get one.
func (s *Service) ChangeFilter(ctx context.Context, r Reader, id ID, change func(*Filter) error) (f *Filter, err error) {
	me, err := s.member(r)
	if err != nil {
		return nil, err
	}
	err = s.Store.Tx(ctx, func(tx Tx) error {
		all, err := tx.Filters(ctx, me.ID)
		if err != nil {
			return err
		}
		f = &Filter{AccountID: me.ID, Action: "warn"}
		if id != 0 {
			at := slices.IndexFunc(all, func(one *Filter) bool { return one.ID == id })
			if at < 0 {
				return NotFoundError()
			}
			f = all[at]
		} else if len(all) >= maxFilters {
			return Errorf(Invalid, "you have %d filters; delete one first", maxFilters)
		}
		if err := change(f); err != nil {
			return err
		}
		for _, p := range f.Posts {
			if p.ID == 0 {
				if _, err := s.readable(ctx, tx, r, p.PostID); err != nil {
					return err
				}
			}
		}
		for i := range f.Keywords {
			if f.Keywords[i].ID == 0 {
				f.Keywords[i].ID = NewID(s.Now())
			}
		}
		for i := range f.Posts {
			if f.Posts[i].ID == 0 {
				f.Posts[i].ID = NewID(s.Now())
			}
		}
		if err := s.checkFilter(f); err != nil {
			return err
		}
		return tx.PutFilter(ctx, f)
	})
	return f, err
}

// DeleteFilter removes one of the reader's own.
func (s *Service) DeleteFilter(ctx context.Context, r Reader, id ID) error {
	me, err := s.member(r)
	if err != nil {
		return err
	}
	return s.Store.Tx(ctx, func(tx Tx) error { return tx.DeleteFilter(ctx, me.ID, id) })
}

// sieve is a member's filters made ready for a page of posts.
type sieve struct {
	filters []*Filter
	words   [][]*regexp.Regexp // of each filter's keywords
}

// sieve reads the filters of who reads; nil where there are none.
func (s *Service) sieve(ctx context.Context, tx Tx, r Reader) (*sieve, error) {
	if !r.Local() || r.AccountID() == 0 {
		return nil, nil
	}
	all, err := tx.Filters(ctx, r.AccountID())
	if err != nil || len(all) == 0 {
		return nil, err
	}
	out := &sieve{}
	for _, f := range all {
		if !f.ExpiresAt.IsZero() && !s.Now().Before(f.ExpiresAt) {
			continue
		}
		var words []*regexp.Regexp
		for _, k := range f.Keywords {
			words = append(words, k.pattern())
		}
		out.filters, out.words = append(out.filters, f), append(out.words, words)
	}
	return out, nil
}

// pattern finds a keyword in a text. A word ends where no letter or digit follows.
func (k FilterKeyword) pattern() *regexp.Regexp {
	text := `(?i)` + strings.ReplaceAll(regexp.QuoteMeta(k.Keyword), " ", `\s+`)
	if k.WholeWord {
		text = `(?i)(?:^|[^\pL\pN_])` + strings.TrimPrefix(text, `(?i)`) + `(?:$|[^\pL\pN_])`
	}
	return regexp.MustCompile(text)
}

// meets lists the filters that a post meets.
func (v *sieve) meets(p *Post, text string) (out []Filtered) {
	for i, f := range v.filters {
		m := Filtered{Filter: f}
		for j, k := range f.Keywords {
			if v.words[i][j].MatchString(text) {
				m.Keywords = append(m.Keywords, k.Keyword)
			}
		}
		for _, one := range f.Posts {
			if one.PostID == p.ID {
				m.Posts = append(m.Posts, p.ID)
			}
		}
		if len(m.Keywords)+len(m.Posts) > 0 {
			out = append(out, m)
		}
	}
	return out
}

// HeldBy names the reader's filters that fold a post up where it stands; "" for none.
func (v *PostView) HeldBy() string {
	var titles []string
	for _, m := range v.Filtered {
		if m.Filter.Action != "hide" && slices.Contains(m.Filter.Places, v.Place) {
			titles = append(titles, m.Filter.Title)
		}
	}
	return strings.Join(titles, ", ")
}

// words are all that a filter looks at in a post.
func (s *Service) words(p *Post) string {
	parts := []string{p.Summary, p.Title, s.Text.ToPlain(p.Content)}
	if p.Poll != nil {
		for _, o := range p.Poll.Options {
			parts = append(parts, o.Title)
		}
	}
	for _, a := range p.Attachments {
		parts = append(parts, a.Description)
	}
	return strings.Join(parts, "\n")
}

// sift marks what the reader's filters hold, and leaves out what they hide where the
// reader looks.
func (s *Service) sift(v *sieve, r Reader, views []*PostView) []*PostView {
	if v == nil {
		return views
	}
	return slices.DeleteFunc(views, func(one *PostView) bool {
		shown := one
		if one.Boost != nil {
			shown = one.Boost
		}
		if shown.Post.AuthorID == r.AccountID() {
			return false
		}
		shown.Filtered = v.meets(shown.Post, s.words(shown.Post))
		shown.Place = r.Place
		one.Filtered, one.Place = shown.Filtered, r.Place
		return slices.ContainsFunc(shown.Filtered, func(m Filtered) bool {
			return m.Filter.Action == "hide" && slices.Contains(m.Filter.Places, r.Place)
		})
	})
}
