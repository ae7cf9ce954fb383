package social

import (
	"context"
	"regexp"
	"strings"
	"time"

	"parley/text"
)

// SearchStore finds posts by the words in them. What is found is for nobody yet: whoever
// shows it asks who may see it.
type SearchStore interface {
	// SearchTodo lists posts whose words are to be written, the newest first; several
	// nodes get different ones. InsertPost and UpdatePost put them there.
	SearchTodo(ctx context.Context, limit int) ([]ID, error)
	// PutWords writes by which words a post is found, nothing for none, and takes it off
	// that list.
	PutWords(ctx context.Context, post ID, x text.Index) error
	// SearchPosts lists posts that a query matches, by post id, without tombstones and boosts.
	SearchPosts(ctx context.Context, q PostQuery, p Page) ([]*Post, error)
}

// PostQuery is what posts are sought by; all of it has to fit.
type PostQuery struct {
	Terms         []Term
	Author, Group ID
	Before, After time.Time // of publication: before the one, not before the other
	Tag           string    // folded
	File, Poll    bool      // has some
	At            *Servers  // of their authors; nil for all
}

// Term is a word or a phrase, folded and taken apart by package text.
type Term struct {
	Words  []string // one after the other
	Stems  []string // or one of these
	Begins []string // or the beginning of a word
	Ends   []string // or the end of a compound, from back to front
}

const (
	// maxTerms bounds what one search can ask for.
	maxTerms = 12
	// indexBatch is how many posts get their words in one transaction.
	indexBatch = 50
)

// IndexPosts writes the words of posts that wait for it, and says how many there were.
func (s *Service) IndexPosts(ctx context.Context) (n int, err error) {
	err = s.Store.Tx(ctx, func(tx Tx) error {
		ids, err := tx.SearchTodo(ctx, indexBatch)
		if err != nil {
			return err
		}
		posts, err := tx.Posts(ctx, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			var x text.Index
			if p := posts[id]; p != nil && !p.Deleted() {
				x = text.IndexOf(s.plain(p))
				if p.Question {
					x.Words = append(x.Words, questionWord)
				}
			}
			if err := tx.PutWords(ctx, id, x); err != nil {
				return err
			}
		}
		n = len(ids)
		return nil
	})
	return n, err
}

// questionWord is what questions are found by; no word of a language begins like it.
const questionWord = "0question0"

// plain is all of a post that it is found by.
func (s *Service) plain(p *Post) string {
	parts := []string{p.Title, p.Summary, s.Text.ToPlain(p.Content)}
	parts = append(parts, p.Tags...)
	for _, a := range p.Attachments {
		parts = append(parts, a.Name, a.Description)
	}
	if p.Poll != nil {
		for _, o := range p.Poll.Options {
			parts = append(parts, o.Title)
		}
	}
	return strings.Join(parts, "\n")
}

// FindPosts lists posts with the words of q that the reader may see, the newest first.
// Words in quotes stand one after the other; from:, in:, at:, before:, after:, has: and # narrow
// what is found.
func (s *Service) FindPosts(ctx context.Context, r Reader, q string, p Page) (views []*PostView, err error) {
	if !r.Local() {
		return nil, nil
	}
	query, err := s.postQuery(ctx, r, clip(strings.TrimSpace(q), 500))
	if err != nil || query.empty() {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx Tx) error {
		views, err = s.collect(ctx, tx, r, p, func(p Page) ([]*Post, error) { return tx.SearchPosts(ctx, query, p) })
		return err
	})
	return views, err
}

func (q PostQuery) empty() bool {
	return len(q.Terms) == 0 && q.Author == 0 && q.Group == 0 && q.Tag == "" && !q.File && !q.Poll && q.Before.IsZero() && q.After.IsZero() && q.At == nil
}

