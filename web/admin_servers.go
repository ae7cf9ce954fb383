package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"parley/activitypub"
	"parley/queue"
	"parley/social"
)

// server is another one as administrators see it.
type server struct {
	*frame
	social.PeerView
	queue.Host
	Ahead time.Duration // of its clock, where that goes wrong
}

// Clock says in words how its clock goes wrong; "" when it does not.
func (s server) Clock() string {
	off := s.Number(int(s.Ahead.Abs().Seconds()))
	switch {
	case s.Ahead > 0:
		return s.T("clock_ahead", off)
	case s.Ahead < 0:
		return s.T("clock_behind", off)
	}
	return ""
}

// Level says in words what the server is to us now.
func (s server) Level() string { return s.level(s.Counts) }

func (f *frame) level(z social.Zone) string {
	switch z.Kind {
	case social.ZoneCompany:
		return f.T("is_company")
	case social.ZonePartner:
		return f.T("is_partner", f.Org.Partner(z.Name))
	case social.ZonePublic:
		return f.T("is_public")
	case social.ZoneBlocked:
		return f.T("is_blocked")
	}
	return f.T("is_unknown")
}

// State says in words how the two are paired.
func (s server) State() string {
	switch s.Paired.State {
	case social.PairingActive:
		return s.T("paired_active")
	case social.PairingParked:
		return s.T("paired_parked")
	case "":
		return s.T("paired_not")
	}
	return s.T("paired_ended")
}

// Why is the reason that somebody gave for the level; pairing gives none.
func (s server) Why() string {
	if s.Reason == "paired" {
		return ""
	}
	return s.Reason
}

// Parked says that nothing goes on until the server proves itself.
func (s server) Parked() bool { return s.Paired.State == social.PairingParked }

// levelForm asks what a server is to be from now on, and why.
func (w *Web) levelForm(p *page, s server) *form {
	return &form{Action: "/admin/servers/" + url.PathEscape(s.Authority), Hidden: map[string]string{"do": "level"}, Submit: p.T("change_level"), Fields: []field{
		{Name: "level", Label: p.T("connect_level"), Kind: "select", Options: s.levels()},
		{Name: "partner", Label: p.T("partner_short"), Kind: "text", MaxLength: 40},
		{Name: "reason", Label: p.T("reason"), Kind: "text", Required: true, MaxLength: 300},
		{Name: "sure", Label: p.T("level_sure"), Hint: p.T("level_sure_hint"), Kind: "checkbox"},
	}}
}

// levels lists what a server can be made.
func (s server) levels() []option {
	var out []option
	for _, one := range []struct{ value, label string }{{"company", s.T("is_company")}, {"public", s.T("is_public")}, {"blocked", s.T("is_blocked")}} {
		out = append(out, option{Value: one.value, Label: one.label, Selected: string(s.Zone.Kind) == one.value})
	}
	if s.Zone.Kind == social.ZonePartner {
		out = append(out, option{Value: s.Zone.String(), Label: s.level(s.Zone), Selected: true})
	}
	return append(out, option{Value: string(social.ZonePartner), Label: s.T("level_partner")})
}

// prints are the fingerprints of two keys, to be looked at side by side.
type prints struct {
	*frame
	Ours, Theirs string
}

// Prints makes them for a template.
func (f *frame) Prints(ours, theirs string) prints { return prints{f, ours, theirs} }

// serversPage lists all servers that are known.
type serversPage struct {
	*frame
	Servers  []server
	Only     string
	Roster   *social.Roster
	MayLeave bool   // another one keeps it
	Code     string // just made; it is shown once
	For      string // host that it is for
	Until    string
	Open     []invited
	Invite   *form
	Accept   *form
	OwnKey   string // fingerprint of ours
}

func (serversPage) file() string { return "admin_servers.html" }

func (w *Web) others(p *page) error { return w.showServers(p, http.StatusOK, serversPage{}) }

func (w *Web) listServers(p *page) ([]server, error) {
	views, err := w.Social.PeerViews(p.ctx())
	if err != nil {
		return nil, err
	}
	hosts, err := w.Console.Hosts(p.ctx())
	if err != nil {
		return nil, err
	}
	health := map[string]queue.Host{}
	for _, h := range hosts {
		health[h.Name] = h
	}
	clocks := w.Console.Clocks()
	var out []server
	for _, v := range views {
		out = append(out, server{p.frame, v, health[v.Authority], clocks[v.Authority]})
	}
	return out, nil
}

