package api_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"

	"parley/instance/instancetest"
)

// An app subscribes with its own keys, says what it wants to hear, and is told until its
// token ends; another app of the same person has its own subscription.
func appsSubscribeToPush(t *testing.T) {
	net := instancetest.New(t, 1, nil)
	w := people(t, net.Instances[0])
	at := instancetest.NewPushService(t)
	const path = "/api/v1/push/subscription"
	w.alice.get(path).is(404)
	ask := object{"subscription": object{"endpoint": at.URL + "/x", "standard": true, "keys": object{
		"p256dh": base64.URLEncoding.EncodeToString(at.PublicKey()), "auth": base64.URLEncoding.EncodeToString(at.Secret)}},
		"data": object{"alerts": object{"mention": true, "follow": false}, "policy": "all"}}
	made := w.alice.post(path, ask).ok()
	alerts, ok := made["alerts"].(map[string]any)
	if !ok || alerts["mention"] != true || alerts["follow"] != false || alerts["admin.report"] != false || made["endpoint"] != at.URL+"/x" || made["policy"] != "all" || made["standard"] != true {
		t.Errorf("%v", made)
	}
	key := w.nobs.get("/api/v2/instance").ok()["configuration"].(map[string]any)["vapid"].(map[string]any)["public_key"]
	if made["server_key"] != key || key == "" {
		t.Errorf("the server's key is %v, and %v to the app", key, made["server_key"])
	}
	w.alice.app(all, true).get(path).is(404)
	w.bob.write("hello @alice", "company")
	w.bob.post("/api/v1/accounts/"+w.alice.id+"/follow", nil).ok()
	net.Settle()
	if got := fmt.Sprint(at.Heard()); got != "[mention: Jemand hat Ihnen geschrieben.]" {
		t.Errorf("told %s", got)
	}
	if sent := at.All()[0]; sent.Sender != key || sent.Fields["icon"] == "" {
		t.Errorf("%+v", sent)
	}
	icon, err := http.Get(fmt.Sprint(at.All()[0].Fields["icon"]))
	if err != nil || icon.StatusCode != http.StatusOK {
		t.Errorf("the icon: %v %v", icon, err)
	}
	_ = icon.Body.Close()
	if changed := w.alice.do("PUT", path, object{"data": object{"alerts": object{"follow": true}}, "policy": "follower"}).ok(); changed["policy"] != "follower" || changed["alerts"].(map[string]any)["mention"] != false {
		t.Errorf("%v", changed)
	}
	w.alice.do("DELETE", path, nil).ok()
	w.alice.get(path).is(404)
	w.alice.post(path, ask).ok()
	if err := w.in.Auth.EndAccess(t.Context(), w.alice.who.Account.ID, "test"); err != nil {
		t.Fatal(err)
	}
	w.bob.write("again @alice", "company")
	net.Settle()
	if got := at.Heard(); len(got) != 0 {
		t.Errorf("told after the token ended: %v", got)
	}
	for _, wrong := range []object{{}, {"subscription": object{"endpoint": "https://push.example/x"}}, {"subscription": object{"endpoint": at.URL, "keys": object{"p256dh": "x", "auth": "y"}}}} {
		w.bob.post(path, wrong).is(422)
	}
}
