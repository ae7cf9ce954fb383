package federation_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/activitypub/httpsig"
	"parley/activitypub/proof"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// pair lets two instances pin each other's keys.
func pair(t testing.TB, a, b *instance.Instance) {
	t.Helper()
	pin(t, a, b)
	pin(t, b, a)
}

// pin gives a what it needs to know of b.
func pin(t testing.TB, a, b *instance.Instance) {
	t.Helper()
	ctx := context.Background()
	p := social.Pairing{Authority: b.Config.Domain, State: social.PairingActive, Zone: social.Zone{Kind: social.ZoneCompany}, Since: time.Now().Add(-24 * time.Hour)}
	err := b.DB.View(ctx, func(tx social.Tx) error {
		for uri, raw := range map[string]*[]byte{"/actor#ed25519": &p.SigningKey, "/actor#sealing": &p.SealingKey} {
			k, err := tx.KeyByURI(ctx, b.Config.PublicURL+uri)
			if err != nil {
				return err
			}
			if *raw, err = k.Raw(); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = a.DB.Tx(ctx, func(tx social.Tx) error { return tx.PutPairing(ctx, p) })
	}
	if err != nil {
		t.Fatal(err)
	}
}

// sisters are two paired instances with everything on the wire between them.
func sisters(t *testing.T, o instancetest.Options) (*instancetest.Network, *instancetest.Wire) {
	t.Helper()
	wire := &instancetest.Wire{}
	o.Wire = wire
	net := instancetest.NewWith(t, 2, o)
	pair(t, net.Instances[0], net.Instances[1])
	return net, wire
}

// acquaint lets a reader follow somebody elsewhere.
func acquaint(t *testing.T, net *instancetest.Network, in *instance.Instance, r social.Reader, handle string) *social.Account {
	t.Helper()
	a, err := in.Social.FindHandle(context.Background(), r, handle)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Social.Follow(context.Background(), r, a.ID, social.FollowOptions{}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	return a
}

// Everything that people of two sisters do reaches the other side, and nothing of it
// stands readable on the wire between them.
func TestSistersExchangeEverythingSealed(t *testing.T) {
	net, wire := sisters(t, instancetest.Options{})
	a, b := net.Instances[0], net.Instances[1]
	ctx := context.Background()
	alice, carol := net.Member(a, "alice"), net.Member(b, "carol")
	publish(t, a, alice, social.Draft{Text: "canary before", Audience: "company"})
	acquaint(t, net, b, carol, instancetest.Handle(a, alice))
	media, err := a.Social.Upload(ctx, alice, social.Upload{Body: picture(t), Name: "canary.png", Description: "canary alt"})
	if err != nil {
		t.Fatal(err)
	}
	first := publish(t, a, alice, social.Draft{Text: "canary company", Audience: "company", MediaIDs: []social.ID{media.ID}})
	publish(t, a, alice, social.Draft{Text: "canary followers", Audience: "followers"})
	publish(t, a, alice, social.Draft{Text: "canary direct " + instancetest.Handle(b, carol), Audience: "direct"})
	publish(t, a, alice, social.Draft{Text: "canary public", Audience: "public"})
	net.Settle()
	home, err := b.Social.Home(ctx, carol, social.Page{Limit: 20})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, v := range home {
		texts = append(texts, v.Post.Content)
	}
	told, err := b.Social.Notifications(ctx, carol, social.Page{}, social.NotificationFilter{Kinds: []social.NotificationKind{social.NotifyMention}})
	if err != nil || len(told) != 1 {
		t.Fatalf("%d mentions: %v", len(told), err)
	}
	texts = append(texts, told[0].Post.Post.Content)
	for _, want := range []string{"before", "company", "followers", "direct", "public"} {
		if !strings.Contains(strings.Join(texts, "\n"), "canary "+want) {
			t.Errorf("%q did not arrive: %q", want, texts)
		}
	}
	there, err := b.Social.PostByURI(ctx, carol, first.URI)
	if err != nil {
		t.Fatal(err)
	}
	f, m, err := b.Social.OpenRemote(ctx, carol, there.Post.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	copied, err := io.ReadAll(f)
	if err != nil || len(copied) == 0 || !strings.HasPrefix(m.Attachment.MediaType, "image/") {
		t.Errorf("%d bytes of %s: %v", len(copied), m.Attachment.MediaType, err)
	}
	_ = f.Close()
	publish(t, b, carol, social.Draft{Text: "canary reply", InReplyTo: there.Post.ID})
	if _, err := b.Social.Favourite(ctx, carol, there.Post.ID, true); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	seen, err := a.Social.Post(ctx, alice, first.ID)
	if err != nil || seen.Post.FavouritesCount != 1 || seen.Post.RepliesCount != 1 {
		t.Errorf("%+v: %v", seen.Post, err)
	}
	var all []byte
	for _, e := range wire.All() {
		if e.Target != "/actor" && e.Target != "/api/parley/v1/pair" { // what everybody may know, before they were paired
			all = append(append(all, e.Request()...), e.Response()...)
		}
	}
	if len(all) < 20_000 {
		t.Errorf("only %d bytes were on the wire", len(all))
	}
	for _, secret := range [][]byte{[]byte("canary"), []byte("preferredUsername"), copied[:64], copied[len(copied)-64:]} {
		if at := bytes.Index(all, secret); at >= 0 {
			t.Errorf("%q stands on the wire: %q", secret, all[max(0, at-300):at+100])
		}
	}
}

// picture is a small one that is not easily guessed.
func picture(t *testing.T) io.Reader {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 120, 80))
	for x := range 120 {
		for y := range 80 {
			img.Set(x, y, color.RGBA{uint8(x * y), uint8(x + 3*y), uint8(x ^ y), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return &b
}

// A key that a sister's domain showed before the pairing is not believed after it, when
// somebody else passes on what is signed with it: it is read anew, sealed by her.
func TestKeysFromBeforeAPairingAreReadAgain(t *testing.T) {
	network, _ := sisters(t, instancetest.Options{})
	a, b := network.Instances[0], network.Instances[1]
	ctx := context.Background()
	alice, carol := network.Member(a, "alice"), network.Member(b, "carol")
	acquaint(t, network, a, alice, instancetest.Handle(b, carol))
	passer := second(t, a, social.ZonePublic)
	id := carol.Account.URI + "#ed25519"
	keyOf := func(in *instance.Instance) (k social.Key) {
		if err := in.DB.View(ctx, func(tx social.Tx) (err error) { k, err = tx.KeyByURI(ctx, id); return err }); err != nil {
			t.Fatal(err)
		}
		return k
	}
	forged, private, err := httpsig.GenerateEd25519()
	if err != nil {
		t.Fatal(err)
	}
	shown := keyOf(a)
	shown.Public, shown.FetchedAt = forged, time.Now().Add(-48*time.Hour)
	if err := a.DB.Tx(ctx, func(tx social.Tx) error { return tx.PutKey(ctx, shown) }); err != nil {
		t.Fatal(err)
	}
	for n, by := range [][]byte{private, keyOf(b).Private} { // the forged one first

		signer, err := httpsig.ParsePrivate(by)
		if err != nil {
			t.Fatal(err)
		}
		note := map[string]any{"id": fmt.Sprintf("%s/statuses/%d", carol.Account.URI, n), "type": "Note", "attributedTo": carol.Account.URI, "content": "hi",
			"to": "https://www.w3.org/ns/activitystreams#Public"}
		create := map[string]any{"id": fmt.Sprintf("%s/activities/%d", b.Config.PublicURL, n), "type": "Create", "actor": carol.Account.URI, "object": note}
		body := proven(t, create, proof.Key{ID: id, Private: signer.(ed25519.PrivateKey)}, time.Now())
		want := map[bool]int{true: http.StatusUnauthorized, false: http.StatusAccepted}[n == 0]
		if got := passer.send(a.Config.PublicURL+"/inbox", body, httpsig.Cavage, nil); got != want {
			t.Errorf("passed on with key %d: answered %d", n, got)
		}
	}
}

// A file goes sealed whole, at any size that is taken, and says nothing in its headers.
func TestLargeFilesGoSealed(t *testing.T) {
	network, wire := sisters(t, instancetest.Options{})
	a, b := network.Instances[0], network.Instances[1]
	ctx := context.Background()
	alice, carol := network.Member(a, "alice"), network.Member(b, "carol")
	acquaint(t, network, b, carol, instancetest.Handle(a, alice))
	whole := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("canary "), 3<<20/7)...)
	media, err := a.Social.Upload(ctx, alice, social.Upload{Body: bytes.NewReader(whole), Name: "canary.pdf"})
	if err != nil {
		t.Fatal(err)
	}
	p := publish(t, a, alice, social.Draft{Text: "a report", Audience: "company", MediaIDs: []social.ID{media.ID}})
	network.Settle()
	there, err := b.Social.PostByURI(ctx, carol, p.URI)
	if err != nil {
		t.Fatal(err)
	}
	f, m, err := b.Social.OpenRemote(ctx, carol, there.Post.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, whole) || m.Attachment.MediaType != "application/pdf" {
		t.Errorf("%d of %d bytes, %s: %v", len(got), len(whole), m.Attachment.MediaType, err)
	}
	for _, at := range network.Instances {
		if all := wire.Seen(at.Config.Domain); bytes.Contains(all, []byte("canary")) || bytes.Contains(all, []byte("Content-Disposition")) {
			t.Error("the file or its name stands on the wire")
		}
	}
}
