package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"parley/api"
	"parley/social"
)

// rule is what a route answers to whom (T30, T34, H3): a caller without a token, and
// a member with every scope who asks for something of alice's that is not for him.
type rule struct {
	scope            string
	anonymous, other int
}

// rules has a row for each route: one without fails the test.
var rules = map[string]rule{
	"GET /api/v1/filters":                              {"read:filters", 401, 200},
	"POST /api/v1/filters":                             {"write:filters", 401, 422},
	"GET /api/v1/filters/{id}":                         {"read:filters", 401, 404},
	"PUT /api/v1/filters/{id}":                         {"write:filters", 401, 404},
	"DELETE /api/v1/filters/{id}":                      {"write:filters", 401, 404},
	"GET /api/v2/filters":                              {"read:filters", 401, 200},
	"POST /api/v2/filters":                             {"write:filters", 401, 422},
	"GET /api/v2/filters/{id}":                         {"read:filters", 401, 404},
	"PUT /api/v2/filters/{id}":                         {"write:filters", 401, 404},
	"DELETE /api/v2/filters/{id}":                      {"write:filters", 401, 404},
	"GET /api/v2/filters/{id}/keywords":                {"read:filters", 401, 404},
	"POST /api/v2/filters/{id}/keywords":               {"write:filters", 401, 404},
	"GET /api/v2/filters/keywords/{id}":                {"read:filters", 401, 404},
	"PUT /api/v2/filters/keywords/{id}":                {"write:filters", 401, 404},
	"DELETE /api/v2/filters/keywords/{id}":             {"write:filters", 401, 404},
	"GET /api/v2/filters/{id}/statuses":                {"read:filters", 401, 404},
	"POST /api/v2/filters/{id}/statuses":               {"write:filters", 401, 404},
	"GET /api/v2/filters/statuses/{id}":                {"read:filters", 401, 404},
	"DELETE /api/v2/filters/statuses/{id}":             {"write:filters", 401, 404},
	"GET /api/v1/conversations":                        {"read:statuses", 401, 200},
	"POST /api/v1/conversations/{id}/read":             {"write:conversations", 401, 404},
	"DELETE /api/v1/conversations/{id}":                {"write:conversations", 401, 404},
	"GET /api/v1/markers":                              {"read:statuses", 401, 200},
	"POST /api/v1/markers":                             {"write:statuses", 401, 200}, // nothing was sent
	"GET /api/v1/preferences":                          {"read:accounts", 401, 200},
	"GET /api/v1/followed_tags":                        {"read:follows", 401, 200},
	"GET /api/v1/tags/{tag}":                           {"", 200, 200},
	"POST /api/v1/tags/{tag}/follow":                   {"write:follows", 401, 200},
	"POST /api/v1/tags/{tag}/unfollow":                 {"write:follows", 401, 200},
	"GET /api/v1/blocks":                               {"read:blocks", 401, 200},
	"GET /api/v1/mutes":                                {"read:mutes", 401, 200},
	"GET /api/v1/suggestions":                          {"read:accounts", 401, 200},
	"GET /api/v2/suggestions":                          {"read:accounts", 401, 200},
	"GET /api/v1/trends":                               {"", 200, 200},
	"GET /api/v1/trends/tags":                          {"", 200, 200},
	"GET /api/v1/trends/statuses":                      {"", 200, 200},
	"GET /api/v1/trends/links":                         {"", 200, 200},
	"GET /api/v1/announcements":                        {"read:accounts", 401, 200},
	"GET /api/v1/featured_tags":                        {"read:accounts", 401, 200},
	"GET /api/v1/domain_blocks":                        {"read:blocks", 401, 200},
	"GET /api/v1/endorsements":                         {"read:accounts", 401, 200},
	"GET /api/v1/instance/peers":                       {"", 200, 200},
	"GET /api/v1/instance/activity":                    {"", 200, 200},
	"GET /api/v1/instance/extended_description":        {"", 200, 200},
	"GET /api/v1/instance/rules":                       {"", 200, 200},
	"POST /api/v1/accounts":                            {"", 403, 403},
	"GET /api/v1/accounts":                             {"", 200, 200},
	"GET /api/v1/statuses":                             {"", 200, 200},
	"GET /api/v1/accounts/familiar_followers":          {"read:follows", 401, 200},
	"GET /api/v1/accounts/{id}/featured_tags":          {"", 404, 404},
	"GET /api/v1/accounts/{id}/endorsements":           {"", 404, 404},
	"POST /api/v1/statuses/{id}/translate":             {"read:statuses", 401, 404},
	"GET /api/openapi.json":                            {"", 200, 200},
	"POST /api/v1/apps":                                {"", 422, 422},
	"GET /api/v1/apps/verify_credentials":              {"", 401, 200},
	"POST /oauth/token":                                {"", 401, 401},
	"POST /oauth/revoke":                               {"", 401, 401},
	"GET /oauth/userinfo":                              {"profile", 401, 200},
	"GET /.well-known/oauth-authorization-server":      {"", 200, 200},
	"GET /api/v1/timelines/home":                       {"read:statuses", 401, 200},
	"GET /api/v1/timelines/public":                     {"", 200, 200},
	"GET /api/v1/timelines/tag/{tag}":                  {"", 200, 200},
	"GET /api/v1/bookmarks":                            {"read:bookmarks", 401, 200},
	"GET /api/v1/favourites":                           {"read:favourites", 401, 200},
	"POST /api/v1/statuses":                            {"write:statuses", 401, 404}, // in reply to the hidden post
	"GET /api/v1/statuses/{id}":                        {"", 404, 404},
	"PUT /api/v1/statuses/{id}":                        {"write:statuses", 401, 404},
	"DELETE /api/v1/statuses/{id}":                     {"write:statuses", 401, 404},
	"GET /api/v1/statuses/{id}/context":                {"", 404, 404},
	"GET /api/v1/statuses/{id}/source":                 {"read:statuses", 401, 404},
	"GET /api/v1/statuses/{id}/history":                {"", 404, 404},
	"GET /api/v1/statuses/{id}/favourited_by":          {"", 404, 404},
	"GET /api/v1/statuses/{id}/reblogged_by":           {"", 404, 404},
	"POST /api/v1/statuses/{id}/favourite":             {"write:favourites", 401, 404},
	"POST /api/v1/statuses/{id}/unfavourite":           {"write:favourites", 401, 404},
	"POST /api/v1/statuses/{id}/reblog":                {"write:statuses", 401, 404},
	"POST /api/v1/statuses/{id}/unreblog":              {"write:statuses", 401, 404},
	"POST /api/v1/statuses/{id}/bookmark":              {"write:bookmarks", 401, 404},
	"POST /api/v1/statuses/{id}/unbookmark":            {"write:bookmarks", 401, 404},
	"POST /api/v1/statuses/{id}/pin":                   {"write:accounts", 401, 404},
	"POST /api/v1/statuses/{id}/unpin":                 {"write:accounts", 401, 404},
	"POST /api/v1/statuses/{id}/mute":                  {"write:mutes", 401, 404},
	"POST /api/v1/statuses/{id}/unmute":                {"write:mutes", 401, 404},
	"GET /api/v1/polls/{id}":                           {"", 404, 404},
	"POST /api/v1/polls/{id}/votes":                    {"write:statuses", 401, 404},
	"GET /api/v1/scheduled_statuses":                   {"read:statuses", 401, 200},
	"GET /api/v1/scheduled_statuses/{id}":              {"read:statuses", 401, 404},
	"PUT /api/v1/scheduled_statuses/{id}":              {"write:statuses", 401, 404},
	"DELETE /api/v1/scheduled_statuses/{id}":           {"write:statuses", 401, 404},
	"GET /api/v1/lists":                                {"read:lists", 401, 200},
	"POST /api/v1/lists":                               {"write:lists", 401, 422},
	"GET /api/v1/lists/{id}":                           {"read:lists", 401, 404},
	"PUT /api/v1/lists/{id}":                           {"write:lists", 401, 404},
	"DELETE /api/v1/lists/{id}":                        {"write:lists", 401, 404},
	"GET /api/v1/lists/{id}/accounts":                  {"read:lists", 401, 404},
	"POST /api/v1/lists/{id}/accounts":                 {"write:lists", 401, 404},
	"DELETE /api/v1/lists/{id}/accounts":               {"write:lists", 401, 404},
	"GET /api/v1/accounts/{id}/lists":                  {"read:lists", 401, 404},
	"GET /api/v1/timelines/list/{id}":                  {"read:lists", 401, 404},
	"GET /api/v1/accounts/verify_credentials":          {"read:accounts", 401, 200},
	"PATCH /api/v1/accounts/update_credentials":        {"write:accounts", 401, 200},
	"GET /api/v1/accounts/lookup":                      {"", 404, 404},
	"GET /api/v1/accounts/search":                      {"read:accounts", 401, 200},
	"GET /api/v1/accounts/relationships":               {"read:follows", 401, 200},
	"GET /api/v1/accounts/{id}":                        {"", 404, 404},
	"GET /api/v1/accounts/{id}/statuses":               {"", 404, 404},
	"GET /api/v1/accounts/{id}/followers":              {"read:accounts", 401, 404},
	"GET /api/v1/accounts/{id}/following":              {"read:accounts", 401, 404},
	"POST /api/v1/accounts/{id}/follow":                {"write:follows", 401, 404},
	"POST /api/v1/accounts/{id}/unfollow":              {"write:follows", 401, 404},
	"POST /api/v1/accounts/{id}/block":                 {"write:blocks", 401, 404},
	"POST /api/v1/accounts/{id}/unblock":               {"write:blocks", 401, 404},
	"POST /api/v1/accounts/{id}/mute":                  {"write:mutes", 401, 404},
	"POST /api/v1/accounts/{id}/unmute":                {"write:mutes", 401, 404},
	"GET /api/v1/follow_requests":                      {"read:follows", 401, 200},
	"POST /api/v1/follow_requests/{id}/authorize":      {"write:follows", 401, 404},
	"POST /api/v1/follow_requests/{id}/reject":         {"write:follows", 401, 404},
	"POST /api/v1/reports":                             {"write:reports", 401, 404},
	"GET /api/v2/search":                               {"", 200, 200},
	"GET /api/v1/notifications":                        {"read:notifications", 401, 200},
	"GET /api/v1/notifications/unread_count":           {"read:notifications", 401, 200},
	"POST /api/v1/notifications/clear":                 {"write:notifications", 401, 200},
	"GET /api/v1/notifications/{id}":                   {"read:notifications", 401, 404},
	"POST /api/v1/notifications/{id}/dismiss":          {"write:notifications", 401, 200}, // of no effect, see below
	"GET /api/v2/notifications":                        {"read:notifications", 401, 200},
	"GET /api/v2/notifications/unread_count":           {"read:notifications", 401, 200},
	"GET /api/v2/notifications/{key}":                  {"read:notifications", 401, 404},
	"GET /api/v2/notifications/{key}/accounts":         {"read:notifications", 401, 404},
	"POST /api/v2/notifications/{key}/dismiss":         {"write:notifications", 401, 200}, // of no effect, see below
	"GET /api/v2/notifications/policy":                 {"read:notifications", 401, 200},
	"PATCH /api/v2/notifications/policy":               {"write:notifications", 401, 200},
	"GET /api/v1/notifications/policy":                 {"read:notifications", 401, 200},
	"PUT /api/v1/notifications/policy":                 {"write:notifications", 401, 200},
	"PATCH /api/v1/notifications/policy":               {"write:notifications", 401, 200},
	"GET /api/v1/notifications/requests":               {"read:notifications", 401, 200},
	"GET /api/v1/notifications/requests/merged":        {"read:notifications", 401, 200},
	"POST /api/v1/notifications/requests/accept":       {"write:notifications", 401, 200},
	"POST /api/v1/notifications/requests/dismiss":      {"write:notifications", 401, 200},
	"GET /api/v1/notifications/requests/{id}":          {"read:notifications", 401, 404},
	"POST /api/v1/notifications/requests/{id}/accept":  {"write:notifications", 401, 404},
	"POST /api/v1/notifications/requests/{id}/dismiss": {"write:notifications", 401, 404},
	"GET /api/v1/push/subscription":                    {"push", 401, 404},
	"POST /api/v1/push/subscription":                   {"push", 401, 422},
	"PUT /api/v1/push/subscription":                    {"push", 401, 404},
	"DELETE /api/v1/push/subscription":                 {"push", 401, 200}, // of no effect, see below
	"POST /api/v2/media":                               {"write:media", 401, 422},
	"POST /api/v1/media":                               {"write:media", 401, 422},
	"GET /api/v1/media/{id}":                           {"write:media", 401, 404},
	"PUT /api/v1/media/{id}":                           {"write:media", 401, 404},
	"GET /api/v1/instance":                             {"", 200, 200},
	"GET /api/v2/instance":                             {"", 200, 200},
	"GET /api/v1/streaming":                            {"", 422, 422},
	"GET /api/v1/streaming/health":                     {"", 200, 200},
	"GET /api/v1/streaming/user/notification":          {"read:notifications", 401, 200},
	"GET /api/v1/streaming/public/remote":              {"read:statuses", 401, 200},
	"GET /api/v1/streaming/hashtag/local":              {"read:statuses", 401, 200},
	"GET /api/v1/streaming/list":                       {"read:statuses", 401, 404},
	"GET /api/parley/v1/streaming/group":               {"read:statuses", 401, 404},
	"GET /api/v1/streaming/user":                       {"read:statuses", 401, 200},
	"GET /api/v1/streaming/public":                     {"read:statuses", 401, 200},
	"GET /api/v1/streaming/public/local":               {"read:statuses", 401, 200},
	"GET /api/v1/streaming/hashtag":                    {"read:statuses", 401, 200},
	"GET /api/v1/streaming/direct":                     {"read:statuses", 401, 200},
	"GET /api/parley/v1/streaming/company":             {"read:statuses", 401, 200},
	"GET /api/v1/custom_emojis":                        {"", 200, 200},
	"GET /api/parley/v1/statuses/{id}/deliveries":      {"read:statuses", 401, 404},
	"GET /api/parley/v1/timelines/company":             {"read:statuses", 401, 200},
	"GET /api/parley/v1/admin/policy":                  {"admin:read", 401, 404},
	"PATCH /api/parley/v1/admin/policy":                {"admin:write", 401, 404},
	"GET /api/parley/v1/admin/requests":                {"admin:read", 401, 404},
	"POST /api/parley/v1/admin/requests/{host}/admit":  {"admin:write", 401, 404},
	"POST /api/parley/v1/admin/requests/{host}/block":  {"admin:write", 401, 404},
	"GET /api/parley/v1/admin/peers":                   {"admin:read", 401, 404},
	"POST /api/parley/v1/admin/peers/accept":           {"admin:write", 401, 404},
	"GET /api/parley/v1/admin/peers/{host}/report":     {"admin:read", 401, 404},
	"POST /api/parley/v1/admin/peers/{host}/invite":    {"admin:write", 401, 404},
	"POST /api/parley/v1/admin/peers/{host}/zone":      {"admin:write", 401, 404},
	"POST /api/parley/v1/admin/peers/{host}/remove":    {"admin:write", 401, 404},
	"POST /api/parley/v1/admin/peers/{host}/veto":      {"admin:write", 401, 404},
	"POST /api/parley/v1/admin/peers/{host}/unveto":    {"admin:write", 401, 404},
	"POST /api/parley/v1/admin/peers/{host}/history":   {"admin:write", 401, 404},
	"GET /api/parley/v1/audiences":                     {"read:statuses", 401, 404},
	"GET /api/parley/v1/groups":                        {"read:accounts", 401, 200},
	"POST /api/parley/v1/groups":                       {"write:accounts", 401, 422},
	"GET /api/parley/v1/groups/{id}":                   {"read:accounts", 401, 404},
	"PATCH /api/parley/v1/groups/{id}":                 {"write:accounts", 401, 404},
	"DELETE /api/parley/v1/groups/{id}":                {"write:accounts", 401, 404},
	"GET /api/parley/v1/groups/{id}/timeline":          {"read:statuses", 401, 404},
	"POST /api/parley/v1/groups/{id}/join":             {"write:follows", 401, 404},
	"POST /api/parley/v1/groups/{id}/leave":            {"write:follows", 401, 404},
	"GET /api/parley/v1/groups/{id}/members":           {"read:accounts", 401, 404},
	"POST /api/parley/v1/groups/{id}/members":          {"write:accounts", 401, 404},
	"POST /api/parley/v1/groups/{id}/remove":           {"write:accounts", 401, 404},
	"GET /api/parley/v1/groups/{id}/requests":          {"read:follows", 401, 404},
	"POST /api/parley/v1/groups/{id}/approve":          {"write:accounts", 401, 404},
	"POST /api/parley/v1/groups/{id}/decline":          {"write:accounts", 401, 404},
	"POST /api/parley/v1/groups/{id}/moderators":       {"write:accounts", 401, 404},
	"DELETE /api/parley/v1/groups/{id}/moderators":     {"write:accounts", 401, 404},
	"POST /api/parley/v1/groups/{id}/owner":            {"write:accounts", 401, 404},
	"GET /api/parley/v1/directory":                     {"read:accounts", 401, 200},
	"GET /api/parley/v1/profile":                       {"read:accounts", 401, 200},
	"PATCH /api/parley/v1/profile":                     {"write:accounts", 401, 200},

	"POST /api/v1/accounts/{id}/remove_from_followers": {"write:follows", 401, 404},
	"POST /api/v1/accounts/{id}/note":                  {"write:accounts", 401, 404},
	"POST /api/v1/accounts/{id}/endorse":               {"write:accounts", 401, 404},
	"POST /api/v1/accounts/{id}/unendorse":             {"write:accounts", 401, 404},
	"POST /api/v1/accounts/{id}/pin":                   {"write:accounts", 401, 404},
	"POST /api/v1/accounts/{id}/unpin":                 {"write:accounts", 401, 404},
	"DELETE /api/v1/profile/avatar":                    {"write:accounts", 401, 200},
	"DELETE /api/v1/profile/header":                    {"write:accounts", 401, 200},
	"POST /api/v1/featured_tags":                       {"write:accounts", 401, 422},
	"DELETE /api/v1/featured_tags/{id}":                {"write:accounts", 401, 404},
	"GET /api/v1/featured_tags/suggestions":            {"read:accounts", 401, 200},
	"POST /api/v1/domain_blocks":                       {"write:blocks", 401, 422},
	"DELETE /api/v1/domain_blocks":                     {"write:blocks", 401, 422},
	"GET /api/v1/statuses/{id}/quotes":                 {"", 404, 404},
}

