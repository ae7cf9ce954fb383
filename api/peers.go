package api

import (
	"cmp"
	"time"

	"github.com/gorilla/mux"

	"parley/activitypub"
	"parley/social"
)

// peerRoutes are the commands of parley peer, for administrators.
func (a *API) peerRoutes() []route {
	const base = "/api/parley/v1/admin/peers"
	return []route{
		{route: "GET " + base, scope: "admin:read", run: admin(a.peers),
			does: "Other servers, and how they are connected", gives: []peer{}},
		{route: "POST " + base + "/accept", scope: "admin:write", run: admin(a.acceptCode),
			does: "Answer a code of another server", takes: in{"code! text as they gave it", "zone text company or partner:NAME, as the code says if nothing is named", "data texts what may flow to a partner"}, gives: accepted{}},
		{route: "GET " + base + "/{host}/report", scope: "admin:read", run: admin(a.peerReport),
			does: "What a server had, and what was taken back", gives: social.PeerReport{}},
		{route: "POST " + base + "/{host}/invite", scope: "admin:write", run: admin(a.invite),
			does: "Make a code for a server", takes: in{"zone text company or partner:NAME", "expires_in number seconds for which the code is good", "until time when the connection ends by itself", "data texts what may flow to a partner"}, gives: invitation{}},
		{route: "POST " + base + "/{host}/zone", scope: "admin:write", run: admin(a.peerDoes(a.setZone)),
			does: "Say what a server is to us", takes: in{"zone! text company, partner:NAME, public or blocked", "reason text why"}, gives: empty{}},
		{route: "POST " + base + "/{host}/remove", scope: "admin:write", run: admin(a.peerDoes(func(c *call, host string) error {
			return a.Social.RemovePeer(c.Context(), host, c.reader.Account.Username)
		})),
			does: "End a connection", gives: empty{}},
		{route: "POST " + base + "/{host}/veto", scope: "admin:write", run: admin(a.peerDoes(func(c *call, host string) error { return a.Social.Veto(c.Context(), host, c.reader.Account.Username) })),
			does: "Keep apart from one company of the group", gives: empty{}},
		{route: "POST " + base + "/{host}/unveto", scope: "admin:write", run: admin(a.peerDoes(func(c *call, host string) error { return a.Social.Unveto(c.Context(), host, c.reader.Account.Username) })),
			does: "Keep apart no longer", gives: empty{}},
		{route: "POST " + base + "/{host}/history", scope: "admin:write", run: admin(a.peerDoes(a.setHistory)),
			does: "Open what was written before a server joined", takes: in{"from! text a time, or all"}, gives: empty{}},
	}
}

// host is the server that a path names, in its one form.
func (c *call) host() (string, error) {
	host, err := activitypub.HostPort(mux.Vars(c.Request)["host"])
	if err != nil {
		return "", &social.Error{Kind: social.Invalid, Public: err.Error()}
	}
	return host, nil
}

// peers lists what is known of other servers, and how they are paired.
func (a *API) peers(c *call) (any, error) {
	list, err := a.Social.PeerViews(c.Context())
	out := []peer{}
	for _, p := range list {
		out = append(out, peer{Host: p.Authority, Zone: p.Zone.String(), Counts: p.Counts.String(), Reason: p.Reason, Trust: p.Trust,
			Software: p.Software, LastInAt: dateOrNil(p.LastInAt), LastOutAt: dateOrNil(p.LastOutAt), LastError: p.LastError,
			Pairing: string(p.Paired.State), PairingCause: p.Paired.Cause, Organisation: p.Paired.Name, Keeper: p.Paired.Keeper,
			PairedSince: dateOrNil(p.Paired.Since), PairingExpiresAt: dateOrNil(p.Paired.ExpiresAt), HistoryFrom: dateOrNil(p.Paired.HistoryFrom),
			Data: listOrNil(p.Paired.DataClasses), OwnFingerprint: p.OwnKey, TheirFingerprint: p.TheirKey})
	}
	return out, err
}

// peerReport says what a server had, and what was taken back.
func (a *API) peerReport(c *call) (any, error) {
	host, err := c.host()
	if err != nil {
		return nil, err
	}
	return a.Social.PeerReport(c.Context(), host)
}

// invite answers a code for a server: zone, expires_in (seconds), until (a time).
func (a *API) invite(c *call) (any, error) {
	host, err := c.host()
	if err != nil {
		return nil, err
	}
	r := social.InviteRequest{Host: host, By: c.reader.Account.Username, DataClasses: c.list("data")}
	if text := c.in.Get("zone"); text != "" {
		if r.Zone, err = social.ParseZone(text); err != nil {
			return nil, err
		}
	}
	r.For = time.Duration(c.number("expires_in")) * time.Second
	if r.Until, err = c.moment("until"); err != nil {
		return nil, err
	}
	code, err := a.Social.Invite(c.Context(), r)
	if err != nil {
		return nil, err
	}
	return invitation{Host: host, Zone: code.Zone.String(), ExpiresAt: date(code.ExpiresAt), Code: code.String()}, nil
}

// acceptCode answers a code of another server.
func (a *API) acceptCode(c *call) (any, error) {
	var z social.Zone
	if text := c.in.Get("zone"); text != "" {
		var err error
		if z, err = social.ParseZone(text); err != nil {
			return nil, err
		}
	}
	p, err := a.Social.Accept(c.Context(), c.in.Get("code"), z, c.list("data"), c.reader.Account.Username)
	if err != nil {
		return nil, err
	}
	return accepted{Host: p.Authority, Zone: p.Zone.String(), Organisation: p.Name, Keeper: p.Keeper, PairingExpiresAt: dateOrNil(p.ExpiresAt)}, nil
}

// peerDoes is an endpoint that changes something about one server.
func (a *API) peerDoes(change func(c *call, host string) error) endpoint {
	return func(c *call) (any, error) {
		host, err := c.host()
		if err != nil {
			return nil, err
		}
		return empty{}, change(c, host)
	}
}

func (a *API) setZone(c *call, host string) error {
	z, err := social.ParseZone(c.in.Get("zone"))
	if err != nil {
		return err
	}
	by := c.reader.Account.Username
	return a.Social.SetZone(c.Context(), host, z, cmp.Or(c.in.Get("reason"), "set by "+by), by)
}

// setHistory opens what was written before a server joined: from a time, or all.
func (a *API) setHistory(c *call, host string) error {
	from := time.UnixMilli(1)
	if c.in.Get("from") != "all" {
		var err error
		if from, err = c.moment("from"); err != nil {
			return err
		}
		if from.IsZero() {
			return &social.Error{Kind: social.Invalid, Public: "from is missing: a time, or all"}
		}
	}
	return a.Social.SetHistory(c.Context(), host, from, c.reader.Account.Username)
}

// moment reads a time of RFC 3339; zero when it is not given.
func (c *call) moment(key string) (time.Time, error) {
	text := c.in.Get(key)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, &social.Error{Kind: social.Invalid, Public: key + " is not a time like 2026-12-31T00:00:00Z"}
	}
	return t, nil
}

// listOrNil is nil for a list that was never made.
func listOrNil(list []string) *[]string {
	if list == nil {
		return nil
	}
	return &list
}
