package federation

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"parley/activitypub"
	"parley/outbound"
	"parley/social"
)

// groupSoftware reads what a group announces (FEP-1b12). All other software takes each
// announced activity for a boost, so it is sent one for each thread alone.
var groupSoftware = []string{"parley", "lemmy", "piefed", "mbin", "kbin", "nodebb", "friendica", "discourse", "mobilizon", "hubzilla", "streams", "forte"}

// readsGroups says that a server understands what a group announces: a sister does, and
// software that says so by its name.
func (s *Server) readsGroups(ctx context.Context, tx social.Tx, peer string) (bool, error) {
	p, err := tx.Peer(ctx, peer)
	if err != nil {
		return false, err
	}
	zone, err := s.social.ZoneIn(ctx, tx, peer)
	return zone.Kind == social.ZoneCompany || slices.Contains(groupSoftware, p.Software), err
}

// learnSoftware asks a server what it runs (NodeInfo), once: somebody there joins a
// group. A server that does not say is one that reads no groups.
func (s *Server) learnSoftware(ctx context.Context, peer string) error {
	var p social.Peer
	if err := s.Store.View(ctx, func(tx social.Tx) (err error) {
		p, err = tx.Peer(ctx, peer)
		return err
	}); err != nil || p.Software != "" {
		return err
	}
	name, err := s.nodeInfo(ctx, peer)
	if err != nil {
		s.Log.Info("the software of a server is not known", "peer", peer, "reason", err)
		return nil
	}
	return s.Store.Tx(ctx, func(tx social.Tx) error {
		return tx.TouchPeer(ctx, social.PeerTouch{Authority: peer, Software: name})
	})
}

// nodeInfo is the name of a server's software (NodeInfo 2.x).
func (s *Server) nodeInfo(ctx context.Context, peer string) (string, error) {
	scheme, _, _ := strings.Cut(s.Links.PublicURL, "://")
	var index struct {
		Links []struct{ Rel, Href string }
	}
	if err := s.getJSON(ctx, scheme+"://"+peer+"/.well-known/nodeinfo", &index); err != nil {
		return "", err
	}
	for _, l := range index.Links {
		if !strings.HasPrefix(l.Rel, "http://nodeinfo.diaspora.software/ns/schema/2.") || !activitypub.SameAuthority(l.Href, scheme+"://"+peer) {
			continue
		}
		var info struct {
			Software struct{ Name string }
		}
		if err := s.getJSON(ctx, l.Href, &info); err != nil {
			return "", err
		}
		if name := strings.ToLower(info.Software.Name); plainName(name) && len(name) <= 40 {
			return name, nil
		}
	}
	return "", social.Errorf(social.NotFound, "the server %s does not answer as expected", peer)
}

// getJSON reads a document that everybody is shown.
func (s *Server) getJSON(ctx context.Context, address string, into any) error {
	res, err := s.askOpenly(ctx, outbound.WebFinger, address)
	if err != nil {
		return err
	}
	if res.Status != http.StatusOK {
		return social.Errorf(social.NotFound, "the server %s does not answer as expected", address)
	}
	return json.Unmarshal(res.Body, into)
}
