package federation

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/outbound"
	"parley/serve"
	"parley/social"
)

// pairPath is where a code is answered.
const pairPath = "/api/parley/v1/pair"

// pairsMinute bounds how often one address may try codes.
const pairsMinute = 20

// pairMessage is what the two sides of a pairing say to each other, once each.
type pairMessage struct {
	Invitation string          `json:"invitation,omitempty"`
	Statement  json.RawMessage `json:"statement"`
	MAC        []byte          `json:"mac"` // base64
}

// Accept implements social.Remote: it answers a code.
func (s *Server) Accept(ctx context.Context, c social.Code, z social.Zone, data []string, by string) (p social.Pairing, err error) {
	authority, err := activitypub.HostPort(c.Authority)
	if err != nil || authority != c.Authority {
		return p, &social.Error{Kind: social.Invalid, Public: "the code names no server; copy it whole"}
	}
	own, err := s.social.OfferTerms(ctx, c, z, data)
	if err != nil {
		return p, err
	}
	inviter, err := s.instanceAt(ctx, authority)
	if err != nil {
		return p, err
	}
	if !bytes.Equal(social.Fingerprint(inviter.signing), c.Fingerprint) {
		s.Log.Warn("pairing refused: the server does not have the key of the code", "peer", authority)
		return p, social.Errorf(social.Forbidden, "%s does not show the key that the code names: either its keys were changed since, or somebody else answers for it. Ask for a new code, and compare the fingerprint by telephone", authority)
	}
	answer, err := s.offer(ctx, c, own, inviter)
	if err != nil {
		return p, err
	}
	theirs, err := s.readStatement(answer.Statement, c.InvitationID())
	switch {
	case err != nil:
	case theirs.Authority != authority || !bytes.Equal(theirs.SigningKey, inviter.signing) || !bytes.Equal(theirs.SealingKey, inviter.sealing):
		err = errors.New("the statement has other keys than its server")
	case !hmac.Equal(answer.MAC, pairingMAC(c.MACKey(), "invite", inviter, sideOf(own))):
		err = errors.New("whoever answered does not know the code")
	case theirs.Zone.Kind != z.Kind:
		err = errors.New("the answer offers another zone")
	}
	if err != nil {
		return p, &social.Error{Kind: social.Forbidden, Public: authority + " answered with a statement that is not accepted", Err: err}
	}
	if p, err = s.social.Agree(ctx, c, own, theirs, by); err == nil && p.Keeper != "" {
		s.fetchRoster(ctx, p.Keeper)
	}
	return p, err
}

// offer posts our statement to the inviter. It stands beside egress because nothing of
// a member is in it, and because there is no peer yet for egress to decide about.
func (s *Server) offer(ctx context.Context, c social.Code, own social.Terms, inviter side) (answer pairMessage, err error) {
	said, err := s.state(ctx, own, c.Authority, c.InvitationID())
	if err != nil {
		return answer, err
	}
	body, err := json.Marshal(pairMessage{Invitation: c.InvitationID(), Statement: said, MAC: pairingMAC(c.MACKey(), "accept", inviter, sideOf(own))})
	if err != nil {
		return answer, err
	}
	res, err := s.Client.Post(ctx, s.Links.Of(c.Authority).PublicURL+pairPath, body, nil)
	switch {
	case err != nil:
		return answer, s.unreached(c.Authority, err)
	case res.Status == http.StatusServiceUnavailable:
		return answer, social.Errorf(social.Unavailable, "%s cannot reach this instance at %s, or has no time; start parley serve, and accept again", c.Authority, s.Links.PublicURL)
	case res.Status == http.StatusTooManyRequests:
		return answer, social.Errorf(social.Limited, "%s had too many attempts; wait a minute and accept again", c.Authority)
	case res.Status != http.StatusOK:
		return answer, social.Errorf(social.Forbidden, "%s refused the code (%d): it was used, revoked or replaced, has run out, or is for another server than %s. Its log says which; ask for a new code", c.Authority, res.Status, s.Links.Home())
	}
	if err := json.Unmarshal(res.Body, &answer); err != nil {
		return answer, social.Errorf(social.Invalid, "%s did not answer as an instance of Parley does", c.Authority)
	}
	return answer, nil
}

