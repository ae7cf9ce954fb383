package web

import (
	"net/http"
)

// keysPage lists the keyboard shortcuts, which static/js/keys.js knows.
type keysPage struct {
	*frame
	Keys []shortcut
}

func (keysPage) file() string { return "keys.html" }

// shortcut is what one key, or one after the other, does.
type shortcut struct {
	Press []string
	Does  string
}

func (w *Web) keys(p *page) error {
	press := func(keys ...string) []string { return keys }
	return w.show(p, http.StatusOK, keysPage{p.titled("keys"), []shortcut{
		{press("j"), p.T("key_next")}, {press("k"), p.T("key_former")}, {press("o"), p.T("key_open")},
		{press("r"), p.T("reply")}, {press("f"), p.T("like")}, {press("b"), p.T("bookmark")},
		{press("n"), p.T("compose")}, {press("."), p.T("key_newest")}, {press("/"), p.T("find")},
		{press("g", "h"), p.T("home")}, {press("g", "n"), p.T("notifications")}, {press("g", "p"), p.T("key_profile")}, {press("g", "g"), p.T("groups")},
		{press(p.T("key_ctrl"), "K"), p.T("key_go")}, {press("?"), p.T("keys")},
	}})
}
