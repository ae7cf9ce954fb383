package text

import (
	"strings"
	"unicode"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/german"
)

// Index is by which words a text is found.
type Index struct {
	Words []string // folded, in their order; for phrases and beginnings of words
	Stems []string // German and English stems, each once
	Ends  []string // long words and their German stems from back to front, each once: so the end of a compound finds it
}

const (
	// indexWords bounds how much of a text is found.
	indexWords = 5000
	// indexBytes bounds what is written of a text: PostgreSQL refuses a tsvector of 1 MiB,
	// and others' posts are not to stop the rest from being found.
	indexBytes = 512 << 10
	// compoundFrom is how many letters a word has at least whose end is looked at.
	compoundFrom = 8
	// endFrom is how many letters a sought end of a compound has at least.
	endFrom = 4
)

// IndexOf takes a plain text apart. Which language it is in does not matter: stems of
// both are made of every word.
func IndexOf(plain string) Index {
	var x Index
	stems, ends := map[string]bool{}, map[string]bool{}
	size := 0
	put := func(list *[]string, seen map[string]bool, w string) {
		if w != "" && !seen[w] {
			seen[w] = true
			size += len(w)
			*list = append(*list, w)
		}
	}
	for _, w := range split(plain) {
		if len(x.Words) == indexWords || size >= indexBytes {
			break
		}
		folded := foldWord(w)
		if folded == "" {
			continue
		}
		x.Words = append(x.Words, folded)
		size += len(folded)
		for _, s := range Stems(w) {
			put(&x.Stems, stems, s)
		}
		for _, e := range endings(w, folded, compoundFrom) {
			put(&x.Ends, ends, e)
		}
	}
	return x
}

// Stems of a word: German and English, each once.
func Stems(w string) []string {
	de, en := stemGerman(w), stemEnglish(w)
	if de == en {
		return []string{de}
	}
	return []string{de, en}
}

// Begins is how other forms and compounds of an inflected word are looked for: by the
// beginning that its German stem is. Nothing for a short one.
func Begins(w string) []string {
	if de := stemGerman(w); len(de) >= endFrom && de != foldWord(w) {
		return []string{de}
	}
	return nil
}

// Ends is how a word is looked for as the end of compounds: one of Index.Ends begins with
// one of them. Nothing for a word too short to say much.
func Ends(w string) []string { return endings(w, foldWord(w), endFrom) }

// endings are a word and its German stem from back to front, if they have so many letters.
func endings(w, folded string, from int) (out []string) {
	de := stemGerman(w)
	if len(folded) >= from {
		out = append(out, backwards(folded))
	}
	if len(de) >= from && de != folded {
		out = append(out, backwards(de))
	}
	return out
}

// Split takes what somebody seeks apart into words, as Index has them, and unfolded for
// Stems, Begins and Ends.
func Split(s string) (folded, words []string) {
	for _, w := range split(s) {
		if f := foldWord(w); f != "" {
			folded, words = append(folded, f), append(words, w)
		}
	}
	return folded, words
}

func split(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r)
	})
}

func stemGerman(w string) string {
	env := snowballstem.NewEnv(strings.ToLower(w))
	german.Stem(env)
	return foldWord(env.Current())
}

func stemEnglish(w string) string {
	env := snowballstem.NewEnv(strings.ToLower(w))
	english.Stem(env)
	return foldWord(env.Current())
}

func backwards(s string) string {
	r := []rune(s)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(r)
}
