package instance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"parley/config"
	"parley/federation"
	"parley/outbound"
	"parley/social"
	"parley/storage"
)

const (
	askedAtOnce = 16               // paired servers
	askedWithin = 30 * time.Second // all of them; one alone has the time of a probe
)

// checkPaired names the paired servers at whose address somebody else answers, asks the
// others, and compares their clocks with the one here.
func checkPaired(ctx context.Context, c *config.Config, db *storage.DB, log *slog.Logger, now func() time.Time) (out []Finding) {
	var peers []string
	heard := map[string]time.Time{}
	_ = db.View(ctx, func(tx social.Tx) error { // a database that cannot be read is named already
		list, err := tx.Pairings(ctx)
		for _, p := range list {
			switch {
			case p.State == social.PairingParked:
				out = append(out, problem("paired", "telephone its administrator; when its own keys answer again the exchange goes on by itself, or at once by: parley peer unpark "+p.Authority,
					"%s is parked, and what is for it waits: %s", p.Authority, p.Cause))
			case p.Holds(now()):
				peers = append(peers, p.Authority)
				peer, _ := tx.Peer(ctx, p.Authority) // when it was heard of is only told
				heard[p.Authority] = peer.LastInAt
			}
		}
		return err
	})
	if len(peers) == 0 || c.Federation.Mode == string(social.ModeOff) {
		return out
	}
	client, err := newClient(c, log)
	if err != nil {
		return out // the check of the domain names it
	}
	defer client.Close()
	failed, ahead := askPaired(ctx, newProber(c, db, client, log, now), peers)
	told := len(peers) // what the time is
	for _, peer := range peers {
		switch err := failed[peer]; {
		case err == nil:
			out = append(out, Finding{Check: "paired", State: StateOK, Text: peer + " answers" + lastHeard(heard[peer])})
		case ahead[peer] == 0: // else that is why: it refuses what is signed by another time
			told--
			out = append(out, problem("paired", pairedRemedy(peer, err), "%s does not answer as it should, and what is for it waits: %v", peer, cause(err)))
		}
	}
	return append(out, checkClocks(told, ahead)...)
}

func lastHeard(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return ", and reached this server last on " + at.UTC().Format(moment)
}

// newProber makes what asks paired servers, without the rest of the instance.
func newProber(c *config.Config, db *storage.DB, client *outbound.Client, log *slog.Logger, now func() time.Time) *federation.Server {
	links, mode := social.Links{PublicURL: c.PublicURL, Domain: c.Domain}, social.FederationMode(c.Federation.Mode)
	fed := federation.New(federation.Options{Store: db, Queue: db, Client: client, Links: links, Mode: mode, Software: Version, Now: now, Log: log})
	fed.Use(social.NewService(social.Options{Store: db, Outbox: fed, Remote: fed, Jobs: db, Links: links, Mode: mode, Profile: c.Profile, Limits: social.DefaultLimits(), Now: now, Log: log}))
	return fed
}

// askPaired asks all at the same time, as far as is good. It answers which did not answer,
// and by how much the clocks that go wrong are ahead of the one here.
func askPaired(ctx context.Context, fed *federation.Server, peers []string) (failed map[string]error, ahead map[string]time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, askedWithin)
	defer cancel()
	errs := make([]error, len(peers))
	turn := make(chan struct{}, askedAtOnce)
	var wg sync.WaitGroup
	for i, peer := range peers {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			_, _, errs[i] = fed.Probe(ctx, peer)
		})
	}
	wg.Wait()
	failed = map[string]error{}
	for i, err := range errs {
		if err != nil {
			failed[peers[i]] = err
		}
	}
	return failed, fed.Clocks()
}

// cause is what stood in the way, which the members' text leaves out.
func cause(err error) error {
	var told *social.Error
	if errors.As(err, &told) && told.Err != nil {
		return told.Err
	}
	return err
}

// pairedRemedy says what to do about a paired server that does not answer.
func pairedRemedy(peer string, err error) string {
	var failed *outbound.Error
	if remedy := certificateRemedy(err, peer); remedy != "" {
		return remedy
	}
	switch {
	case errors.As(err, &failed) && failed.Kind == outbound.Refused:
		return "if " + peer + " is in an inner network, add that to federation.allowed_networks"
	case errors.Is(err, federation.ErrOtherKeys):
		return "telephone the administrator of " + peer + ": if its keys are lost, or it was restored from a backup older than a change of them, it joins again by a new code (parley peer invite " + peer + ", where the list of companies is kept)"
	case errors.Is(err, federation.ErrKeysRefused):
		return "if this server was restored from a backup older than a change of its keys, it joins again: have a new code made for it, where the list of companies is kept, and enter it here by parley peer accept CODE; if not, telephone the administrator of " + peer
	}
	return "see whether other servers are reached from here (firewall, DNS, federation.proxy); if they are, telephone the administrator of " + peer
}

// checkClocks says whose clock goes wrong: the one here, if more than half of the servers
// that told the time say so, all in the same direction.
func checkClocks(told int, ahead map[string]time.Duration) (out []Finding) {
	early := 0
	for _, d := range ahead {
		if d > 0 {
			early++
		}
	}
	wrong := len(ahead)
	peers := slices.Sorted(maps.Keys(ahead))
	if wrong > 1 && 2*wrong > told && (early == 0 || early == wrong) {
		return []Finding{problem("clock", setClock, "the clocks of %d paired servers agree that the one here is %s", wrong, apart(-ahead[peers[0]]))}
	}
	for _, peer := range peers {
		out = append(out, problem("clock", "compare both with a watch; if the one here is right, telephone the administrator of "+peer+", else "+setClock,
			"the clock of %s is %s, compared with the one here, so each refuses what the other signs", peer, apart(ahead[peer])))
	}
	return out
}

// apart is a difference of clocks for people.
func apart(d time.Duration) string {
	side := "ahead"
	if d < 0 {
		side = "behind"
	}
	return fmt.Sprintf("%s %s", d.Abs().Round(time.Second), side)
}
