package social

import (
	"context"
	"net/url"
	"regexp"
	"strings"
)

// maxLinked links of a text are looked at.
const maxLinked = 10

var links = regexp.MustCompile(`https?://[^\s<>"]+`)

// Dead lists the posts that a draft links to, that its author may read and
// that not everybody may who is to read the draft. One that the author may not read, or
// that is not known here, is not among them: nobody learns from it what there is.
func (s *Service) Dead(ctx context.Context, r Reader, d Draft) (out []*PostView, err error) {
	if _, err := s.member(r); err != nil {
		return nil, err
	}
	found := links.FindAllString(d.Text, maxLinked)
	if len(found) == 0 {
		return nil, nil
	}
	people := s.people(ctx, r, d.Text)
	d.MediaIDs = nil
	err = s.Store.View(ctx, func(tx Tx) error {
		draft, _, err := s.compose(ctx, tx, r, d, people, s.Now())
		if err != nil {
			return err
		}
		var dead []*Post
		for _, link := range found {
			p, err := s.linked(ctx, tx, r, strings.TrimRight(link, ".,;:!?)'"))
			if KindOf(err) == NotFound {
				continue
			}
			if err != nil {
				return err
			}
			all, err := s.allMayRead(ctx, tx, draft, p, people)
			if err != nil {
				return err
			}
			if !all {
				dead = append(dead, p)
			}
		}
		out, err = s.views(ctx, tx, r, dead)
		return err
	})
	return out, err
}

// linked finds the post behind an address that the reader may see: a URI, or the page that
// an instance of Parley has for it.
func (s *Service) linked(ctx context.Context, tx Tx, r Reader, address string) (*Post, error) {
	if u, err := url.Parse(address); err == nil {
		at := Links{PublicURL: u.Scheme + "://" + u.Host}
		if handle, id, ok := at.ParsePage(address); ok && id != 0 {
			if s.Links.Owns(address) {
				return s.readable(ctx, tx, r, id)
			}
			author, err := tx.AccountByName(ctx, handle, strings.ToLower(u.Host))
			if err != nil {
				return nil, err
			}
			address = author.URI + "/statuses/" + id.String()
		}
	}
	p, err := tx.PostByURI(ctx, address)
	if err != nil {
		return nil, err
	}
	return s.readable(ctx, tx, r, p.ID)
}

// allMayRead says that whoever may read the one post may read the other.
func (s *Service) allMayRead(ctx context.Context, tx Tx, one, other *Post, named map[string]*Account) (bool, error) {
	if one.Audience.Kind != AudienceDirect {
		for _, bound := range []Audience{other.Audience, other.Ceiling} {
			if _, wider := one.Audience.within(bound); wider && !bound.Everybody() {
				return false, nil
			}
		}
		return true, nil
	}
	for _, a := range named {
		if a == nil {
			continue
		}
		of, err := s.readerOf(ctx, tx, a)
		if err != nil {
			return false, err
		}
		facts, err := s.facts(ctx, tx, of, []*Post{other})
		if err != nil {
			return false, err
		}
		if !other.MaySee(of, facts.of(of, other, other.Audience), facts.of(of, other, other.Ceiling)) {
			return false, nil
		}
	}
	return true, nil
}
