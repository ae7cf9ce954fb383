package api

import (
	"net/url"
	"testing"
)

// Clients write booleans in the way of their language.
func TestBooleans(t *testing.T) {
	for text, want := range map[string]bool{"true": true, "True": true, "1": true, "on": true, "": false, "false": false, "False": false, "0": false, "off": false} {
		if got := (&call{in: url.Values{"resolve": {text}}}).bool("resolve"); got != want {
			t.Errorf("%q is %v", text, got)
		}
	}
}
