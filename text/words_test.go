package text

import (
	"slices"
	"strings"
	"testing"
)

func TestWordsFold(t *testing.T) {
	for in, want := range map[string]string{
		"Müller": "muller", "Mueller": "muller", "MULLER": "muller", "Mu\u0308ller": "muller", "Großmann": "grossmann", "Grossmann": "grossmann",
		"Anne-Marie d'Établir": "anne marie d etablir", "Jörg Joerg Jorg": "jorg", "Søren Æsop": "soren asop", "C++ & Go 1.26": "c go 1 26",
		"李 小龍": "李 小龍", "": "", " \t\u200b ": "", "Bauer": "baur", "Neue Aue": "neu au",
	} {
		got := strings.Join(Words(in), " ")
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// Whatever is typed of a word so far finds it, in any of its spellings.
func FuzzWordsKeepPrefixes(f *testing.F) {
	for _, s := range []string{"Müller", "Bauer", "aeuoee", "Straße", "É̈aue"} {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		whole := Words(s)
		runes := []rune(s)
		if len(whole) != 1 || !slices.Equal(Words(strings.TrimSpace(s)), whole) {
			t.Skip()
		}
		n = max(0, min(n, len(runes)))
		for _, part := range Words(string(runes[:n])) {
			if !strings.HasPrefix(whole[0], part) {
				t.Errorf("%q of %q: %q does not begin %q", string(runes[:n]), s, part, whole[0])
			}
		}
	})
}
