package text

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// Change is a stretch of a text that stayed, came or went.
type Change struct {
	Kind ChangeKind
	Text string
}

// ChangeKind says what became of a stretch.
type ChangeKind int

// The kinds of changes.
const (
	Stayed ChangeKind = iota
	Added
	Removed
)

// compareTime bounds a comparison; what is left then counts as replaced.
const compareTime = 200 * time.Millisecond

// Changes compares two plain texts word by word: all but what was added is the first, all
// but what was removed the second.
func Changes(before, after string) []Change {
	a := alphabet{code: map[string]rune{}}
	from, to := a.write(before), a.write(after)
	d := diffmatchpatch.New()
	d.DiffTimeout = compareTime
	var out []Change
	for _, one := range d.DiffMainRunes(from, to, false) {
		c := Change{Kind: Stayed, Text: a.read(one.Text)}
		switch one.Type {
		case diffmatchpatch.DiffInsert:
			c.Kind = Added
		case diffmatchpatch.DiffDelete:
			c.Kind = Removed
		}
		out = append(out, c)
	}
	return out
}

// alphabet has a letter for each word, so that a word changes whole.
type alphabet struct {
	code  map[string]rune
	words []string
}

// The letters begin behind those that mean something to a comparison, and leave out the
// surrogates, which no text may hold.
const (
	firstLetter    = 0x100
	firstSurrogate = 0xD800
	afterSurrogate = 0xE000
	lastLetter     = unicode.MaxRune
)

// write spells a text in letters; words beyond the alphabet are one word.
func (a *alphabet) write(text string) (out []rune) {
	for text != "" {
		n := wordLength(text)
		if int(lastLetter)-len(a.words) < afterSurrogate {
			n = len(text)
		}
		out = append(out, a.letter(text[:n]))
		text = text[n:]
	}
	return out
}

func (a *alphabet) letter(word string) rune {
	if r, known := a.code[word]; known {
		return r
	}
	r := rune(firstLetter + len(a.words))
	if r >= firstSurrogate {
		r += afterSurrogate - firstSurrogate
	}
	a.code[word] = r
	a.words = append(a.words, word)
	return r
}

func (a *alphabet) read(letters string) string {
	var text strings.Builder
	for _, r := range letters {
		if r >= afterSurrogate {
			r -= afterSurrogate - firstSurrogate
		}
		text.WriteString(a.words[r-firstLetter])
	}
	return text.String()
}

// wordLength is that of the first word of a text with the space after it, in bytes:
// letters and digits together, every other sign alone.
func wordLength(text string) int {
	n := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
	switch {
	case n < 0:
		return len(text)
	case n == 0:
		_, n = utf8.DecodeRuneInString(text)
	}
	return len(text) - len(strings.TrimLeftFunc(text[n:], unicode.IsSpace))
}