func (w *Web) showServers(p *page, status int, d serversPage) error {
	all, err := w.listServers(p)
	if err != nil {
		return err
	}
	d.frame, d.Only = p.titled("admin_servers"), p.r.URL.Query().Get("only")
	for _, s := range all {
		failing := s.Failures > 0 || s.Parked() || s.Ahead != 0
		if d.Only == "" || d.Only == "failing" && failing || d.Only == string(s.Counts.Kind) {
			d.Servers = append(d.Servers, s)
		}
	}
	if d.Roster, err = w.Social.CurrentRoster(p.ctx()); err != nil {
		return err
	}
	d.MayLeave = d.Roster != nil && d.Roster.Keeper != p.home
	if d.OwnKey, err = w.Social.OwnFingerprint(p.ctx()); err != nil {
		return err
	}
	open, err := w.Social.OpenInvitations(p.ctx())
	if err != nil {
		return err
	}
	for _, i := range open {
		d.Open = append(d.Open, invited{p.frame, i})
	}
	if d.Invite == nil {
		d.Invite = w.inviteForm(p)
	}
	if d.Accept == nil {
		d.Accept = w.acceptForm(p)
	}
	return w.show(p, status, d)
}

func (w *Web) inviteForm(p *page) *form {
	return &form{Action: "/admin/servers/invite", Submit: p.T("make_code"), Fields: []field{
		{Name: "host", Label: p.T("other_name"), Hint: p.T("other_name_hint"), Kind: "text", Required: true, MaxLength: 253},
		{Name: "level", Label: p.T("connect_level"), Kind: "select", Options: []option{{Value: "company", Label: p.T("is_company"), Selected: true}, {Value: "partner", Label: p.T("level_partner")}}},
		{Name: "partner", Label: p.T("partner_short"), Kind: "text", MaxLength: 40},
		{Name: "days", Label: p.T("code_days"), Kind: "select", Options: []option{{Value: "1", Label: p.N("days", 1)}, {Value: "7", Label: p.N("days", 7), Selected: true}, {Value: "14", Label: p.N("days", 14)}}},
	}}
}

func (w *Web) acceptForm(p *page) *form {
	return &form{Action: "/admin/servers/accept", Submit: p.T("read_code"), Fields: []field{
		{Name: "code", Label: p.T("code"), Hint: p.T("code_hint"), Kind: "textarea", Rows: 3, Required: true}}}
}

// readLevel makes a zone of the fields of a form.
func readLevel(r *http.Request) (social.Zone, error) {
	name := r.PostFormValue("level")
	if name == string(social.ZonePartner) {
		name += ":" + strings.ToLower(strings.TrimSpace(r.PostFormValue("partner")))
	}
	return social.ParseZone(name)
}

func (w *Web) invite(p *page) error {
	f := w.inviteForm(p)
	wrong := func(name string, err error) error {
		f.refill(p.r)
		f.mark(name, p.say(err))
		p.Problem = p.T("check_form")
		return w.showServers(p, http.StatusUnprocessableEntity, serversPage{Invite: f})
	}
	host, err := activitypub.HostPort(strings.TrimSpace(p.r.PostFormValue("host")))
	if err != nil {
		return wrong("host", social.Errorf(social.Invalid, "this is no name of a server; write it such as social.example.org"))
	}
	zone, err := readLevel(p.r)
	if err != nil {
		return wrong("partner", err)
	}
	code, err := w.Social.Invite(p.ctx(), social.InviteRequest{Host: host, Zone: zone, By: p.Me.Username, For: days(p.r.PostFormValue("days"))})
	if mistake(err) || social.KindOf(err) == social.Forbidden {
		return wrong("host", err)
	}
	if err != nil {
		return err
	}
	return w.showServers(p, http.StatusOK, serversPage{Code: code.String(), For: host, Until: p.When(code.ExpiresAt)})
}

// invited is a code that nobody has used yet.
type invited struct {
	*frame
	social.Invitation
}