// instanceAt asks another instance for its keys, over TLS and without a signature: its
// actor answers everybody.
func (s *Server) instanceAt(ctx context.Context, authority string) (side, error) {
	uri := s.Links.Of(authority).InstanceActor()
	res, err := s.Client.Get(ctx, outbound.Document, uri, nil)
	if err != nil {
		return side{}, s.unreached(authority, err)
	}
	strange := social.Errorf(social.Invalid, "%s is not an instance of Parley, or an old one: it shows no keys to pair with", authority)
	if res.Status != http.StatusOK || res.URL != uri {
		return side{}, strange
	}
	o, err := activitypub.Parse(res.Body)
	if err != nil || o.ID() != uri {
		return side{}, strange
	}
	found := side{authority: authority}
	for _, k := range o.Objects("assertionMethod") {
		if raw, err := httpsig.DecodeSigningKey(k.Text("publicKeyMultibase")); err == nil && k.ID() == s.Links.EdKey(uri) {
			found.signing = raw
		}
	}
	for _, k := range o.Objects("keyAgreement") {
		if raw, err := httpsig.DecodeSealingKey(k.Text("publicKeyMultibase")); err == nil && k.ID() == s.Links.Of(authority).SealingKey() {
			found.sealing = raw
		}
	}
	if found.signing == nil || found.sealing == nil {
		return side{}, strange
	}
	return found, nil
}

// handlePair is the inviter's side. It answers everybody; whatever is wrong with a
// code has one answer, so that nobody learns which codes there are.
func (s *Server) handlePair(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if s.Mode == social.ModeOff {
		s.refuse(w, r, notAdmitted())
		return
	}
	if from := serve.Address(r.Context()); !from.IsLoopback() && !s.pairs.take(from.String(), s.Now()) {
		s.refuse(w, r, social.Errorf(social.Limited, "too many requests; wait a little and try again"))
		return
	}
	answer, peer, err := s.answerPair(r.Context(), http.MaxBytesReader(w, r.Body, maxPairBody))
	if err == nil {
		serve.JSON(w, http.StatusOK, answer)
		return
	}
	s.Log.Warn("pairing refused", "peer", clip(peer, 300), "remote", r.RemoteAddr, "reason", err.Error())
	if kind := social.KindOf(err); kind == social.Unavailable {
		s.refuse(w, r, err)
		return
	}
	s.auditPairingRefused(r.Context(), peer, "code", err)
	s.refuse(w, r, social.Errorf(social.Forbidden, "this code is not accepted"))
}

// auditPairingRefused records what was refused of a pairing. Anybody may cause that, so
// the rows are bounded like those of other refusals.
func (s *Server) auditPairingRefused(ctx context.Context, peer, rule string, cause error) {
	err := s.Store.Tx(ctx, func(tx social.Tx) error {
		known, err := tx.Peer(ctx, peer)
		if err != nil || !s.refusals.take(peer, known.Zone, s.Now()) {
			return err
		}
		return tx.AppendAudit(ctx, social.AuditRow{At: s.Now(), Kind: social.AuditPairing, Peer: peer, Zone: known.Zone.String(), Rule: rule, Result: social.AuditRefused, Cause: cause.Error()})
	})
	if err != nil {
		s.Log.Error("a refused pairing was not recorded", "peer", clip(peer, 300), "error", err)
	}
}

// answerPair checks an offer: the code, the proof and HMAC, and that the server which
// it names shows the same keys. peer is who it claims to be.
func (s *Server) answerPair(ctx context.Context, from io.Reader) (answer pairMessage, peer string, err error) {
	var m pairMessage
	if err := json.NewDecoder(from).Decode(&m); err != nil {
		return answer, "", errors.New("the offer cannot be read")
	}
	theirs, err := s.readStatement(m.Statement, m.Invitation)
	peer = theirs.Authority
	if err != nil {
		return answer, peer, err
	}
	var invitation social.Invitation
	var own social.Terms
	if err := s.Store.View(ctx, func(tx social.Tx) (err error) {
		if own, err = s.social.OwnTerms(ctx, tx); err != nil {
			return err
		}
		invitation, err = tx.Invitation(ctx, m.Invitation)
		return err
	}); err != nil {
		return answer, peer, err
	}
	if !hmac.Equal(m.MAC, pairingMAC(invitation.MACKey, "accept", sideOf(own), sideOf(theirs))) {
		return answer, peer, errors.New("the code is not known, or other keys were meant")
	}
	if invitation.Authority != peer {
		return answer, peer, errors.New("the code is for " + invitation.Authority)
	}
	shown, err := s.instanceAt(ctx, peer)
	if err != nil {
		return answer, peer, err
	}
	if !bytes.Equal(shown.signing, theirs.SigningKey) || !bytes.Equal(shown.sealing, theirs.SealingKey) {
		return answer, peer, errors.New("its server shows other keys than its statement")
	}
	if own, err = s.social.Answer(ctx, m.Invitation, theirs); err != nil {
		return answer, peer, err
	}
	if answer.Statement, err = s.state(ctx, own, peer, m.Invitation); err != nil {
		return answer, peer, err
	}
	answer.MAC = pairingMAC(invitation.MACKey, "invite", sideOf(own), sideOf(theirs))
	return answer, peer, nil
}
