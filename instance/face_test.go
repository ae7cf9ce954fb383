package instance_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/auth"
	"parley/instance/instancetest"
	"parley/social"
)

// portrait is a picture with a colour of its own.
func portrait(t *testing.T, shade uint8) social.Upload {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 300, 200))
	for i := range img.Pix {
		img.Pix[i] = uint8(i*int(shade)) | 1
	}
	img.Set(0, 0, color.NRGBA{})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return social.Upload{Body: &b, Name: "me.png", Description: "me"}
}

// Whoever shows a picture of themselves is seen with it on the sister: copied when they
// change it and never because somebody looks, small, for members alone, by the page's cookie
// or the address that an app is told; gone with the picture, and from who is blocked (A4, T35).
func TestPicturesOfPeopleElsewhere(t *testing.T) {
	g := newGallery(t, instancetest.Options{})
	wear := func(shade uint8) {
		t.Helper()
		var id social.ID
		if shade > 0 {
			m, err := g.a.Social.Upload(g.ctx, g.alice, portrait(t, shade))
			g.ok(err)
			id = m.ID
		}
		_, err := g.a.Social.UpdateProfile(g.ctx, g.alice, social.ProfileChange{AvatarID: &id})
		g.ok(err)
		g.net.Settle()
	}
	handle := instancetest.Handle(g.a, g.alice)
	there := func() *social.Account {
		t.Helper()
		a, err := g.b.Social.AccountByHandle(g.ctx, g.dora, handle)
		g.ok(err)
		return a
	}
	address := g.b.Config.PublicURL + "/media/face/" + there().ID.String()
	profile := g.b.Config.PublicURL + "/" + handle
	dora := cookie(t, g.b, g.dora)
	shown := func(want bool) {
		t.Helper()
		if got := strings.Contains(string(fetch(t, profile, dora).body), `src="/media/face/`+there().ID.String()); got != want {
			t.Errorf("the page shows the picture: %v", got)
		}
	}
	missing := fetch(t, g.b.Config.PublicURL+"/media/face/1234567890123456789", dora)
	if h := fetch(t, address, dora); h.said() != missing.said() || h.status != 404 {
		t.Errorf("without a picture: %d", h.status)
	}
	shown(false)
	wear(3)
	first := copies(t, g.b)
	if len(first) != 1 {
		t.Fatalf("%v are here", first)
	}
	h := fetch(t, address, dora)
	img, err := jpeg.Decode(bytes.NewReader(h.body))
	if err != nil || h.status != 200 || len(h.body) > 6<<10 || img.Bounds().Dx() != 96 || h.header.Get("Content-Type") != "image/jpeg" || h.header.Get("Cache-Control") != "private, max-age=3600" {
		t.Fatalf("%d, %d bytes, %v, %v", h.status, len(h.body), h.header, err)
	}
	shown(true)
	if h := fetch(t, address, nil); h.said() != fetch(t, g.b.Config.PublicURL+"/media/face/1234567890123456789", nil).said() || h.status != 404 {
		t.Errorf("signed out: %d", h.status)
	}
	if h := fetch(t, address, signed(t, g.a, g.alice.Account)); h.status != 404 {
		t.Errorf("another server: %d", h.status)
	}

	link := g.b.Social.FaceLink(g.dora, there())
	if h := fetch(t, link, nil); h.status != 200 {
		t.Errorf("by an app's address: %d", h.status)
	}
	if h := fetch(t, strings.Replace(link, "?v=", "?v=1", 1)+"x", nil); h.status != 404 {
		t.Errorf("by a forged one: %d", h.status)
	}
	if h := fetch(t, strings.Replace(link, there().ID.String(), g.bob.Account.ID.String(), 1), nil); h.status != 404 {
		t.Errorf("by that of somebody else: %d", h.status)
	}
	text, err := g.b.Auth.CreateToken(g.ctx, g.dora.Account.ID, auth.NewToken{App: "test", Scopes: "read", Bound: "company"})
	g.ok(err)
	token := func(q *http.Request) { q.Header.Set("Authorization", "Bearer "+text) }
	var said struct {
		Avatar string `json:"avatar"`
	}
	g.ok(json.Unmarshal(fetch(t, g.b.Config.PublicURL+"/api/v1/accounts/"+there().ID.String(), token).body, &said))
	if said.Avatar != link {
		t.Errorf("apps are told %q, not %q", said.Avatar, link)
	}

	wear(7)
	second := copies(t, g.b)
	if len(second) != 1 || second[0] == first[0] || bytes.Equal(fetch(t, address, dora).body, h.body) {
		t.Errorf("after another picture %v are here", second)
	}
	g.ok(os.Remove(filepath.Join(g.b.Config.DataDir, "media", second[0]))) // as after a restore
	if h := fetch(t, address, dora); h.status != 404 {
		t.Errorf("without its file: %d", h.status)
	}
	g.net.Settle()
	if h := fetch(t, address, dora); h.status != 200 {
		t.Errorf("and it did not come again: %d", h.status)
	}
	wear(0)
	if len(copies(t, g.b)) != 0 {
		t.Errorf("still here: %v", copies(t, g.b))
	}
	shown(false)
	wear(9)
	shown(true)
	g.net.Stop(0)
	if h := fetch(t, address, dora); h.status != 200 {
		t.Errorf("while its server is down: %d", h.status)
	}
	g.ok(g.b.Social.SetZone(g.ctx, g.a.Config.Domain, social.Zone{Kind: social.ZoneBlocked}, "test", "test"))
	if h := fetch(t, address, dora); h.said() != missing.said() {
		t.Errorf("of a blocked server: %d", h.status)
	}
	if strings.Contains(string(fetch(t, profile, dora).body), "/media/face/") {
		t.Error("the page shows a picture from a blocked server")
	}
}
