package text_test

import (
	"fmt"
	"strings"
	"testing"

	"parley/text"
)

func marked(changes []text.Change) string {
	var b strings.Builder
	for _, c := range changes {
		b.WriteString(map[text.ChangeKind]string{text.Stayed: "", text.Added: "+", text.Removed: "-"}[c.Kind] + "[" + c.Text + "]")
	}
	return b.String()
}

func TestChangesAreOfWords(t *testing.T) {
	for _, one := range []struct{ before, after, want string }{
		{"on Monday at nine", "on Tuesday at nine", "[on ]-[Monday]+[Tuesday][ at nine]"},
		{"the same", "the same", "[the same]"},
		{"", "new", "+[new]"},
		{"gone", "", "-[gone]"},
		{"Übermorgen früh", "Übermorgen spät", "[Übermorgen ]-[früh]+[spät]"},
		{"one, two", "one; two", "[one]-[,]+[;][ two]"},
		{"suits ben", "suits ben best", "[suits ben]+[ best]"},
		{"we meet today", "they come today", "-[we meet]+[they come][ today]"},
		{"", "", ""},
	} {
		if got := marked(text.Changes(one.before, one.after)); got != one.want {
			t.Errorf("%q to %q: %s, want %s", one.before, one.after, got, one.want)
		}
	}
}

// Nothing is made up and nothing left out, however long or strange a text is.
func FuzzChanges(f *testing.F) {
	f.Add("on Monday", "on Tuesday")
	f.Add(strings.Repeat("a b ", 5000), strings.Repeat("b a ", 5000))
	f.Add("\xff\xc3", "\xc3(")
	f.Add("\ud7ff\ue000 😀", "\x00")
	f.Fuzz(func(t *testing.T, before, after string) {
		var had, has strings.Builder
		for _, c := range text.Changes(before, after) {
			if c.Kind != text.Added {
				had.WriteString(c.Text)
			}
			if c.Kind != text.Removed {
				has.WriteString(c.Text)
			}
		}
		if had.String() != before || has.String() != after {
			t.Errorf("%q to %q: %q to %q", before, after, had.String(), has.String())
		}
	})
}

// A long text of another server takes no longer than the bound says, whatever is in it.
func BenchmarkChanges(b *testing.B) {
	var one, other strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&one, "%d ", i*7919%100_003)
		fmt.Fprintf(&other, "%d ", i*104_729%100_003)
	}
	for b.Loop() {
		text.Changes(one.String(), other.String())
	}
}
