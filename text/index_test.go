package text

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

// found says that a word finds a text, as a search does.
func found(sought, in string) bool {
	x := IndexOf(in)
	for _, s := range Stems(sought) {
		if slices.Contains(x.Stems, s) {
			return true
		}
	}
	for _, end := range Ends(sought) {
		if slices.ContainsFunc(x.Ends, func(e string) bool { return strings.HasPrefix(e, end) }) {
			return true
		}
	}
	for _, begin := range Begins(sought) {
		if slices.ContainsFunc(x.Words, func(w string) bool { return strings.HasPrefix(w, begin) }) {
			return true
		}
	}
	return slices.ContainsFunc(x.Words, func(w string) bool { return strings.HasPrefix(w, foldWord(sought)) })
}

// One form of a word finds the others, in German and English, however umlauts are
// written; the end of a compound finds it, and so does its beginning.
func TestWordsFindTheirOtherForms(t *testing.T) {
	for _, pair := range [][2]string{
		{"Haus", "Häuser"}, {"Häuser", "Haus"}, {"Haeuser", "Haus"}, {"Vertrag", "Verträge"}, {"Verträge", "vertrag"}, {"Strasse", "Straße"}, {"Straße", "STRASSE"},
		{"Abrechnung", "Reisekostenabrechnung"}, {"Abrechnungen", "die Reisekostenabrechnungen von Mai"}, {"Reise", "Reisekostenabrechnung"}, {"Lieferung", "Lieferungen"},
		{"laufen", "läuft, lief und laufen"}, {"Maschinen", "Maschine"}, {"Kunde", "Kunden"}, {"Zoll", "Zollformular"}, {"Formular", "Zollformulare"},
		{"connection", "connections"}, {"deliveries", "delivery"}, {"running", "run"}, {"policy", "policies"}, {"Lager", "Zentrallager"}, {"café", "cafe"}, {"prüfen", "prüft und geprüft"}, {"prüfen", "prüft"},
	} {
		if !found(pair[0], pair[1]) {
			t.Errorf("%q does not find %q", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"Rat", "Apparat"}, {"Vertrag", "Betrag"}, {"man", "woman"}} {
		if found(pair[0], pair[1]) {
			t.Errorf("%q finds %q", pair[0], pair[1])
		}
	}
	// Some letters are written out with spaces; words are letters and digits alone.
	for _, w := range IndexOf("a\ufdfab \u037a \ufc5e x\u0149y ½ ² Ⅷ").Words {
		if strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) || w == "" {
			t.Errorf("%q is a word", w)
		}
	}
	if x := IndexOf(strings.Repeat("wort ", 3*indexWords)); len(x.Words) != indexWords || len(x.Stems) != 1 {
		t.Errorf("%d words, %d stems of a long text", len(x.Words), len(x.Stems))
	}
}

func BenchmarkIndexOf(b *testing.B) {
	text := strings.Repeat("Die Reisekostenabrechnung für den Monat Mai ist noch nicht eingegangen; please send the receipts. ", 5)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		IndexOf(text)
	}
}
