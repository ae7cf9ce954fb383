package web

import (
	"slices"
	"strings"

	"parley/social"
)

const (
	// maxDepth bounds the indentation of a thread on narrow screens.
	maxDepth = 4
	// foldFrom is how many posts a thread has at least before branches are folded up.
	foldFrom = 20
	// openAnswers is how many posts of a branch stay open then.
	openAnswers = 3
	// mostAnswers and mostAbove bound, in elements, what a page has of the answers to its
	// post and of what that answers: all of it is to stay below 1,500.
	mostAnswers = 1050
	mostAbove   = 200
)

// branches are a thread as its page lays it out around one post.
type branches struct {
	*page
	main  *social.PostView
	depth map[social.ID]int
	below []*social.PostView // what answers the post, from the one on that the page begins with
	long  bool               // long branches are folded up
	later bool               // the page does not begin with the first answer
}

// lay puts a thread on the page around the post that it is about. What would make the page
// too long is a link there; ?from= names the answer that the page begins with.
func (p *page) lay(above []*social.PostView, main *social.PostView, below []*social.PostView) (out []stretch) {
	b := branches{page: p, main: main, depth: map[social.ID]int{}}
	all := slices.Concat(above, []*social.PostView{main}, below)
	if len(above) > 0 {
		main.Under = above[len(above)-1].Post.ID
	}
	for _, v := range all {
		if parent, ok := b.depth[v.Under]; ok {
			b.depth[v.Post.ID] = min(parent+1, maxDepth)
		} else {
			b.depth[v.Post.ID] = 0
		}
	}
	b.long = len(all) >= foldFrom
	start := max(0, slices.IndexFunc(below, func(v *social.PostView) bool { return v.Post.ID.String() == p.r.URL.Query().Get("from") }))
	b.below, b.later = below[start:], start > 0

	gap := b.gap(above)
	for i, v := range above {
		if i == 0 || i > gap {
			out = append(out, stretch{card: b.card(v)})
		}
	}
	if gap > 0 {
		out[0].Rest = p.rest("posts_between", above[1:gap+1], p.Card(above[gap]).Link())
	}
	out = append(out, stretch{card: b.card(main)})
	if b.later {
		out[len(out)-1].Rest = p.rest("answers_before", below[:start], p.Card(main).Link())
	}
	return b.answers(out)
}

// card is one post of the thread.
func (b *branches) card(v *social.PostView) card {
	c := b.Card(v)
	c.Depth, c.Main = b.depth[v.Post.ID], v == b.main
	c.Orphan = v.Under != 0 && v.Under != v.Post.InReplyToID
	return c
}

// gap is the last of the posts between the thread's first and those right above the page's
// that do not stand on the page; 0 if all do.
func (b *branches) gap(above []*social.PostView) int {
	left := mostAbove
	for i := len(above) - 1; i > 0; i-- {
		if left -= b.weight(above[i]); left < 0 && i < len(above)-1 {
			return i
		}
	}
	return 0
}

// answers puts what answers the post below it.
func (b *branches) answers(out []stretch) []stretch {
	open, folded := b.choose()
	for i := 0; i < len(b.below); i++ {
		last := &out[len(out)-1]
		switch v := b.below[i]; {
		case open[v.Post.ID]:
			out = append(out, stretch{card: b.card(v)})
		case folded[v.Post.ID]:
			last.Folded = append(last.Folded, b.card(v))
		default:
			end := i + 1
			for end < len(b.below) && !open[b.below[end].Post.ID] {
				end++
			}
			id := v.Post.ID.String()
			last.Rest = b.rest("show_answers", b.below[i:end], b.Card(b.main).Link()+"?from="+id+"#p"+id)
			i = end - 1
		}
	}
	return out
}

// choose says which answers stand open and which folded up. Of every branch the first ones
// come before the rest of any, so that a page shows as many branches as it can.
func (b *branches) choose() (open, folded map[social.ID]bool) {
	open, folded = map[social.ID]bool{}, map[social.ID]bool{}
	left := mostAnswers
	shown := b.below // as far as the page goes
	n := 0           // of the present branch
	whole := !b.long || b.later
	for i, v := range b.below {
		if v.Under == b.main.Post.ID {
			n = 0
			whole = !b.long || i == 0 && b.later
		}
		if n++; n > openAnswers && !whole {
			continue
		}
		if left -= b.weight(v); left < 0 && i > 0 {
			shown = b.below[:i]
			break
		}
		open[v.Post.ID] = true
	}
	for _, v := range shown {
		if open[v.Post.ID] {
			continue
		}
		if left -= b.weight(v); left < 0 {
			break
		}
		folded[v.Post.ID] = true
	}
	return open, folded
}

// rest leads to posts that do not stand on the page; a key of the texts with a number says
// how many.
func (p *page) rest(key string, posts []*social.PostView, link string) rest {
	ids := make([]string, len(posts))
	for i, v := range posts {
		ids[i] = v.Post.ID.String()
	}
	return rest{Posts: strings.Join(ids, " "), Text: p.N(key, len(posts)), Link: link}
}

// weight is about how many elements a post has on a page.
func (p *page) weight(v *social.PostView) int {
	n, text := 18, v.Post.Content // with two facts that few posts have
	if p.Me != nil {
		n += 22
	}
	if p.Me != nil && v.Post.AuthorID == p.Me.ID {
		n += 6
	}
	if v.Quote != nil {
		n, text = n+4, text+v.Quote.Post.Content
	}
	if v.Post.Poll != nil {
		n += 6 + 5*len(v.Post.Poll.Options)
	}
	return n + 2*len(v.Post.Attachments) + strings.Count(text, "<") - strings.Count(text, "</")
}
