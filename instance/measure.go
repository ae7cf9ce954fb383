package instance

import (
	"context"
	"net/http"
	"strings"
	"time"

	"parley/metrics"
	"parley/social"
)

// newMetrics makes what measures the instance.
func (in *Instance) newMetrics(streams func() int) *metrics.Metrics {
	return metrics.New(metrics.Options{Version: Version, Look: in.look, Streams: streams, Now: in.now, Log: in.log})
}

// look reads for the metrics what only the database and the disk know.
func (in *Instance) look(ctx context.Context) (s metrics.State, err error) {
	if s.Zones, err = in.zones(ctx); err != nil {
		return s, err
	}
	kinds, err := in.DB.Kinds(ctx)
	if err != nil {
		return s, err
	}
	s.Jobs = map[string]metrics.Jobs{}
	for _, k := range kinds {
		s.Jobs[k.Name] = metrics.Jobs{Waiting: k.Waiting, Failing: k.Failing}
	}
	room, err := in.room.Room(ctx)
	if err != nil {
		return s, err
	}
	s.Database, s.Own, s.Copies, s.Disk, s.Free = room.Database, room.Own.Bytes, room.Copies.Bytes, room.Disk, room.Free
	s.LastBackup, err = in.LastBackup(ctx)
	return s, err
}

// zones adds up what waits for the servers of each zone, and how they are. Zones that
// have nobody are there too: what is missing raises no alarm.
func (in *Instance) zones(ctx context.Context) (map[string]metrics.Zone, error) {
	hosts, err := in.DB.Hosts(ctx)
	if err != nil {
		return nil, err
	}
	var peers []social.Peer
	if err := in.DB.View(ctx, func(tx social.Tx) error { peers, err = tx.Peers(ctx); return err }); err != nil {
		return nil, err
	}
	out := map[string]metrics.Zone{"company": {}, "partner": {}, "public": {}, "blocked": {}, "unknown": {}}
	known := map[string]social.Peer{}
	for _, p := range peers {
		known[p.Authority] = p
		if p.Pairing == social.PairingParked {
			z := out[in.zone(p)]
			z.Parked++
			out[in.zone(p)] = z
		}
	}
	for _, h := range hosts {
		p, ok := known[h.Name]
		if !ok {
			p = social.Peer{Authority: h.Name}
		}
		z := out[in.zone(p)]
		z.Waiting += h.Queued
		if !h.OldestAt.IsZero() && (z.Oldest.IsZero() || h.OldestAt.Before(z.Oldest)) {
			z.Oldest = h.OldestAt
		}
		if h.Failures > 0 {
			z.Failing++
		}
		if !h.HeldAt.IsZero() {
			z.Held++
		}
		out[in.zone(p)] = z
	}
	return out, nil
}

// zone is the zone of a peer as a label. Of a parked one, whose zone does not count now,
// it is the one that waits for it: an alarm about a sister must not look like another's.
func (in *Instance) zone(p social.Peer) string {
	kind := in.Social.ReaderAt(p, nil).Zone.Kind
	if p.Pairing == social.PairingParked {
		kind = p.Zone.Kind
	}
	if kind == social.ZoneUnknown {
		return "unknown"
	}
	return string(kind)
}

// classes are the first segments of paths that are not pages.
var classes = map[string]string{
	"users": "federation", "activities": "federation", "actor": "federation", "audiences": "federation", ".well-known": "federation", "nodeinfo": "federation",
	"api": "api", "oauth": "api", "media": "file", "static": "static", "live": "stream", "healthz": "health", "readyz": "health",
}

// classOf names one of a few classes of routes, whatever somebody asks for.
func classOf(path string) string {
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch {
	case path == "/inbox" || (first == "users" || first == "actor") && strings.HasSuffix(rest, "inbox"):
		return "inbox"
	case strings.HasPrefix(path, "/api/v1/streaming"):
		return "stream"
	case classes[first] != "":
		return classes[first]
	}
	return "page"
}

// requested measures an answered request.
func (in *Instance) requested(r *http.Request, status int, took time.Duration) {
	in.Metrics.Requested(classOf(r.URL.Path), status, took)
}
