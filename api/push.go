package api

import (
	"encoding/base64"
	"strings"

	"parley/social"
)

func (a *API) pushRoutes() []route {
	return []route{
		{route: "GET /api/v1/push/subscription", scope: "push", run: a.push,
			does: "What this app is told of", gives: pushShape{}},
		{route: "POST /api/v1/push/subscription", scope: "push", run: a.subscribePush,
			does: "Tell this app of news by web push", takes: in{"subscription[endpoint]! text where to send", "subscription[keys][p256dh]! text the browser's key", "subscription[keys][auth]! text the browser's secret", "data[alerts][mention] bool tell of mentions; likewise each other type", "data[policy] text of whom: all, followed, follower or none", "policy text the same, as older apps send it"}, gives: pushShape{}},
		{route: "PUT /api/v1/push/subscription", scope: "push", run: a.changePush,
			does: "Change what it is told of", takes: in{"data[alerts][mention] bool tell of mentions; likewise each other type", "data[policy] text of whom: all, followed, follower or none", "policy text the same, as older apps send it"}, gives: pushShape{}},
		{route: "DELETE /api/v1/push/subscription", scope: "push", run: a.endPush,
			does: "Tell it no longer", gives: empty{}},
	}
}

// pushShape is a WebPushSubscription.
type pushShape struct {
	ID        string             `json:"id"`
	Endpoint  string             `json:"endpoint"`
	Standard  bool               `json:"standard"` // RFC 8291, which is all we speak
	ServerKey string             `json:"server_key"`
	Alerts    map[string]bool    `json:"alerts"`
	Policy    social.PushSenders `json:"policy"`
}

func (a *API) pushShape(p *social.PushSubscription) pushShape {
	out := pushShape{ID: p.ID.String(), Endpoint: p.Endpoint, Standard: true, ServerKey: a.PushKey, Alerts: map[string]bool{}, Policy: p.Senders}
	for _, k := range social.PushKinds() {
		out.Alerts[string(k)] = false
	}
	for _, k := range p.Kinds {
		out.Alerts[string(k)] = true
	}
	return out
}

func (a *API) push(c *call) (any, error) {
	p, err := a.Social.PushSubscription(c.Context(), c.reader, 0, c.token.ID)
	if err != nil {
		return nil, err
	}
	return a.pushShape(p), nil
}

// alerts are what an app wants to hear of, and of whom.
func (c *call) alerts() (kinds []social.NotificationKind, senders social.PushSenders) {
	for _, k := range social.PushKinds() {
		if c.bool("data[alerts][" + string(k) + "]") {
			kinds = append(kinds, k)
		}
	}
	policy := c.in.Get("data[policy]")
	if policy == "" {
		policy = c.in.Get("policy")
	}
	return kinds, social.PushSenders(policy)
}

func (a *API) subscribePush(c *call) (any, error) {
	p := &social.PushSubscription{TokenID: c.token.ID, Endpoint: c.in.Get("subscription[endpoint]"),
		PublicKey: key(c.in.Get("subscription[keys][p256dh]")), Secret: key(c.in.Get("subscription[keys][auth]"))}
	p.Kinds, p.Senders = c.alerts()
	if err := a.Social.SubscribePush(c.Context(), c.reader, p, false); err != nil {
		return nil, err
	}
	return a.pushShape(p), nil
}

func (a *API) changePush(c *call) (any, error) {
	kinds, senders := c.alerts()
	p, err := a.Social.ChangePush(c.Context(), c.reader, 0, c.token.ID, kinds, senders)
	if err != nil {
		return nil, err
	}
	return a.pushShape(p), nil
}

func (a *API) endPush(c *call) (any, error) {
	return empty{}, a.Social.EndPush(c.Context(), c.reader, 0, c.token.ID)
}

// key reads base64url, with padding or without, as apps send it; nil if it is none.
func key(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(s), "="))
	if err != nil {
		return nil
	}
	return b
}