// Level says what the server becomes by it.
func (i invited) Level() string { return i.level(i.Zone) }

// revoke makes a code useless, once it was said what that means.
func (w *Web) revoke(p *page) error {
	id := p.r.PostFormValue("invitation")
	if p.r.PostFormValue("sure") != "" {
		if err := w.Social.Revoke(p.ctx(), id, p.Me.Username); err != nil {
			return err
		}
		return w.redirect(p, "/admin/servers", "code_revoked")
	}
	open, err := w.Social.OpenInvitations(p.ctx())
	if err != nil {
		return err
	}
	at := slices.IndexFunc(open, func(i social.Invitation) bool { return i.ID == id })
	if at < 0 {
		return social.NotFoundError()
	}
	return w.show(p, http.StatusOK, revokePage(p, open[at]))
}

func revokePage(p *page, i social.Invitation) formPage {
	return formPage{frame: p.titled("code_revoke"), Admin: true, Intro: []string{p.T("code_revoke_what", i.Authority)},
		Form: &form{Action: "/admin/servers/revoke", Submit: p.T("code_revoke_now"), Danger: true, Hidden: map[string]string{"invitation": i.ID, "sure": "yes"}}}
}

func (w *Web) accept(p *page) error {
	code := p.r.PostFormValue("code")
	c, err := w.Social.ReadCode(code)
	if err == nil && p.r.PostFormValue("same") == "" {
		return w.showAccept(p, c)
	}
	if err != nil {
		return w.badCode(p, err)
	}
	paired, err := w.Social.Accept(p.ctx(), code, social.Zone{}, nil, p.Me.Username)
	if err != nil {
		return w.badCode(p, err)
	}
	return w.redirect(p, "/admin/servers/"+url.PathEscape(paired.Authority), "server_paired")
}

// badCode shows the code again, with why it was not taken.
func (w *Web) badCode(p *page, err error) error {
	if social.KindOf(err) == social.Internal {
		return err
	}
	f := w.acceptForm(p)
	f.refill(p.r)
	f.mark("code", p.say(err))
	p.Problem = p.T("check_form")
	return w.showServers(p, http.StatusUnprocessableEntity, serversPage{Accept: f})
}

// leaveRoster takes this server out of the group of companies.
func (w *Web) leaveRoster(p *page) error {
	if p.r.PostFormValue("sure") == "" {
		return social.Errorf(social.Invalid, "say that you are sure: what is for them is taken back, and nothing more is exchanged")
	}
	if _, err := w.Social.Leave(p.ctx(), p.Me.Username); err != nil {
		return err
	}
	return w.redirect(p, "/admin/servers", "group_left")
}

// acceptPage shows whose code it is, and both fingerprints, before anything is agreed.
type acceptPage struct {
	*frame
	Host, Level  string
	Ours, Theirs string
	Form         *form
}

func (acceptPage) file() string { return "admin_accept.html" }

func (w *Web) showAccept(p *page, c social.Code) error {
	ours, err := w.Social.OwnFingerprint(p.ctx())
	if err != nil {
		return err
	}
	f := &form{Action: "/admin/servers/accept", Hidden: map[string]string{"code": c.String(), "shown": "yes"}, Submit: p.T("use_code"),
		Fields: []field{{Name: "same", Label: p.T("print_same"), Kind: "checkbox", Required: true}}}
	status := http.StatusOK
	if p.r.PostFormValue("shown") != "" {
		f.mark("same", p.T("print_first"))
		p.Problem, status = p.T("check_form"), http.StatusUnprocessableEntity
	}
	return w.show(p, status, acceptPage{p.titled("accept_code"), c.Authority, p.level(c.Zone), ours, c.ShownFingerprint(), f})
}

// otherPage is one server.
type otherPage struct {
	*frame
	S       server
	Report  social.PeerReport
	Wrong   refused
	Level   *form
	Probe   string      // what a test of the connection said
	Bad     bool        // that is no good news
	Refused func(*form) // puts what was typed back into the form about the level; nil for nothing
	Veto    bool        // this server may be vetoed: it is on a roster that others keep
}

func (otherPage) file() string { return "admin_server.html" }

func (w *Web) other(p *page) error {
	return w.showOther(p, http.StatusOK, p.part("host"), otherPage{})
}

