package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/html"

	"parley/auth"
	"parley/instance/instancetest"
	"parley/web"
)

// The nineteen rules by which real apps break when a server breaks them (clients.md,
// section 2): each is held over HTTP against an instance as it is served.
func TestTheRulesOfClients(t *testing.T) {
	rich := sync.OnceValue(func() []told { return gather(t) })
	of := func(keeps func(*testing.T, []told)) func(*testing.T) {
		return func(t *testing.T) { keeps(t, rich()) }
	}
	for _, rule := range []struct {
		name  string
		keeps []func(*testing.T)
	}{
		{"1 version", []func(*testing.T){versionIsReadByEveryParser}},
		{"2 promise", []func(*testing.T){versionPromisesWhatIsThere}},
		{"3 ids", []func(*testing.T){of(idsAreDigitsOfOneLength), idsGrowWithTime}},
		{"4 link", []func(*testing.T){timelinesArePagedWithoutGapOrDuplicate, otherListsArePaged, linksLeadHere}},
		{"5 visibility", []func(*testing.T){of(visibilityIsAClosedSet), audiencesOfAnApp}},
		{"6 oauth", []func(*testing.T){tokensWithoutPKCEAndWith, clientsAreRemembered}},
		{"7 redirect uris", []func(*testing.T){redirectURIsAreThoseOfTheApp}},
		{"8 consent policy", []func(*testing.T){consentLeadsToTheApp}},
		{"9 scopes", []func(*testing.T){scopesAreThoseRegistered, consentHeedsWhatAppsAsk}},
		{"10 cors", []func(*testing.T){otherSitesMayCall}},
		{"11 streaming", []func(*testing.T){aSocketCarriesManyStreams, aSocketIsForItsToken, streamsAreToldWhereTheyAre, streamsOfEventsBeat}},
		{"12 media", []func(*testing.T){filesAreKept, fileKindsToldAreTaken}},
		{"13 idempotency key", []func(*testing.T){oneKeyMakesOnePost}},
		{"14 errors", []func(*testing.T){errorsSayWhatIsWrong, callersSeeWhatTheyHaveLeft, oauthErrorsDescribe}},
		{"15 html", []func(*testing.T){of(htmlIsClean), hostileHTMLIsCleaned}},
		{"16 never null", []func(*testing.T){of(whatAppsNeedIsNeverNull)}},
		{"17 web push", []func(*testing.T){appsSubscribeToPush, pushKeyIsTold}},
		{"18 nodeinfo", []func(*testing.T){nodeinfoNamesUs}},
		{"19 limits", []func(*testing.T){limitsToldAreThoseThatHold, listsShowTheirPeople, filtersMarkAndHide}},
	} {
		t.Run(rule.name, func(t *testing.T) {
			for _, keeps := range rule.keeps {
				keeps(t)
			}
		})
	}
}

// Semantic versioning with our own version as build metadata: that is what the parsers of
// apps and libraries take at once. IceCubes reads the first three characters as a number.
func versionIsReadByEveryParser(t *testing.T) {
	w := start(t)
	semver := regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)
	v1, v2 := text(w.nobs.get("/api/v1/instance").ok(), "version"), text(w.nobs.get("/api/v2/instance").ok(), "version")
	parts := semver.FindStringSubmatch(v2)
	if parts == nil || v1 != v2 || parts[4] != "" || !strings.HasPrefix(parts[5], "+parley.") {
		t.Fatalf("%q, and %q to older apps", v2, v1)
	}
	if n, err := strconv.ParseFloat(v2[:3], 64); err != nil || fmt.Sprint(n) != parts[1]+"."+parts[2] {
		t.Errorf("the first three characters of %s are another version", v2)
	}
}

