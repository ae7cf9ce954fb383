package storage

import (
	"bytes"
	"strings"
	"testing"
)

// What was packed comes back, also by a writer used before; what an earlier program
// kept as it was is read too.
func TestPack(t *testing.T) {
	var p packers
	for _, document := range []string{"", "{}", `{"content":"` + strings.Repeat("The room stays the same. ", 200) + `"}`, "\x01\x02"} {
		kept, err := p.pack([]byte(document))
		if err != nil {
			t.Fatal(err)
		}
		if len(document) > 1000 && len(kept) > len(document)/4 {
			t.Errorf("%d bytes of %d", len(kept), len(document))
		}
		if back, err := unpack(kept); err != nil || !bytes.Equal(back, []byte(document)) {
			t.Errorf("%q came back as %q, %v", document, back, err)
		}
	}
	if back, err := unpack([]byte(`{"old":1}`)); err != nil || string(back) != `{"old":1}` {
		t.Errorf("%s %v", back, err)
	}
	if _, err := unpack([]byte("\x01nonsense")); err == nil {
		t.Error("nonsense is a document")
	}
}
