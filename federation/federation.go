// Package federation speaks ActivityPub: inbox and outbox, collections,
// translation between social and activitypub, fetching, egress, peers and the
// change log.
//
// It knows no SQL, no pages and no client JSON. Rules about who may see or do
// what are social's; this package asks them. Every delivery leaves through one
// function, egress, which holds the only POST of the outgoing client.
package federation

import (
	"log/slog"
	"time"

	"parley/outbound"
	"parley/queue"
	"parley/social"
)

// Options are what a Server needs.
type Options struct {
	Store    social.Store
	Queue    queue.Store
	Client   *outbound.Client
	Tokens   Tokens // of members' programs
	Links    social.Links
	Mode     social.FederationMode
	Software string        // version shown in NodeInfo and the User-Agent
	BodyTime time.Duration // how long the body of a delivery may take (T12); zero: 30 s
	Meter    Meter         // nil for none
	Now      func() time.Time
	Log      *slog.Logger
}

// Meter hears what is worth measuring.
type Meter interface {
	// Delivered hears of an attempt to deliver to a server of a zone.
	Delivered(zone, result string)
	// Ingested hears how long a delivery took until it was durable here, or refused.
	Ingested(accepted bool, took time.Duration)
}

// noMeter measures nothing.
type noMeter struct{}

func (noMeter) Delivered(string, string)     {}
func (noMeter) Ingested(bool, time.Duration) {}

// Server is the federating side of one instance.
type Server struct {
	Options
	social *social.Service
	outParts
	inParts
	pairedParts
}

// New makes a Server. It is also the social.Outbox and social.Remote of the
// service, so the service itself comes later, through Use.
func New(o Options) *Server {
	if o.BodyTime == 0 {
		o.BodyTime = bodyTime
	}
	if o.Meter == nil {
		o.Meter = noMeter{}
	}
	s := &Server{Options: o}
	s.outParts.init(s)
	s.inParts.init(s)
	s.held = make(chan struct{}, heldAnswers)
	return s
}

// Use gives the server the network it serves; called once, before any request.
func (s *Server) Use(service *social.Service) { s.social = service }