// IceCubes finds the next page by max_id=[0-9]+, Tusky compares lengths before letters.
func idsAreDigitsOfOneLength(t *testing.T, all []told) {
	n := 0
	each(all, func(path, key string, v any) {
		if v == nil || key != "id" && !strings.HasSuffix(key, "_id") || strings.Contains(path, ".rules.") || strings.Contains(path, ".role.") || strings.Contains(path, "/tags/") || strings.Contains(path, "followed_tags") || key == "application_id" || key == "client_id" {
			return // what is no thing of its own, or is called by its name
		}
		if n++; id(v) != "" {
			t.Errorf("%s %s", path, id(v))
		}
	})
	if n < 300 {
		t.Errorf("only %d ids were there to look at", n)
	}
}

func idsGrowWithTime(t *testing.T) {
	w := start(t)
	var made []string
	for i := range 5 {
		made = append(made, w.alice.write(fmt.Sprint("number ", i), "company"), w.alice.picture())
	}
	if !slices.IsSorted(made) || len(slices.Compact(slices.Clone(made))) != len(made) {
		t.Errorf("%v", made)
	}
}

// linksLeadHere: absolute addresses, next with max_id and prev with min_id, which pages of
// other sites may read; and a list that is shorter than asked for has each once.
func linksLeadHere(t *testing.T) {
	w := start(t)
	for i := range 3 {
		id := w.alice.write(fmt.Sprint("@bob number ", i), "company")
		w.bob.post("/api/v1/statuses/"+id+"/favourite", nil).ok()
		w.bob.post("/api/v1/statuses/"+id+"/bookmark", nil).ok()
	}
	for _, path := range []string{"/api/v1/timelines/public", "/api/v1/accounts/" + w.alice.id + "/statuses", "/api/v1/favourites", "/api/v1/bookmarks", "/api/v1/notifications"} {
		a := w.bob.get(path + "?limit=2")
		links := a.links()
		for rel, bound := range map[string]string{"next": "max_id", "prev": "min_id"} {
			u, err := url.Parse(links[rel])
			if err != nil || !strings.HasPrefix(links[rel], w.in.Config.PublicURL+path+"?") || !u.Query().Has(bound) || u.Query().Get("limit") != "2" {
				t.Errorf("%s: %s is %q", path, rel, links[rel])
			}
		}
		if !strings.Contains(a.header.Get("Access-Control-Expose-Headers"), "Link") {
			t.Errorf("%s: other sites may not read the links", path)
		}
		if got := ids(w.bob.get(path + "?limit=40").list()); len(got) != 3 || len(slices.Compact(slices.Sorted(slices.Values(got)))) != 3 {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func visibilityIsAClosedSet(t *testing.T, all []told) {
	seen := map[string]bool{}
	each(all, func(path, key string, v any) {
		if key == "visibility" || key == "privacy" || key == "posting:default:visibility" {
			if wrong := visibility(v); wrong != "" {
				t.Errorf("%s %s", path, wrong)
			}
			seen[fmt.Sprint(v)] = true
		}
	})
	for _, one := range []string{"public", "private", "direct"} {
		if !seen[one] {
			t.Errorf("nothing %s to look at", one)
		}
	}
}

// app is what a program registered.
type app struct{ id, secret, redirect, scopes string }

func (w *world) register(redirect, scopes string) app {
	w.Helper()
	v := w.nobs.post("/api/v1/apps", form{"client_name": {"Reader"}, "redirect_uris": {redirect}, "scopes": {scopes}}).ok()
	return app{text(v, "client_id"), text(v, "client_secret"), strings.Fields(redirect)[0], scopes}
}

// asks is the query by which an app sends its user for consent; more replaces its parts.
func (a app) asks(more ...string) url.Values {
	q := url.Values{"response_type": {"code"}, "client_id": {a.id}, "redirect_uri": {a.redirect}, "scope": {a.scopes}, "state": {"a&b"}}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return q
}

// visits opens a page as who is signed in with a browser, and follows no redirection.
func (w *world) visits(who *client, method, path string, body form) *answer {
	w.Helper()
	w.setUp.Do(func() {
		if err := w.in.Social.FinishSetUp(w.Context()); err != nil {
			w.Fatal(err)
		}
	})
	session, err := w.in.Auth.Begin(w.Context(), who.who.Account.ID, "test")
	if err != nil {
		w.Fatal(err)
	}
	r := w.nobs.request(method, path, body)
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Origin", w.in.Config.PublicURL)
	r.AddCookie(&http.Cookie{Name: web.CookieName(w.in.Config.Domain), Value: session})
	return w.nobs.send(r)
}

// consents says yes and answers what the app is told: a code, or an error.
func (w *world) consents(who *client, q url.Values) url.Values {
	w.Helper()
	body := maps.Clone(q)
	body["do"], body["reach"] = []string{"allow"}, []string{"company"}
	to, err := url.Parse(w.visits(who, "POST", "/oauth/authorize", body).is(http.StatusSeeOther).header.Get("Location"))
	if err != nil {
		w.Fatal(err)
	}
	return to.Query()
}

func (w *world) exchange(a app, code string, more ...string) *answer {
	w.Helper()
	f := form{"grant_type": {"authorization_code"}, "client_id": {a.id}, "client_secret": {a.secret}, "code": {code}, "redirect_uri": {a.redirect}}
	for i := 0; i < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}
	return w.nobs.post("/oauth/token", f)
}

// An app with its secret needs no PKCE, which five of seven do not know. One that used it
// once needs it for ever, and so does one without a secret. A token has no end that an app
// would have to know, and ends at once when it is revoked.
func tokensWithoutPKCEAndWith(t *testing.T) {
	w := start(t)
	const back = "https://app.example/callback"
	plain := w.register(back, "read write")
	token := w.exchange(plain, w.consents(w.alice, plain.asks()).Get("code")).ok()
	if token["token_type"] != "Bearer" || token["scope"] != "read write" || token["expires_in"] != nil || token["refresh_token"] != nil || count(token["created_at"]) != "" {
		t.Errorf("%v", token)
	}
	mine := *w.alice
	mine.token = text(token, "access_token")
	if me := mine.get("/api/v1/accounts/verify_credentials").ok(); me["id"] != w.alice.id {
		t.Errorf("%v", me)
	}
	w.nobs.post("/oauth/revoke", form{"client_id": {plain.id}, "client_secret": {plain.secret}, "token": {mine.token}}).ok()
	mine.get("/api/v1/accounts/verify_credentials").refused(401)

	const verifier = "the-verifier-of-an-app-that-is-long-enough-for-it"
	sum := sha256.Sum256([]byte(verifier))
	with := []string{"code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]), "code_challenge_method", "S256"}
	public := w.register(back, "read")
	code := w.consents(w.alice, public.asks()).Get("code")
	if got := w.exchange(public, code, "client_secret", "").is(401); !strings.Contains(string(got.body), "PKCE") {
		t.Errorf("neither secret nor PKCE: %s", got.body)
	}
	code = w.consents(w.alice, public.asks(with...)).Get("code")
	w.exchange(public, code, "client_secret", "", "code_verifier", "another").is(400)
	code = w.consents(w.alice, public.asks(with...)).Get("code")
	w.exchange(public, code, "client_secret", "", "code_verifier", verifier).ok()
	if got := w.consents(w.alice, public.asks()).Get("error"); got != "invalid_request" {
		t.Errorf("without PKCE after it was used: %q", got)
	}
	if got := w.nobs.get("/.well-known/oauth-authorization-server").ok()["code_challenge_methods_supported"]; fmt.Sprint(got) != "[S256]" {
		t.Errorf("the metadata names %v", got)
	}
}

// Apps keep what they registered: it stays good, and they register anew when they hear
// that it is not.
func clientsAreRemembered(t *testing.T) {
	w := start(t)
	known := w.register("https://app.example/callback", "read")
	for range 2 {
		w.exchange(known, "", "grant_type", "client_credentials").ok()
	}
	if v := w.exchange(app{id: "none", secret: "none"}, "x").is(401); text(v.object(), "error") != "invalid_client" {
		t.Errorf("%s", v.body)
	}
}

// object reads one, whatever its status.
func (a *answer) object() (v object) {
	a.t.Helper()
	a.into(&v)
	return v
}

// Several, as lines or as a list, of the forms that apps use; what a browser runs is none;
// and a code goes to one of them, letter by letter.
func redirectURIsAreThoseOfTheApp(t *testing.T) {
	w := start(t)
	good := []string{"https://app.example/callback", "http://localhost:8080/callback", "icecubesapp://", "com.tusky-auth://callback", auth.OutOfBand}
	for name, body := range map[string]any{"lines": form{"client_name": {"x"}, "redirect_uris": {strings.Join(good, "\n")}}, "list": object{"client_name": "x", "redirect_uris": good}} {
		v := w.nobs.post("/api/v1/apps", body).ok()
		if got := fmt.Sprint(v["redirect_uris"]); got != fmt.Sprint(good) || v["redirect_uri"] != strings.Join(good, "\n") {
			t.Errorf("as %s: %v, %v", name, got, v["redirect_uri"])
		}
		for _, to := range good[:4] {
			a := app{text(v, "client_id"), text(v, "client_secret"), to, "read"}
			w.exchange(a, w.consents(w.alice, a.asks()).Get("code")).ok()
		}
	}
	for _, bad := range []string{"javascript:alert(1)", "data:text/html,x", "JavaScript:alert(1)", "file:///etc/passwd", "http://app.example/callback", ""} {
		w.nobs.post("/api/v1/apps", form{"client_name": {"x"}, "redirect_uris": {bad}}).refused(422)
	}
	a := w.register(good[0], "read")
	for _, other := range []string{good[0] + "/", good[0] + "?x=1", "https://app.example/Callback", "https://app.example"} {
		w.visits(w.alice, "GET", "/oauth/authorize?"+a.asks("redirect_uri", other).Encode(), nil).is(422)
		code := w.consents(w.alice, a.asks()).Get("code")
		w.exchange(a, code, "redirect_uri", other).is(400)
	}
	// toot's user carries the code by hand.
	hand := w.register(auth.OutOfBand, "read")
	body := hand.asks("do", "allow", "reach", "company")
	page := w.visits(w.alice, "POST", "/oauth/authorize", body).is(200)
	code := regexp.MustCompile(`id="app-code"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*id="app-code"`).FindSubmatch(page.body)
	if code == nil {
		t.Fatalf("no code in %.3000s", page.body)
	}
	w.exchange(hand, string(code[1])+string(code[2])).ok()
}

// The answer to the consent's form is a redirection to the app: the page's policy has to
// allow it, or browsers stop there. On no other page is it allowed.
func consentLeadsToTheApp(t *testing.T) {
	w := start(t)
	for to, source := range map[string]string{"https://app.example:8443/callback?x=1": "https://app.example:8443", "http://localhost:3000/": "http://localhost:3000", "icecubesapp://": "icecubesapp:"} {
		page := w.visits(w.alice, "GET", "/oauth/authorize?"+w.register(to, "read").asks().Encode(), nil).is(200)
		if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' "+source+";") {
			t.Errorf("to %s: %s", to, policy)
		}
	}
	if policy := w.visits(w.alice, "GET", "/", nil).header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self';") {
		t.Errorf("elsewhere: %s", policy)
	}
}

func scopesAreThoseRegistered(t *testing.T) {
	w := start(t)
	const back = "https://app.example/callback"
	for _, scopes := range []string{"read write follow push", "read write follow", "read:accounts read:statuses write:media", "profile", "read"} {
		a := w.register(back, scopes)
		if v := w.exchange(a, w.consents(w.alice, a.asks()).Get("code")).ok(); v["scope"] != scopes {
			t.Errorf("%s: %v", scopes, v["scope"])
		}
	}
	narrow := w.register(back, "read")
	for _, more := range []string{"read write", "push", "admin:write"} {
		if got := w.consents(w.alice, narrow.asks("scope", more)); got.Get("error") != "invalid_scope" || got.Get("state") != "a&b" {
			t.Errorf("%s: %v", more, got)
		}
	}
	if got := w.consents(w.alice, narrow.asks()); got.Get("state") != "a&b" || got.Get("code") == "" {
		t.Errorf("%v", got)
	}
	only := *w.alice
	only.token = text(w.exchange(narrow, w.consents(w.alice, narrow.asks()).Get("code")).ok(), "access_token")
	only.post("/api/v1/statuses", form{"status": {"x"}}).refused(403)
}

func consentHeedsWhatAppsAsk(t *testing.T) {
	w := start(t)
	a := w.register("https://app.example/callback", "read")
	ask := func(more ...string) string { return "/oauth/authorize?" + a.asks(more...).Encode() }
	if to := w.visits(w.alice, "GET", ask("force_login", "true"), nil).is(http.StatusSeeOther).header.Get("Location"); !strings.Contains(to, "/sign-in") {
		t.Errorf("force_login leads to %s", to)
	}
	for lang, sign := range map[string]string{"de": "Anmelden", "en": "Sign in"} {
		r := w.nobs.request("GET", ask("lang", lang), nil)
		r.Header.Set("Accept", "text/html")
		to := w.nobs.send(r).is(http.StatusSeeOther).header.Get("Location")
		if page := w.nobs.get(to).is(200); !strings.Contains(string(page.body), sign) {
			t.Errorf("in %s one reads %.500s", lang, page.body)
		}
	}
	// toot asks with a slash.
	w.visits(w.alice, "GET", strings.Replace(ask(), "authorize?", "authorize/?", 1), nil).is(200)
}

// pinafore took 19 vain attempts where wss was told of a server without TLS.
func streamsAreToldWhereTheyAre(t *testing.T) {
	w := start(t)
	want := "ws" + strings.TrimPrefix(w.in.Config.PublicURL, "http")
	if got := text(w.nobs.get("/api/v2/instance").ok(), "configuration.urls.streaming"); got != want {
		t.Errorf("streams are at %s, not %s", got, want)
	}
	if got := text(w.nobs.get("/api/v1/instance").ok(), "urls.streaming_api"); got != want {
		t.Errorf("to older apps they are at %s, not %s", got, want)
	}
}

// streamsOfEventsBeat: what says nothing for long is cut off on the way, so that a stream
// of events says a comment at once, and again and again.
func streamsOfEventsBeat(t *testing.T) {
	w := start(t)
	r := w.alice.request("GET", "/api/v1/streaming/user", nil)
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	said := make([]byte, 7)
	if _, err := res.Body.Read(said); err != nil || !strings.HasPrefix(string(said), ":") {
		t.Errorf("%q %v", said, err)
	}
}

// toot prints error_description, other apps error; each has its status.
func oauthErrorsDescribe(t *testing.T) {
	w := start(t)
	a := w.register("https://app.example/callback", "read")
	for want, f := range map[string]form{
		"400 invalid_grant":          {"grant_type": {"authorization_code"}, "client_id": {a.id}, "client_secret": {a.secret}, "code": {"x"}, "redirect_uri": {a.redirect}},
		"400 unsupported_grant_type": {"grant_type": {"password"}, "client_id": {a.id}, "client_secret": {a.secret}},
		"401 invalid_client":         {"grant_type": {"client_credentials"}, "client_id": {a.id}, "client_secret": {"wrong"}},
		"400 invalid_scope":          {"grant_type": {"client_credentials"}, "client_id": {a.id}, "client_secret": {a.secret}, "scope": {"write"}},
	} {
		got := w.nobs.post("/oauth/token", f)
		if v := got.object(); fmt.Sprint(got.status, " ", v["error"]) != want || str(v["error_description"]) != "" || v["error_description"] == "" {
			t.Errorf("%d %v, want %s", got.status, v, want)
		}
	}
}

// allowed is what apps that show HTML as it comes can be given, and no more.
var (
	allowed = strings.Fields("p br span a abbr del s pre blockquote code b strong u sub sup i em h1 h2 h3 h4 h5 h6 ul ol li ruby rt rp")
	classed = regexp.MustCompile(`^(mention|hashtag|ellipsis|invisible|u-url|h-card|quote-inline|language-[\w-]+)$`)
)

// unclean says what an app would be harmed by.
func unclean(text string) string {
	nodes, err := html.ParseFragment(strings.NewReader(text), nil)
	if err != nil {
		return err.Error()
	}
	wrong := ""
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode && !slices.Contains([]string{"html", "head", "body"}, n.Data) {
			if !slices.Contains(allowed, n.Data) {
				wrong = "<" + n.Data + ">"
			}
			has := map[string]string{}
			for _, a := range n.Attr {
				has[a.Key] = a.Val
				if !slices.Contains([]string{"href", "class", "rel", "lang", "target", "translate"}, a.Key) {
					wrong = n.Data + " " + a.Key
				}
			}
			for _, class := range strings.Fields(has["class"]) {
				if !classed.MatchString(class) {
					wrong = "class " + class
				}
			}
			if u, err := url.Parse(has["href"]); n.Data == "a" && (err != nil || !slices.Contains([]string{"http", "https", "mailto"}, u.Scheme) || !strings.Contains(has["rel"], "nofollow") || !strings.Contains(has["rel"], "noopener")) {
				wrong = fmt.Sprint("a link ", n.Attr)
			}
		}
		if n.Type == html.CommentNode {
			wrong = "a comment"
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	for _, n := range nodes {
		walk(n)
	}
	return wrong
}

func htmlIsClean(t *testing.T, all []told) {
	n := 0
	each(all, func(path, key string, v any) {
		s, is := v.(string)
		if !is || key != "content" && key != "note" && !(key == "value" && strings.Contains(path, ".fields.")) || strings.Contains(path, ".source.") {
			return
		}
		if n++; unclean(s) != "" {
			t.Errorf("%s holds %s: %s", path, unclean(s), s)
		}
	})
	if n < 100 {
		t.Errorf("only %d texts were there to look at", n)
	}
}

// What people write is markup of theirs or a text, never a page's program; neither in
// posts nor in profiles.
func hostileHTMLIsCleaned(t *testing.T) {
	w := start(t)
	for _, bad := range []string{"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", `<a href="javascript:alert(1)" onclick="x()">x</a>`, "<style>*{display:none}</style>",
		"<iframe src=//evil.example></iframe>", "`<script>`", "```html\n<script>x</script>\n```", `<p class="modal" style="position:fixed" id="x">x</p>`, "<svg/onload=alert(1)>", "https://evil.example/\"onmouseover=alert(1)", "<!-- x -->"} {
		v := w.alice.post("/api/v1/statuses", form{"status": {"look " + bad}, "spoiler_text": {"careful"}, "audience": {"company"}}).ok()
		if wrong := unclean(text(v, "content")); wrong != "" {
			t.Errorf("%s becomes %s: %v", bad, wrong, v["content"])
		}
		me := w.alice.do("PATCH", "/api/v1/accounts/update_credentials", object{"note": bad, "fields_attributes": []object{{"name": "x", "value": bad}}}).ok()
		for _, at := range []string{"note", "fields.0.value"} {
			if wrong := unclean(text(me, at)); wrong != "" {
				t.Errorf("%s in %s becomes %s: %s", bad, at, wrong, text(me, at))
			}
		}
	}
}

func whatAppsNeedIsNeverNull(t *testing.T, all []told) {
	never := []string{"account", "content", "spoiler_text", "media_attachments", "mentions", "tags", "emojis", "avatar", "header", "created_at"}
	n := 0
	each(all, func(path, key string, v any) {
		if slices.Contains(never, key) {
			n++
			if v == nil && !strings.HasSuffix(path, ".contact.account") {
				t.Errorf("%s is null", path)
			}
		}
		if s, is := v.(string); is && strings.HasSuffix(key, "_at") && key != "last_status_at" && date(s) != "" {
			t.Errorf("%s %s", path, date(s))
		}
		if key == "last_status_at" && or(day)(v) != "" {
			t.Errorf("%s %s", path, day(v))
		}
		if o, is := v.(object); is && o["acct"] != nil && o["avatar"] != nil && address(o["url"]) != "" {
			t.Errorf("%s.url %s", path, address(o["url"]))
		}
	})
	if n < 500 {
		t.Errorf("only %d fields were there to look at", n)
	}
}

// Elk takes the key from the instance, others from their own registration.
func pushKeyIsTold(t *testing.T) {
	w := start(t)
	key := text(w.nobs.get("/api/v2/instance").ok(), "configuration.vapid.public_key")
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(key, "="))
	if err != nil || len(raw) != 65 || raw[0] != 4 { // a point of P-256 that is not packed (RFC 8292 3.2)
		t.Errorf("the key is %q", key)
	}
	if v := w.nobs.post("/api/v1/apps", form{"client_name": {"x"}, "redirect_uris": {auth.OutOfBand}}).ok(); v["vapid_key"] != key {
		t.Errorf("the app is told %v, not %s", v["vapid_key"], key)
	}
	w.alice.get("/api/v1/push/subscription").refused(404)
}

// Phanpy and libraries decide by the name: it is ours, and nobody else's.
func nodeinfoNamesUs(t *testing.T) {
	w := start(t)
	links := w.nobs.get("/.well-known/nodeinfo").ok()
	found := w.nobs.get(text(links, "links.0.href")).ok()
	if text(found, "software.name") != "parley" || !regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+`).MatchString(text(found, "software.version")) {
		t.Errorf("%v", found["software"])
	}
}

// told is one answer of an instance that has everything.
type told struct {
	path  string
	shape string // of its elements, where it is a list
	value any
}

// each visits every field of what was told; its path names the answer and the way there.
func each(all []told, visit func(path, key string, v any)) {
	var walk func(path, key string, v any)
	walk = func(path, key string, v any) {
		visit(path, key, v)
		switch in := v.(type) {
		case object:
			for k, sub := range in {
				walk(path+"."+k, k, sub)
			}
		case []any:
			for i, sub := range in {
				walk(fmt.Sprint(path, ".", i), "", sub)
			}
		}
	}
	for _, one := range all {
		walk(one.path, "", one.value)
	}
}

// gather asks two instances that have everything for all that apps read, as the reader
// who has the most to see. What is told names its shape.
func gather(t *testing.T) (all []told) {
	t.Helper()
	net := instancetest.New(t, 2, nil)
	w, there := people(t, net.Instances[0]), people(t, net.Instances[1])
	reply := aLittleOfEverything(w, there, net)
	ask := func(shape, path string) any {
		t.Helper()
		a := w.alice.get(path).is(200)
		var v any
		a.into(&v)
		all = append(all, told{path, shape, v})
		return v
	}
	w.alice.post("/api/v2/filters", object{"title": "hot", "context": []string{"home", "public"}, "filter_action": "warn", "expires_in": 3600, "keywords_attributes": []object{{"keyword": "lunch"}}}).ok()
	list := text(w.alice.post("/api/v1/lists", object{"title": "Team"}).ok(), "id")
	w.alice.post("/api/v1/lists/"+list+"/accounts", object{"account_ids": []string{w.bob.id}}).ok()
	w.bob.write("@alice between us", "direct")
	w.bob.post("/api/v1/polls/"+text(w.alice.post("/api/v1/statuses", object{"status": "tea?", "audience": "company", "poll": object{"options": []string{"yes", "no"}, "expires_in": 300}}).ok(), "poll.id")+"/votes", object{"choices": []int{0}}).ok()
	scheduled := text(w.alice.post("/api/v1/statuses", object{"status": "later", "audience": "company", "scheduled_at": tomorrow(), "media_ids": []string{w.alice.picture()}, "poll": nil}).ok(), "id")
	w.alice.post("/api/v1/tags/work/follow", nil).ok()
	changed := w.bob.write("first words", "company")
	w.alice.post("/api/v1/statuses/"+changed+"/reblog", nil).ok()
	w.bob.do("PUT", "/api/v1/statuses/"+changed, form{"status": {"second words"}}).ok()
	net.Settle()

	seen := map[string]bool{}
	for _, path := range []string{"/api/v1/timelines/home?limit=40", "/api/v1/timelines/public?limit=40", "/api/v1/timelines/public?remote=true", "/api/v1/timelines/tag/work", "/api/v1/timelines/list/" + list,
		"/api/parley/v1/timelines/company", "/api/v1/bookmarks", "/api/v1/favourites", "/api/v1/accounts/" + w.alice.id + "/statuses?limit=40"} {
		for _, s := range ask("status", path).([]any) {
			own := "/api/v1/statuses/" + text(s, "id")
			if seen[own] {
				continue
			}
			seen[own] = true
			ask("status", own)
			ask("context", own+"/context")
			ask("edit", own+"/history")
			ask("account", own+"/favourited_by")
			if text(s, "account.id") == w.alice.id && at(s, "reblog") == nil {
				ask("source", own+"/source")
			}
			if at(s, "poll") != nil {
				ask("poll", "/api/v1/polls/"+text(s, "poll.id"))
			}
		}
	}
	ask("context", "/api/v1/statuses/"+reply+"/context")
	note := ask("notification", "/api/v1/notifications?limit=80").([]any)
	ask("notification", "/api/v1/notifications/"+text(note[0], "id"))
	w.alice.post("/api/v1/markers", object{"notifications": object{"last_read_id": text(note[0], "id")}, "home": object{"last_read_id": reply}}).ok()
	ask("own", "/api/v1/accounts/verify_credentials")
	found := ask("search", "/api/v2/search?resolve=true&q="+url.QueryEscape("bob@"+there.in.Config.Domain))
	ask("search", "/api/v2/search?q="+url.QueryEscape("#work"))
	ask("search", "/api/v2/search?q=lunch")
	far := text(found, "accounts.0.id")
	for _, who := range []string{far, w.bob.id, w.alice.id} {
		ask("account", "/api/v1/accounts/"+who)
		ask("account", "/api/v1/accounts/"+who+"/followers")
		ask("account", "/api/v1/accounts/"+who+"/following")
		ask("list", "/api/v1/accounts/"+who+"/lists")
	}
	ask("relationship", "/api/v1/accounts/relationships?id[]="+far+"&id[]="+w.bob.id)
	for shape, paths := range map[string][]string{
		"account": {"/api/v1/accounts/search?q=b", "/api/v1/follow_requests", "/api/v1/lists/" + list + "/accounts"}, "list": {"/api/v1/lists", "/api/v1/lists/" + list},
		"filter": {"/api/v2/filters"}, "conversation": {"/api/v1/conversations"}, "scheduled": {"/api/v1/scheduled_statuses", "/api/v1/scheduled_statuses/" + scheduled},
		"markers": {"/api/v1/markers"}, "preferences": {"/api/v1/preferences"}, "tag": {"/api/v1/tags/work", "/api/v1/followed_tags"}, "media": {"/api/v1/media/" + w.alice.picture()},
		"instance_v1": {"/api/v1/instance"}, "instance_v2": {"/api/v2/instance"}, "emoji": {"/api/v1/custom_emojis"},
	} {
		for _, path := range paths {
			ask(shape, path)
		}
	}
	return all
}
