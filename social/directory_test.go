package social

import (
	"fmt"
	"testing"
)

// The pages of a search in single fields neither repeat nor miss anybody, however the
// fitting ones lie among the others, and say where the end is.
func TestPagesOfASearchInFields(t *testing.T) {
	var all []*Person
	for i := range 57 {
		p := &Person{ID: ID(i), Languages: []string{"German"}}
		if i%3 == 0 {
			p.Languages = []string{"Czech", "German"}
		}
		all = append(all, p)
	}
	get := func(limit, skip int) ([]*Person, error) {
		return all[min(skip, len(all)):min(skip+limit, len(all))], nil
	}
	var got []string
	q, pages := DirectoryQuery{In: map[PersonField]string{FieldLanguages: "cze ger"}}, 0
	for {
		part, next, err := q.page(5, get)
		if err != nil || len(part) > 5 || pages > 10 {
			t.Fatal(len(part), pages, err)
		}
		for _, p := range part {
			got = append(got, fmt.Sprint(p.ID))
		}
		if pages++; next == 0 {
			break
		}
		q.Offset = next
	}
	if len(got) != 19 || got[0] != "0" || got[18] != "54" || pages != 4 {
		t.Errorf("%d pages: %v", pages, got)
	}
}
