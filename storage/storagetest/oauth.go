package storagetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"parley/auth"
	"parley/social"
	"parley/storage"
)

// appsAreLetIn walks through what auth keeps of apps and their codes.
func appsAreLetIn(t *testing.T, db *storage.DB) {
	ctx, now := context.Background(), time.UnixMilli(1795528707818).UTC()
	alice := Account(t, db, "alice", "")
	app := &auth.App{ID: social.NewID(now), ClientID: "id", SecretHash: []byte("secret"), Name: "An app", Website: "https://app.test", RedirectURIs: []string{"https://app.test/a", "app://b"}, Scopes: "read write", CreatedAt: now}
	must(t, db.InsertApp(ctx, app))
	must(t, db.SetAppPKCE(ctx, app.ID))
	got, err := db.AppByClientID(ctx, "id")
	if err != nil || got.ID != app.ID || !got.PKCE || got.Name != app.Name || got.Website != app.Website || !slices.Equal(got.RedirectURIs, app.RedirectURIs) || got.Scopes != app.Scopes || !got.CreatedAt.Equal(now) || string(got.SecretHash) != "secret" {
		t.Errorf("%+v %v", got, err)
	}
	if same, err := db.App(ctx, app.ID); err != nil || same.ClientID != "id" {
		t.Errorf("%+v %v", same, err)
	}
	if _, err := db.AppByClientID(ctx, "other"); social.KindOf(err) != social.NotFound {
		t.Errorf("an unknown app: %v", err)
	}

	code := &auth.Code{Hash: []byte("c"), AppID: app.ID, AccountID: alice.ID, RedirectURI: "app://b", Scopes: "read", Bound: "company", Challenge: "x", ExpiresAt: now.Add(time.Minute)}
	late := &auth.Code{Hash: []byte("late"), AppID: app.ID, AccountID: alice.ID, RedirectURI: "app://b", Scopes: "read", ExpiresAt: now}
	must(t, first(db.InsertCode(ctx, code), db.InsertCode(ctx, late)))
	token := &auth.Token{ID: social.NewID(now), AccountID: alice.ID, AppID: app.ID, Hash: []byte("t"), App: app.Name, Scopes: "read", Bound: "company", CreatedAt: now, LastUsedAt: now}
	if err := db.InsertTokenOfCode(ctx, token); social.KindOf(err) != social.NotFound {
		t.Errorf("a token of no code: %v", err)
	}
	taken, err := db.TakeCode(ctx, []byte("c"), token.ID, now)
	if err != nil || taken.TokenID != 0 || taken.AccountID != alice.ID || taken.RedirectURI != "app://b" || taken.Bound != "company" || taken.Challenge != "x" || !taken.ExpiresAt.Equal(code.ExpiresAt) {
		t.Errorf("%+v %v", taken, err)
	}
	must(t, db.InsertTokenOfCode(ctx, token))
	if again, err := db.TakeCode(ctx, []byte("c"), 5, now); err != nil || again.TokenID != token.ID {
		t.Errorf("a second time: %+v %v", again, err)
	}
	for _, hash := range []string{"late", "none"} {
		if _, err := db.TakeCode(ctx, []byte(hash), 6, now); social.KindOf(err) != social.NotFound {
			t.Errorf("%s: %v", hash, err)
		}
	}
	if kept, err := db.TokenByHash(ctx, []byte("t")); err != nil || kept.AppID != app.ID || kept.Bound != "company" {
		t.Errorf("%+v %v", kept, err)
	}

	own := &auth.Token{Hash: []byte("own"), AppID: app.ID, Scopes: "read", CreatedAt: now}
	must(t, db.InsertAppToken(ctx, own))
	if kept, err := db.AppToken(ctx, []byte("own"), now.Add(-time.Minute)); err != nil || kept.App != "An app" || kept.AccountID != 0 || kept.Scopes != "read" {
		t.Errorf("%+v %v", kept, err)
	}
	if _, err := db.AppToken(ctx, []byte("own"), now.Add(time.Minute)); social.KindOf(err) != social.NotFound {
		t.Errorf("an old one: %v", err)
	}
	must(t, first(db.DeleteAppsToken(ctx, 1, []byte("t")), db.DeleteAppsToken(ctx, app.ID, []byte("own"))))
	if _, err := db.TokenByHash(ctx, []byte("t")); err != nil {
		t.Errorf("another app ended it: %v", err)
	}
	must(t, db.DeleteAppsToken(ctx, app.ID, []byte("t")))
	_, err = db.TokenByHash(ctx, []byte("t"))
	_, err2 := db.AppToken(ctx, []byte("own"), now.Add(-time.Minute))
	if social.KindOf(err) != social.NotFound || social.KindOf(err2) != social.NotFound {
		t.Errorf("they are there still: %v %v", err, err2)
	}
	// A much later code and token clear away what is old.
	must(t, first(db.InsertAppToken(ctx, own), db.InsertAppToken(ctx, &auth.Token{Hash: []byte("new"), AppID: app.ID, CreatedAt: now.AddDate(1, 0, 0)}),
		db.InsertCode(ctx, &auth.Code{Hash: []byte("new"), AppID: app.ID, AccountID: alice.ID, ExpiresAt: now.AddDate(1, 0, 0)})))
	if _, err := db.AppToken(ctx, []byte("own"), now.Add(-time.Minute)); social.KindOf(err) != social.NotFound {
		t.Errorf("a very old one: %v", err)
	}
	if _, err := db.TakeCode(ctx, []byte("c"), 7, now); social.KindOf(err) != social.NotFound {
		t.Errorf("a very old code: %v", err)
	}
	must(t, db.EndAccess(ctx, alice.ID))
	if _, err := db.TakeCode(ctx, []byte("new"), 8, now); social.KindOf(err) != social.NotFound {
		t.Errorf("a code of who was signed out everywhere: %v", err)
	}
}