var pattern = regexp.MustCompile(`:[^}]+}`)

// secrets are alice's things that bob may not have, by what stands in the route.
func secrets(w *world) func(route string) string {
	w.Helper()
	status := w.alice.write("for me alone", "direct")
	poll := text(w.alice.post("/api/v1/statuses", object{"status": "?", "audience": "direct", "poll": object{"options": []string{"a", "b"}, "expires_in": 3600}}).ok(), "id")
	scheduled := text(w.alice.post("/api/v1/statuses", object{"status": "for me alone", "audience": "direct", "scheduled_at": tomorrow()}).ok(), "id")
	media := text(w.alice.post("/api/v2/media", files{name: "file", file: "a.txt", data: []byte("hello")}).ok(), "id")
	gone := w.member("gone")
	if err := w.in.Social.Suspend(context.Background(), gone.who.Account.ID, true, "test"); err != nil {
		w.Fatal(err)
	}
	w.member("fan").post("/api/v1/accounts/"+w.alice.id+"/follow", nil).ok()
	told := w.alice.get("/api/v1/notifications").list()[0]
	note := text(told, "id")
	group := text(w.alice.post("/api/parley/v1/groups", object{"name": "inner", "join": "closed"}).ok(), "id")
	list := text(w.alice.post("/api/v1/lists", object{"title": "mine"}).ok(), "id")
	return func(route string) string {
		id := status
		for part, secret := range map[string]string{"/lists/{id": list, "/list/{id": list, "/polls/": poll, "/scheduled_statuses/": scheduled, "/media/": media, "/accounts/{id": gone.id, "/follow_requests/": gone.id, "/notifications/": note, "/groups/{id": group} {
			if strings.Contains(route, part) {
				id = secret
			}
		}
		path := strings.NewReplacer("{id}", id, "{tag}", "work", "{key}", text(told, "group_key")).Replace(pattern.ReplaceAllString(route, "}"))
		_, path, _ = strings.Cut(path, " ")
		return path + "?" + url.Values{"in_reply_to_id": {status}, "account_id": {gone.id}, "acct": {"gone"}, "id[]": {gone.id}, "q": {"gone"}, "status": {"x"}, "tag": {"x"}, "title": {" "}, "choices[]": {"0"}}.Encode()
	}
}

