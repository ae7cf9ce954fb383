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
	var went, came strings.Builder
	flush := func() {
		if went.Len() > 0 {
			out = append(out, Change{Removed, went.String()})
		}
		if came.Len() > 0 {
			out = append(out, Change{Added, came.String()})
		}
		went.Reset()
		came.Reset()
	}
	for _, one := range d.DiffMainRunes(from, to, false) {
		words := a.read(one.Text)
		switch {
		case one.Type == diffmatchpatch.DiffDelete:
			went.WriteString(words)
		case one.Type == diffmatchpatch.DiffInsert:
			came.WriteString(words)
		case strings.TrimSpace(words) == "" && went.Len() > 0 && came.Len() > 0:
			// The space between two words that were both replaced goes with them.
			went.WriteString(words)
			came.WriteString(words)
		default:
			flush()
			out = append(out, Change{Stayed, words})
		}
	}
	flush()
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

// wordLength is that of the first word of a text in bytes: letters and digits together, or
// space, and every other sign alone.
func wordLength(text string) int {
	letter := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }
	for _, one := range []func(rune) bool{letter, unicode.IsSpace} {
		if n := len(text) - len(strings.TrimLeftFunc(text, one)); n > 0 {
			return n
		}
	}
	_, n := utf8.DecodeRuneInString(text)
	return n
}
