package text

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxWord bounds a folded word, in bytes.
const maxWord = 100

// Words splits a text into the words by which it is found, each once, folded so that
// ä, ae and a are the same and accents count for nothing. Whatever stands at the
// beginning of a word folds to the beginning of the folded word: so what somebody has
// typed so far finds it.
func Words(s string) []string {
	var out []string
	seen := map[string]bool{}
	for _, w := range split(s) {
		if w = foldWord(w); w != "" && !seen[w] {
			seen[w] = true
			out = append(out, w)
		}
	}
	return out
}

// foldWord takes marks off the letters and the e off ae, oe and ue.
func foldWord(w string) string {
	var b strings.Builder
	last := rune(0)
	for _, r := range strings.ToLower(norm.NFKD.String(w)) {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r): // marks, and the spaces in some ligatures
			continue
		case r == 'e' && (last == 'a' || last == 'o' || last == 'u'):
			last = 0
			continue
		case r == 'ß':
			b.WriteString("ss")
		case r == 'ø':
			r = 'o'
			b.WriteRune(r)
		case r == 'æ', r == 'œ':
			b.WriteRune(map[rune]rune{'æ': 'a', 'œ': 'o'}[r])
		default:
			b.WriteRune(r)
		}
		last = r
		if b.Len() >= maxWord {
			break
		}
	}
	return b.String()
}
