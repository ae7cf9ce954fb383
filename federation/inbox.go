package federation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"parley/activitypub"
	"parley/activitypub/httpsig"
	"parley/activitypub/seal"
	"parley/queue"
	"parley/social"
)

// handleInbox takes an activity: 202 only when it was verified and is durable.
func (s *Server) handleInbox(w http.ResponseWriter, r *http.Request) {
	room := &room{}
	defer room.leave()
	start := time.Now()
	got, status, err := s.receive(w, r, room)
	s.Meter.Ingested(err == nil, time.Since(start))
	if err != nil {
		peer := s.claimed(r, got.actor)
		s.Log.Info("delivery refused", "peer", peer, "actor", clip(got.actor, 300), "remote", r.RemoteAddr, "path", r.URL.Path, "reason", err.Error())
		if status != 0 {
			s.auditRefusal(r, social.AuditReceive, got.actor, peer, &social.Error{Kind: social.Invalid, Public: err.Error()})
			http.Error(w, err.Error(), status)
			return
		}
		s.auditRefusal(r, social.AuditReceive, got.actor, peer, err)
		s.refuse(w, r, err)
		return
	}
	if got.ack != nil {
		w.Header().Set("Content-Type", seal.AckType)
	}
	w.WriteHeader(http.StatusAccepted)
	_, _ = w.Write(got.ack) // the connection may be gone; then it comes again
}

// received is what is known of a delivery: who is said to send, and for a paired peer
// the proof that it is durable here.
type received struct {
	actor string
	ack   []byte
}

// room is a place among the bodies that are in memory at the same time. A small body
// needs none while it comes in, so that slow senders keep nobody out; large ones have
// places of their own, so that they keep out only each other (T12).
type room struct{ held chan struct{} }

// smallBody is what one connection may fill before it needs a place. Hardly anybody
// sends more: some servers take no larger activity.
const smallBody = 64 << 10

func (r *room) enter(places chan struct{}) error {
	if r.held != nil {
		return nil
	}
	select {
	case places <- struct{}{}:
		r.held = places
		return nil
	default:
		return social.Errorf(social.Unavailable, "too many deliveries at once; try again")
	}
}

func (r *room) leave() {
	if r.held != nil {
		<-r.held
	}
}

// bodyTime is how long a body may take where nothing else is said (T12).
const bodyTime = 30 * time.Second

// receive answers what came, and an HTTP status of its own for what is wrong with the
// message as such, or zero with an error of social otherwise.
func (s *Server) receive(w http.ResponseWriter, r *http.Request, room *room) (got received, status int, err error) {
	body, kind, status, err := s.readBody(w, r, room)
	if err != nil {
		return got, status, err
	}
	if err := room.enter(s.bodies); err != nil {
		return got, 0, err
	}
	if kind == seal.MediaType {
		return s.receiveSealed(r, body)
	}
	o, err := activitypub.Parse(body)
	if err != nil {
		return got, http.StatusBadRequest, err
	}
	got.actor = o.Ref("actor")
	if err := s.shape(o, got.actor); err != nil {
		return got, http.StatusBadRequest, err
	}
	if s.unknownLeaver(r, o, got.actor) {
		return got, 0, nil
	}
	if taken, err := s.selfProven(r, o, body); taken {
		return got, 0, err
	}
	v, err := s.verify(withBudget(r.Context(), keyFetches), r, body, o)
	if err != nil {
		return got, 0, err
	}
	v.sync = r.Header.Get(httpsig.Synchronization)
	return got, 0, s.keep(r, o, body, v)
}

func (s *Server) readBody(w http.ResponseWriter, r *http.Request, room *room) (body []byte, kind string, status int, err error) {
	if r.Header.Get("Content-Encoding") != "" {
		return nil, "", http.StatusUnsupportedMediaType, errors.New("send the body without Content-Encoding")
	}
	kind, _, err = mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/activity+json" && kind != "application/ld+json" && kind != "application/json" && kind != seal.MediaType {
		return nil, "", http.StatusUnsupportedMediaType, errors.New("send the body as application/activity+json")
	}
	// Where a connection has no deadlines of its own, the server's remain.
	line := http.NewResponseController(w)
	_ = line.SetReadDeadline(time.Now().Add(s.BodyTime))
	most := activitypub.MaxBytes
	if kind == seal.MediaType {
		most += seal.Overhead
	}
	from := http.MaxBytesReader(w, r.Body, int64(most))
	body, err = io.ReadAll(io.LimitReader(from, smallBody))
	if err == nil && len(body) == smallBody {
		if err := room.enter(s.large); err != nil {
			return nil, "", 0, err
		}
		whole := bytes.NewBuffer(make([]byte, 0, most+bytes.MinRead)) // no growing, no copies
		whole.Write(body)
		_, err = whole.ReadFrom(from)
		body = whole.Bytes()
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, "", http.StatusRequestEntityTooLarge, errors.New("an activity has at most 1 MiB")
	case err != nil:
		return nil, "", http.StatusBadRequest, errors.New("the body broke off")
	}
	_ = line.SetReadDeadline(time.Time{})
	return body, kind, 0, nil
}