// part is one piece of a query: name:value, a phrase in quotes, or a word.
var part = regexp.MustCompile(`(?i:\b(from|in|at|before|after|has|von|bei|vor|nach|hat):)?(?:"([^"]*)"|(\S+))`)

// filters says that a query narrows what posts it wants, so that it is for posts alone;
// at: narrows people and communities too.
var filters = regexp.MustCompile(`(?i:^|\s)(?i:from|in|before|after|has|von|vor|nach|hat):\S`)

// filterNames are the German names of filters.
var filterNames = map[string]string{"von": "from", "bei": "at", "vor": "before", "nach": "after", "hat": "has"}

// postQuery reads what somebody typed.
func (s *Service) postQuery(ctx context.Context, r Reader, typed string) (q PostQuery, err error) {
	parts := part.FindAllStringSubmatch(typed, -1)
	for i, m := range parts {
		name, phrase, word := strings.ToLower(m[1]), m[2], m[3]
		if known := filterNames[name]; known != "" {
			name = known
		}
		switch {
		case name != "":
			if err := s.narrow(ctx, r, &q, name, firstText(word, phrase)); err != nil {
				return q, err
			}
		case strings.HasPrefix(word, "#") && s.Text.FoldTag(word[1:]) != "" && q.Tag == "":
			q.Tag = s.Text.FoldTag(word[1:])
		default:
			q.seek(phrase, word, i == len(parts)-1)
		}
	}
	if len(q.Terms) > maxTerms {
		return q, Errorf(Invalid, "search for at most %d words at once", maxTerms)
	}
	return q, nil
}

func firstText(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// seek adds a phrase, or the words in what stands without a space.
func (q *PostQuery) seek(phrase, word string, last bool) {
	if phrase != "" {
		if folded, _ := text.Split(phrase); len(folded) > 0 {
			q.Terms = append(q.Terms, Term{Words: folded})
		}
		return
	}
	folded, words := text.Split(word)
	for i, w := range folded {
		t := Term{Words: []string{w}, Stems: text.Stems(words[i]), Begins: text.Begins(words[i]), Ends: text.Ends(words[i])}
		if last && i == len(folded)-1 && len(w) > 1 { // it may be typed half
			t.Begins = append(t.Begins, w)
		}
		q.Terms = append(q.Terms, t)
	}
}

// narrow reads one filter.
func (s *Service) narrow(ctx context.Context, r Reader, q *PostQuery, name, value string) error {
	switch name {
	case "from", "in":
		if name == "from" && (value == "me" || value == "mir") {
			q.Author = r.Account.ID
			return nil
		}
		a, err := s.AccountByHandle(ctx, r, strings.TrimPrefix(value, "@"))
		if KindOf(err) == NotFound || err == nil && (a.Kind == KindGroup) != (name == "in") {
			return Errorf(Invalid, "nobody and no group called %.100s is known; write a name such as ben or ben@host", value)
		}
		if err != nil {
			return err
		}
		if q.Author = a.ID; name == "in" {
			q.Author, q.Group = 0, a.ID
		}
	case "at":
		at, err := s.serversAt(ctx, value)
		if err != nil {
			return err
		}
		q.At = at
	case "before", "after":
		day, err := time.ParseInLocation(time.DateOnly, value, s.Now().Location())
		if err != nil {
			day, err = time.ParseInLocation("2.1.2006", value, s.Now().Location())
		}
		if err != nil {
			return Errorf(Invalid, "%.100s is no day; write it such as 2026-03-31", value)
		}
		if name == "before" {
			q.Before = day
		} else {
			q.After = day
		}
	case "has":
		switch value {
		case "file", "datei":
			q.File = true
		case "poll", "umfrage":
			q.Poll = true
		case "question", "frage":
			q.Terms = append(q.Terms, Term{Words: []string{questionWord}})
		default:
			return Errorf(Invalid, "posts are found by has:file, has:poll and has:question, not by has:%.40s", value)
		}
	}
	return nil
}
