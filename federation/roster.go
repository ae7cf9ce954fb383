package federation

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/activitypub/proof"
	"parley/outbound"
	"parley/social"
)

// rosterPath is where members fetch the roster; its address is the roster's id.
const rosterPath = "/api/parley/v1/roster"

// maxMembers bounds a roster; its document then has less than 1 MiB.
const maxMembers = 2000

// roster is the document of a social.Roster, with the keeper's proof.
type roster struct {
	Type      string    `json:"type"`
	ID        string    `json:"id"`
	Actor     string    `json:"actor"` // of the keeper
	Number    int64     `json:"number"`
	Published time.Time `json:"published"`
	Members   []member  `json:"members"`
}

type member struct {
	Authority   string    `json:"authority"`
	Name        string    `json:"name"`
	SigningKey  string    `json:"signingKey"` // Multikey
	SealingKey  string    `json:"sealingKey"`
	FormerKey   string    `json:"formerKey,omitempty"` // good until FormerUntil
	FormerUntil time.Time `json:"formerUntil,omitzero"`
	Since       time.Time `json:"since"`
}

// SignRoster implements social.Outbox.
func (s *Server) SignRoster(ctx context.Context, tx social.Tx, r social.Roster) ([]byte, error) {
	doc := roster{Type: typeRoster, ID: s.Links.PublicURL + rosterPath, Actor: s.Links.InstanceActor(), Number: r.Number, Published: r.At.UTC()}
	for _, m := range r.Members {
		one := member{Authority: m.Authority, Name: m.Name, SigningKey: httpsig.EncodeMultikey(m.SigningKey), SealingKey: httpsig.EncodeSealingKey(m.SealingKey), Since: m.Since.UTC()}
		if s.Now().Before(m.FormerUntil) {
			one.FormerKey, one.FormerUntil = httpsig.EncodeMultikey(m.FormerKey), m.FormerUntil.UTC()
		}
		doc.Members = append(doc.Members, one)
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	key, err := s.instanceKey(ctx, tx)
	if err != nil {
		return nil, err
	}
	return proof.Sign(b, key, s.Now())
}

// readRoster reads a roster; nothing of it is proved.
func (s *Server) readRoster(b []byte) (*social.Roster, error) {
	bad := social.Errorf(social.Invalid, "this is not a roster")
	var doc roster
	if err := json.Unmarshal(b, &doc); err != nil || doc.Type != typeRoster || doc.Number < 1 || len(doc.Members) > maxMembers {
		return nil, bad
	}
	keeper, err := activitypub.Authority(doc.Actor)
	if err != nil || doc.Actor != s.Links.Of(keeper).InstanceActor() || doc.ID != s.Links.Of(keeper).PublicURL+rosterPath {
		return nil, bad
	}
	r := &social.Roster{Keeper: keeper, Number: doc.Number, At: doc.Published, Document: b}
	for _, m := range doc.Members {
		authority, err := activitypub.HostPort(m.Authority)
		if _, twice := r.Member(authority); err != nil || authority != m.Authority || twice || m.Since.IsZero() {
			return nil, bad
		}
		one := social.RosterMember{Authority: authority, Name: s.text().SanitizePlain(clip(m.Name, 500), 100), Since: m.Since, FormerUntil: m.FormerUntil}
		for to, key := range map[*[]byte]string{&one.SigningKey: m.SigningKey, &one.FormerKey: m.FormerKey} {
			if key == "" && to == &one.FormerKey {
				continue
			}
			if *to, err = httpsig.DecodeSigningKey(key); err != nil {
				return nil, bad
			}
		}
		if one.SealingKey, err = httpsig.DecodeSealingKey(m.SealingKey); err != nil {
			return nil, bad
		}
		r.Members = append(r.Members, one)
	}
	if _, there := r.Member(keeper); !there {
		return nil, bad
	}
	return r, nil
}

// takeRoster applies a roster, whoever passed it on: the keeper's proof alone counts.
// One that is refused is recorded, but for the very one that is known.
func (s *Server) takeRoster(ctx context.Context, b []byte, from string) error {
	r, err := s.readRoster(b)
	if err == nil {
		err = s.Store.Tx(ctx, func(tx social.Tx) error {
			p, err := tx.Pairing(ctx, r.Keeper)
			if errors.Is(err, social.ErrNotFound) || err == nil && (!p.Holds(s.Now()) || p.Keeper != r.Keeper) {
				return social.Errorf(social.Forbidden, "the roster is kept by a server that keeps none here")
			}
			if err != nil {
				return err
			}
			keys := [][]byte{p.SigningKey}
			if s.Now().Before(p.FormerUntil) {
				keys = append(keys, p.FormerKey)
			}
			if err := s.provenByKey(b, s.Links.Of(r.Keeper).InstanceActor(), keys...); err != nil {
				return &social.Error{Kind: social.Forbidden, Public: "the roster is not signed by its keeper", Err: err}
			}
			return s.social.ApplyRoster(ctx, tx, r)
		})
	}
	if kind := social.KindOf(err); err != nil && kind != social.Internal {
		s.Log.Warn("roster refused", "peer", from, "reason", err.Error())
		s.auditPairingRefused(ctx, from, "roster", err)
	}
	return err
}

// selfProven takes what proves itself by the keys that are pinned here, whoever passes
// it on: a roster, by its keeper; new keys, by those that they replace. It says whether
// the activity was one of these.
func (s *Server) selfProven(r *http.Request, o object, body []byte) (bool, error) {
	e, ok := o.Embedded("object")
	if !ok || o.Type() != activitypub.Update {
		return false, nil
	}
	from, _ := activitypub.Authority(o.Ref("actor")) // shape has looked at it
	if e.Type() == typeRoster {
		err := s.takeRoster(r.Context(), proof.Part(body, "object"), from)
		if social.KindOf(err) == social.Gone {
			err = nil // a newer one is known: whoever passed it on need not come again
		}
		return true, err
	}
	if e.Type() == typeNewKeys {
		err := s.takeKeys(r.Context(), proof.Part(body, "object"), from)
		if err != nil && social.KindOf(err) != social.Internal {
			s.Log.Warn("new keys refused", "peer", from, "reason", err.Error())
			s.auditRefusal(r, social.AuditPairing, o.ID(), from, err)
		}
		return true, err
	}
	return false, nil
}

// getRoster answers members with the newest roster that is known here.
func (s *Server) getRoster(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept, Signature, Signature-Input")
	reader, err := s.reader(r)
	var known *social.Roster
	if err == nil {
		err = s.Store.View(r.Context(), func(tx social.Tx) error {
			known, err = s.social.Roster(r.Context(), tx)
			return err
		})
	}
	if _, member := known.Member(reader.Peer); err == nil && (!member || reader.Zone.Kind != social.ZoneCompany) {
		err = social.NotFoundError()
	}
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", activityType)
	w.Header().Set("Cache-Control", "private, no-cache")
	_, _ = w.Write(known.Document) // the connection may be gone; nobody is left to tell
}

// fetchRoster asks a new keeper for its roster. Where that fails, the keeper sends it.
func (s *Server) fetchRoster(ctx context.Context, keeper string) {
	res, err := s.ask(ctx, outbound.Document, 0, keeper, s.Links.Of(keeper).PublicURL+rosterPath)
	if err == nil && res.Status == http.StatusOK {
		err = s.takeRoster(ctx, res.Body, keeper)
	}
	if err != nil || res.Status != http.StatusOK {
		s.Log.Info("the roster was not fetched; its keeper sends it", "peer", keeper, "error", err)
	}
}

// pairingActivity writes what instances tell each other about themselves; nothing in it
// is of a member.
func (s *Server) pairingActivity(ctx context.Context, tx social.Tx, o object, c social.Change) error {
	switch c.Verb {
	case social.VerbNewKeys:
		change, err := s.keyChangeNow(ctx, tx)
		if err != nil {
			return err
		}
		o["type"], o["object"] = activitypub.Update, json.RawMessage(change)
	case social.VerbRoster:
		o["type"], o["object"] = activitypub.Update, json.RawMessage(c.Roster.Document)
	case social.VerbUnpair:
		o["type"], o["object"] = activitypub.Leave, object{"type": typePairing, "id": s.pairingID(c.Actor.URI, c.URI)}
	}
	to := []any{}
	for _, peer := range s.pairingPeers(c) {
		to = append(to, s.Links.Of(peer).InstanceActor())
	}
	o["to"] = to
	return nil
}

// pairingPeers are the servers that such an activity goes to.
func (s *Server) pairingPeers(c social.Change) (peers []string) {
	if c.Peer != "" {
		return []string{c.Peer}
	}
	for _, m := range c.Roster.Members {
		if m.Authority != s.Links.Home() {
			peers = append(peers, m.Authority)
		}
	}
	return peers
}

// pairingID names a pairing by the invitation that made it; without one it is by the
// roster.
func (s *Server) pairingID(actor, invitation string) string {
	return actor + "#pairing-" + cmp.Or(invitation, "roster")
}

// applyUnpair hears that another instance ended the pairing.
func (s *Server) applyUnpair(ctx context.Context, actor *social.Account, id string) error {
	if actor.URI != s.Links.Of(actor.Authority).InstanceActor() {
		return social.Errorf(social.Forbidden, "only an instance ends its pairing")
	}
	return s.social.HearEnd(ctx, actor.Authority, func(invitation string) bool { return id == s.pairingID(actor.URI, invitation) })
}
