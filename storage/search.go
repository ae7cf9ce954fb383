package storage

import (
	"context"
	"strings"

	"parley/social"
	"parley/text"
)

// SearchTodo lists posts whose words are to be written.
func (t *Tx) SearchTodo(ctx context.Context, limit int) ([]social.ID, error) {
	return list(ctx, t, scanID, `SELECT post_id FROM search_todo ORDER BY post_id DESC LIMIT $1`+t.db.dialect.skipLocked(), limit)
}

// PutWords writes by which words a post is found.
func (t *Tx) PutWords(ctx context.Context, post social.ID, x text.Index) error {
	if err := t.dropWords(ctx, post); err != nil {
		return err
	}
	if len(x.Words) == 0 {
		return nil
	}
	query, args := t.db.dialect.putWords(post, x)
	_, err := t.exec(ctx, query, args...)
	return err
}

// dropWords lets nothing find a post, and its words wait for nothing.
func (t *Tx) dropWords(ctx context.Context, post social.ID) error {
	for _, query := range []string{`DELETE FROM post_words WHERE ` + t.db.dialect.wordsID() + ` = $1`, `DELETE FROM search_todo WHERE post_id = $1`} {
		if _, err := t.exec(ctx, query, post); err != nil {
			return err
		}
	}
	return nil
}

// wordsLater has the words of a post written anew, and lets nothing find it by the former
// ones until then.
func (t *Tx) wordsLater(ctx context.Context, p *social.Post) error {
	if p.BoostOfID != 0 {
		return nil
	}
	_, err := t.exec(ctx, `INSERT INTO search_todo (post_id) VALUES ($1) ON CONFLICT DO NOTHING`, p.ID)
	return err
}

// allWordsLater has all posts found anew, after they came from another database.
const allWordsLater = `INSERT INTO search_todo (post_id) SELECT id FROM post WHERE deleted_at = 0 AND boost_of_id = 0 ON CONFLICT DO NOTHING`

// SearchPosts lists posts that a query matches, the newest first.
func (t *Tx) SearchPosts(ctx context.Context, q social.PostQuery, p social.Page) ([]*social.Post, error) {
	from, where := `post p`, `p.deleted_at = 0 AND p.boost_of_id = 0`
	column := `p.id`
	var args []any
	add := func(clause string, arg any) {
		args = append(args, arg)
		where += ` AND ` + strings.ReplaceAll(clause, "?", "$"+itoa(len(args)))
	}
	if len(q.Terms) > 0 {
		d := t.db.dialect
		column = `w.` + d.wordsID()
		from = `post_words w JOIN post p ON p.id = ` + column
		add(d.matches(), d.match(q.Terms))
	}
	if q.Author != 0 {
		add(`p.author_id = ?`, q.Author)
	}
	if q.Group != 0 {
		add(`p.group_id = ?`, q.Group)
	}
	if !q.Before.IsZero() {
		add(`p.published_at < ?`, ms(q.Before))
	}
	if !q.After.IsZero() {
		add(`p.published_at >= ?`, ms(q.After))
	}
	if q.Tag != "" {
		add(`p.id IN (SELECT g.post_id FROM post_tag g WHERE g.tag = ?)`, q.Tag)
	}
	if q.File {
		where += ` AND p.has_media = 1`
	}
	if q.Poll {
		add(`p.kind = ?`, string(social.PostPoll))
	}
	if q.At != nil {
		var at string
		at, args = t.at(q.At, args)
		where += ` AND EXISTS (SELECT 1 FROM account a WHERE a.id = p.author_id` + at + `)`
	}
	clause, args, rev := keyset(column, p, args)
	found, err := t.postList(ctx, `SELECT `+postColumns+` FROM `+from+` WHERE `+where+clause, args...)
	return turn(found, rev), err
}

// The words of a post are a row of a contentless FTS5 table in SQLite, and a tsvector in
// PostgreSQL. There stems begin with = and ends with <, which no word does.

func (d dialect) wordsID() string {
	if d.sqlite {
		return "rowid"
	}
	return "post_id"
}

func (d dialect) putWords(post social.ID, x text.Index) (string, []any) {
	if d.sqlite {
		return `INSERT INTO post_words (rowid, words, stems, ends) VALUES ($1, $2, $3, $4)`,
			[]any{post, strings.Join(x.Words, " "), strings.Join(x.Stems, " "), strings.Join(x.Ends, " ")}
	}
	var b strings.Builder
	for i, w := range x.Words {
		b.WriteString("'" + w + "':" + itoa(i+1) + " ")
	}
	for _, s := range x.Stems {
		b.WriteString("'=" + s + "' ")
	}
	for _, e := range x.Ends {
		b.WriteString("'<" + e + "' ")
	}
	return `INSERT INTO post_words (post_id, words) VALUES ($1, $2::tsvector)`, []any{post, b.String()}
}

func (d dialect) matches() string {
	if d.sqlite {
		return "post_words MATCH ?"
	}
	return "w.words @@ ?::tsquery"
}

// match writes what is sought in the language of the database. Words are letters and
// digits alone, so nothing in them means anything there.
func (d dialect) match(terms []social.Term) string {
	all := make([]string, 0, len(terms))
	for _, term := range terms {
		var ways []string
		if d.sqlite {
			ways = append(ways, `words : "`+strings.Join(term.Words, " ")+`"`)
			for _, w := range term.Begins {
				ways = append(ways, `words : "`+w+`" *`)
			}
			for _, s := range term.Stems {
				ways = append(ways, `stems : "`+s+`"`)
			}
			for _, e := range term.Ends {
				ways = append(ways, `ends : "`+e+`" *`)
			}
			all = append(all, "("+strings.Join(ways, " OR ")+")")
			continue
		}
		ways = append(ways, `('`+strings.Join(term.Words, `' <-> '`)+`')`)
		for _, w := range term.Begins {
			ways = append(ways, `'`+w+`':*`)
		}
		for _, s := range term.Stems {
			ways = append(ways, `'=`+s+`'`)
		}
		for _, e := range term.Ends {
			ways = append(ways, `'<`+e+`':*`)
		}
		all = append(all, "("+strings.Join(ways, " | ")+")")
	}
	if d.sqlite {
		return strings.Join(all, " AND ")
	}
	return strings.Join(all, " & ")
}