func TestEveryRouteHasItsRule(t *testing.T) {
	w := start(t)
	path := secrets(w)
	bob := w.bob
	narrow := map[string]*client{}
	known := map[string]bool{}
	for _, r := range api.Routes() {
		name := pattern.ReplaceAllString(r.Route, "}")
		known[name] = true
		want, ok := rules[name]
		if !ok {
			t.Errorf("%s has no row: who may call it?", r.Route)
			continue
		}
		if r.Scope != want.scope {
			t.Errorf("%s wants scope %q, the table says %q", r.Route, r.Scope, want.scope)
		}
		method, _, _ := strings.Cut(r.Route, " ")
		call := func(c *client) *answer { return c.do(method, path(r.Route), nil) }
		check := func(who string, got *answer, status int) {
			t.Helper()
			if got.status != status {
				t.Errorf("%s by %s: %d %s, want %d", r.Route, who, got.status, got.body, status)
			}
		}
		check("nobody", call(w.nobs), want.anonymous)
		check("somebody else", call(bob), want.other)
		if want.scope == "" {
			continue
		}
		wrong := "read write"
		if base, _, _ := strings.Cut(want.scope, ":"); base == "read" {
			wrong = "write push"
		} else if base != "push" {
			wrong = "read push"
		}
		if strings.HasSuffix(want.scope, "s:follows") {
			wrong = "push"
		}
		if narrow[wrong] == nil {
			narrow[wrong] = bob.app(wrong, true)
		}
		check("an app with "+wrong, call(narrow[wrong]), 403)
		exact := want.scope
		if narrow[exact] == nil {
			narrow[exact] = bob.app(exact, true)
		}
		check("an app with "+exact, call(narrow[exact]), want.other)
	}
	for name := range rules {
		if !known[name] {
			t.Errorf("%s is in the table but not served", name)
		}
	}
	if len(w.alice.get("/api/v1/notifications").list()) == 0 {
		t.Error("somebody else dismissed alice's notifications")
	}

	// Suspended, put back with all access ended, and never a member.
	if err := w.in.Social.Suspend(t.Context(), bob.who.Account.ID, true, "test"); err != nil {
		t.Fatal(err)
	}
	everywhere(t, bob, path, "a suspended member")
	if err := w.in.Social.Suspend(t.Context(), bob.who.Account.ID, false, "test"); err != nil {
		t.Fatal(err)
	}
	bob.get("/api/v1/timelines/home").is(200)
	if err := w.in.Auth.EndAccess(t.Context(), bob.who.Account.ID, "test"); err != nil {
		t.Fatal(err)
	}
	everywhere(t, bob, path, "a revoked token")
	stranger := *bob
	stranger.token = strings.Repeat("A", 43)
	everywhere(t, &stranger, path, "an invented token")
	if err := w.in.Social.DeleteAccount(t.Context(), w.alice.who.Account.ID, "", "test"); err != nil {
		t.Fatal(err)
	}
	everywhere(t, w.alice, path, "a deleted member")
}