func (w *Web) showOther(p *page, status int, host string, d otherPage) error {
	all, err := w.listServers(p)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.Authority != host {
			continue
		}
		d.frame, d.S, d.Veto = p.frame, s, s.Paired.Keeper != "" && s.Paired.Keeper != p.home
		if d.Level = w.levelForm(p, s); d.Refused != nil {
			d.Refused(d.Level)
		}
		d.Title, d.Path = host, "/admin/servers/"+url.PathEscape(host)
		if d.Report, err = w.Social.PeerReport(p.ctx(), host); err != nil {
			return err
		}
		return w.show(p, status, d)
	}
	return social.NotFoundError()
}

// clockOff is how wrong a clock may be before it is told.
const clockOff = 5 * time.Second

// probe asks a server whether it is there.
func (w *Web) probe(p *page, host string) error {
	took, ahead, err := w.Console.Probe(p.ctx(), host)
	ms, off := p.Number(int(took.Milliseconds())), p.Number(int(ahead.Abs().Seconds()))
	d := otherPage{Bad: err != nil || ahead.Abs() > clockOff}
	switch {
	case social.KindOf(err) == social.NotFound:
		return err
	case err != nil:
		d.Probe = p.say(err)
	case ahead > clockOff:
		d.Probe = p.T("probe_ahead", ms, off)
	case ahead < -clockOff:
		d.Probe = p.T("probe_behind", ms, off)
	default:
		d.Probe = p.T("probe_answers", ms)
	}
	return w.showOther(p, http.StatusOK, host, d)
}

// changeLevel makes a server something else to us. Somebody says why, and once more that
// it is meant where the server may have more than before.
func (w *Web) changeLevel(p *page, host string) error {
	wrong := func(name string, err error) error {
		p.Problem = p.T("check_form")
		return w.showOther(p, status(err), host, otherPage{Refused: func(f *form) { f.refill(p.r); f.mark(name, p.say(err)) }})
	}
	zone, err := readLevel(p.r)
	if err != nil {
		return wrong("partner", err)
	}
	if err := social.CheckReason(p.r.PostFormValue("reason")); err != nil {
		return wrong("reason", err)
	}
	was, err := w.Social.Zone(p.ctx(), host)
	if err != nil {
		return err
	}
	if zone.Widens(was) && p.r.PostFormValue("sure") == "" {
		return wrong("sure", social.Errorf(social.Invalid, "this server may have more than before; say that it is meant"))
	}
	err = w.Social.SetZone(p.ctx(), host, zone, p.r.PostFormValue("reason"), p.Me.Username)
	if mistake(err) {
		return wrong("level", err)
	}
	if err != nil {
		return err
	}
	return w.redirect(p, "/admin/servers/"+url.PathEscape(host), "level_set")
}

// changeOther does what the forms on a server's page ask for.
func (w *Web) changeOther(p *page) error {
	host, by := p.part("host"), p.Me.Username
	to := "/admin/servers/" + url.PathEscape(host)
	switch p.r.PostFormValue("do") {
	case "level":
		return w.changeLevel(p, host)
	case "probe":
		return w.probe(p, host)
	case "prove":
		if _, err := w.Console.Unpark(p.ctx(), host, by); err != nil {
			return err
		}
		return w.redirect(p, to, "server_proved")
	case "history":
		if err := w.Social.SetHistory(p.ctx(), host, time.UnixMilli(1), by); err != nil {
			return err
		}
		return w.redirect(p, to, "saved")
	case "veto":
		if err := w.Social.Veto(p.ctx(), host, by); err != nil {
			return err
		}
		return w.redirect(p, to, "saved")
	case "unveto":
		if err := w.Social.Unveto(p.ctx(), host, by); err != nil {
			return err
		}
		return w.redirect(p, to, "saved")
	case "remove":
		if p.r.PostFormValue("sure") == "" {
			return social.Errorf(social.Invalid, "say that you are sure: what is for it is taken back, and nothing more is exchanged")
		}
		if err := w.Social.RemovePeer(p.ctx(), host, by); err != nil {
			return err
		}
		return w.redirect(p, "/admin/servers", "server_removed")
	}
	return social.NotFoundError()
}