// shape refuses what cannot be a delivery, before anything is looked up (T5-T7).
func (s *Server) shape(o object, actor string) error {
	switch {
	case !o.IsActivity():
		return errors.New("this is not an activity that is known here")
	case len(o.Refs("actor")) != 1:
		return errors.New("an activity has exactly one actor")
	case o.ID() != "" && s.Links.Owns(o.ID()), s.Links.Owns(actor):
		return errors.New("the activity claims to be of this server")
	case o.ID() != "" && !activitypub.SameAuthority(o.ID(), actor):
		return errors.New("the activity's id is not of its actor's server")
	}
	_, err := activitypub.Authority(actor)
	return err
}

// unknownLeaver accepts the deletion of an actor that was never known without
// fetching a key that is gone anyway.
func (s *Server) unknownLeaver(r *http.Request, o object, actor string) bool {
	if o.Type() != activitypub.Delete || o.Ref("object") != actor {
		return false
	}
	err := s.Store.View(r.Context(), func(tx social.Tx) error {
		_, err := tx.AccountByURI(r.Context(), actor)
		return err
	})
	return errors.Is(err, social.ErrNotFound)
}

// keep writes the activity and its job; the second time nothing is written.
func (s *Server) keep(r *http.Request, o object, body []byte, v *verified) error {
	id := o.ID()
	if id == "" { // transient (AP 3.1): it is known by what it says
		sum := sha256.Sum256(body)
		id = v.account.URI + "#" + hex.EncodeToString(sum[:])
	}
	in := &social.Inbound{ID: social.NewID(s.Now()), URI: id, InboxID: pathID(r, "id"), Peer: v.peer, Actor: v.account.URI, Body: body, ReceivedAt: s.Now(), SignedAt: v.at}
	if mux.Vars(r)["id"] == "" {
		in.InboxID = 0
	}
	if err := s.store(r.Context(), in, v); err != nil {
		return err
	}
	s.heard(r.Context(), v.peer)
	return nil
}

// heard lets deliveries go that wait for a server to be back: it is.
func (s *Server) heard(ctx context.Context, peer string) {
	released, err := s.Queue.HostHeard(ctx, peer, s.Now())
	if err != nil {
		s.Log.Warn("peer health not noted", "peer", peer, "error", err)
	}
	if released {
		s.Log.Info("a server that could not be reached sends again; what waits for it goes now", "peer", peer)
		s.deliveries.Wake()
		if err := s.CatchUpNow(ctx, peer); err != nil {
			s.Log.Warn("a change log is read later", "peer", peer, "error", err)
		}
	}
}

// store is keep's transaction.
func (s *Server) store(ctx context.Context, in *social.Inbound, v *verified) error {
	jobs, err := s.compareFollowers(ctx, v)
	if err != nil {
		return err
	}
	return s.Store.Tx(ctx, func(tx social.Tx) error {
		if v.forwarded() {
			// Passed on, it says nothing new to whoever had it, by whichever inbox (T4).
			if had, err := tx.WasInbound(ctx, in.URI); err != nil || had {
				return err
			}
		}
		fresh, err := tx.InsertInbound(ctx, in)
		if err != nil || !fresh {
			return err
		}
		touch := social.PeerTouch{Authority: v.peer, InAt: s.Now()}
		if !v.forwarded() {
			touch.SharedInbox = v.account.SharedInboxURI
		}
		if err := tx.TouchPeer(ctx, touch); err != nil {
			return err
		}
		if err := s.auditReceive(ctx, tx, in, v.key, nil); err != nil {
			return err
		}
		tx.AfterCommit(s.inbound.Wake)
		if len(jobs) > 0 {
			tx.AfterCommit(s.syncing.Wake)
		}
		return tx.AddJobs(ctx, append(jobs, queue.Job{Kind: "inbox", Ref: int64(in.ID), Chain: int64(v.account.ID)}))
	})
}
