package api

import (
	"errors"
	"net/http"
	"strings"

	"parley/auth"
	"parley/serve"
	"parley/social"
)

func (a *API) oauthRoutes() []route {
	return []route{
		{route: "POST /api/v1/apps", run: a.registerApp,
			does: "Register an app", takes: in{"client_name! text what people read", "redirect_uris! texts where a browser may return to; urn:ietf:wg:oauth:2.0:oob shows the code", "scopes text what it may ask for, read if nothing is named", "website text of the app"}, gives: appShape{}},
		{route: "GET /api/v1/apps/verify_credentials", run: a.verifyApp,
			does: "The app behind the token", gives: appShape{}},
		{route: "POST /oauth/token", run: oauth(a.exchange),
			does: "Exchange a code, or the app's own secret, for a token", takes: in{"grant_type! text authorization_code or client_credentials", "client_id text or by Basic", "client_secret text or by Basic", "code text as the browser brought it", "redirect_uri text the same as before", "code_verifier text for PKCE with S256", "scope text of client_credentials"}, gives: tokenShape{}},
		{route: "POST /oauth/revoke", run: oauth(a.revoke),
			does: "End a token", takes: in{"client_id text or by Basic", "client_secret text or by Basic", "token! text which"}, gives: empty{}},
		{route: "GET /oauth/userinfo", scope: "profile", run: a.userInfo,
			does: "Who the member is, as OpenID Connect has it", gives: userInfo{}},
		{route: "GET /.well-known/oauth-authorization-server", run: a.oauthMetadata,
			does: "How apps come to a token (RFC 8414)", gives: oauthMetadata{}},
	}
}

// appShape is an Application; the secret is there once.
type appShape struct {
	ID            string   `json:"id"`
	Name          string   `json:"name"`
	Website       *string  `json:"website"`
	Scopes        []string `json:"scopes"`
	RedirectURIs  []string `json:"redirect_uris"`
	RedirectURI   string   `json:"redirect_uri"`
	VapidKey      string   `json:"vapid_key"`
	ClientID      string   `json:"client_id,omitempty"`
	ClientSecret  string   `json:"client_secret,omitempty"`
	SecretExpires *int     `json:"client_secret_expires_at,omitempty"`
}

func (a *API) appShape(app *auth.App) appShape {
	out := appShape{ID: app.ID.String(), Name: app.Name, Scopes: strings.Fields(app.Scopes), RedirectURIs: app.RedirectURIs,
		RedirectURI: strings.Join(app.RedirectURIs, "\n"), VapidKey: a.PushKey}
	if app.Website != "" {
		out.Website = &app.Website
	}
	return out
}

// registerApp takes redirect URIs as an array, or as lines of one text.
func (a *API) registerApp(c *call) (any, error) {
	if address := serve.Address(c.Context()); !address.IsLoopback() {
		if _, err := a.newApps.Take(address); err != nil {
			return nil, err
		}
	}
	n := auth.NewApp{Name: c.in.Get("client_name"), Website: c.in.Get("website"), Scopes: c.in.Get("scopes")}
	for _, lines := range append(c.in["redirect_uris"], c.in["redirect_uris[]"]...) {
		n.RedirectURIs = append(n.RedirectURIs, strings.Fields(lines)...)
	}
	app, secret, err := a.Auth.Register(c.Context(), n)
	if err != nil {
		return nil, err
	}
	out, never := a.appShape(app), 0
	out.ClientID, out.ClientSecret, out.SecretExpires = app.ClientID, secret, &never
	return out, nil
}

// verifyApp tells an app by its token, with a user or without, who it is.
func (a *API) verifyApp(c *call) (any, error) {
	if c.token == nil {
		return nil, errToken()
	}
	app, err := a.Auth.App(c.Context(), c.token)
	if err != nil {
		return nil, err
	}
	if app == nil { // a token that was made here
		app = &auth.App{ID: c.token.ID, Name: c.token.App, Scopes: c.token.Scopes, RedirectURIs: []string{}}
	}
	return a.appShape(app), nil
}

// oauth answers refusals in the form of RFC 6749 5.2.
func oauth(run endpoint) endpoint {
	return func(c *call) (any, error) {
		c.w.Header().Set("Cache-Control", "no-store")
		v, err := run(c)
		var refused *auth.OAuthError
		if !errors.As(err, &refused) {
			return v, err
		}
		status := http.StatusBadRequest
		switch refused.Code {
		case "invalid_client":
			status = http.StatusUnauthorized
			c.w.Header().Set("WWW-Authenticate", `Basic realm="oauth"`)
		case "unauthorized_client":
			status = http.StatusForbidden
		}
		serve.JSON(c.w, status, map[string]string{"error": refused.Code, "error_description": refused.Description})
		return streamed, nil
	}
}

// client reads who the app is: from the body, or by Basic (RFC 6749 2.3.1).
func (c *call) client() (id, secret string) {
	if id, secret, ok := c.BasicAuth(); ok {
		return id, secret
	}
	return c.in.Get("client_id"), c.in.Get("client_secret")
}

type tokenShape struct {
	Token     string `json:"access_token"`
	Kind      string `json:"token_type"`
	Scope     string `json:"scope"`
	CreatedAt int64  `json:"created_at"` // seconds
}

func (a *API) exchange(c *call) (any, error) {
	x := auth.Exchange{GrantType: c.in.Get("grant_type"), Code: c.in.Get("code"), RedirectURI: c.in.Get("redirect_uri"), Verifier: c.in.Get("code_verifier"), Scopes: c.in.Get("scope")}
	x.ClientID, x.ClientSecret = c.client()
	text, t, err := a.Auth.Exchange(c.Context(), x)
	if err != nil {
		return nil, err
	}
	return tokenShape{Token: text, Kind: "Bearer", Scope: t.Scopes, CreatedAt: t.CreatedAt.Unix()}, nil
}

func (a *API) revoke(c *call) (any, error) {
	id, secret := c.client()
	return empty{}, a.Auth.RevokeText(c.Context(), id, secret, c.in.Get("token"))
}

// userInfo is OpenID Connect's, as Mastodon answers it.
func (a *API) userInfo(c *call) (any, error) {
	me, err := a.Social.Account(c.Context(), c.reader, c.reader.AccountID())
	if err != nil {
		return nil, err
	}
	p := c.accountShape(me)
	return userInfo{Issuer: a.Links.PublicURL, Subject: me.URI, Name: p.DisplayName, PreferredUsername: me.Username, Profile: p.URL, Picture: p.Avatar}, nil
}

// oauthMetadata is RFC 8414's, with Mastodon's address for registering apps.
func (a *API) oauthMetadata(*call) (any, error) {
	at := func(path string) string { return a.Links.PublicURL + path }
	return oauthMetadata{Issuer: a.Links.PublicURL + "/", Documentation: at("/about"),
		Authorization: at("/oauth/authorize"), Token: at("/oauth/token"), Registration: at("/api/v1/apps"),
		Revocation: at("/oauth/revoke"), UserInfo: at("/oauth/userinfo"), Scopes: auth.Scopes(),
		ResponseTypes: []string{"code"}, ResponseModes: []string{"query"}, GrantTypes: []string{"authorization_code", "client_credentials"},
		AuthMethods: []string{"client_secret_basic", "client_secret_post"}, ChallengeMethods: []string{"S256"}}, nil
}

func errToken() error {
	return social.Errorf(social.Unauthenticated, "The access token is invalid")
}