// everywhere demands 401 on every route, also where nobody needs a token: a dead one
// is told so at once.
func everywhere(t *testing.T, c *client, path func(string) string, who string) {
	t.Helper()
	for _, r := range api.Routes() {
		method, _, _ := strings.Cut(r.Route, " ")
		if a := c.do(method, path(r.Route), nil); a.status != http.StatusUnauthorized {
			t.Errorf("%s by %s: %d %s", r.Route, who, a.status, a.body)
		}
	}
}

// What is hidden answers byte for byte like what was never there.
func TestHiddenIsMissing(t *testing.T) {
	w := start(t)
	path := secrets(w)
	missing := social.NewID(w.in.Social.Now()).String()
	id := regexp.MustCompile(`\d{18,19}`)
	n := 0
	for _, r := range api.Routes() {
		method, _, _ := strings.Cut(r.Route, " ")
		hidden := path(r.Route)
		never := strings.Replace(id.ReplaceAllString(hidden, missing), "acct=gone", "acct=none", 1)
		for _, c := range []*client{w.bob, w.nobs} {
			a, b := c.do(method, hidden, nil), c.do(method, never, nil)
			if a.status == 200 || a.status == 401 {
				continue
			}
			n++
			if shown(a) != shown(b) {
				t.Errorf("%s tells the hidden from the missing:\n%s\n%s", r.Route, shown(a), shown(b))
			}
			if id.MatchString(shown(a)) {
				t.Errorf("%s echoes an id: %s", r.Route, shown(a))
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d answers compared", n)
	}
	a, b := w.bob.get("/api/v1/accounts/relationships?id[]="+missing), w.bob.get(path("GET /api/v1/accounts/relationships"))
	if string(a.body) != string(b.body) {
		t.Errorf("%s %s", a.body, b.body)
	}
}

func shown(a *answer) string {
	h := a.header.Clone()
	for name := range h {
		if name == "Date" || name == "X-Request-Id" || strings.HasPrefix(name, "X-Ratelimit-") {
			h.Del(name)
		}
	}
	return fmt.Sprint(a.status, h, string(a.body))
}
