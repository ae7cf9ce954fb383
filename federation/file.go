package federation

import (
	"context"
	"errors"
	"net/http"

	"parley/activitypub/httpsig"
	"parley/media"
	"parley/outbound"
	"parley/social"
)

// Reader tells who signed a request for a file, as for a document.
func (s *Server) Reader(w http.ResponseWriter, r *http.Request) (social.Reader, error) {
	reader, err := s.reader(r)
	if social.KindOf(err) == social.Unauthenticated {
		w.Header().Set("Accept-Signature", httpsig.AcceptSignature(r.Method))
	}
	return reader, err
}

// errNoFile is what members hear of a file that is not to be had; the log knows why.
func errNoFile(cause error) error {
	return &social.Error{Kind: social.NotFound, Public: "not found", Err: cause}
}

func errNoFileNow(cause error) error {
	return &social.Error{Kind: social.Unavailable, Public: "the file cannot be fetched at the moment; try again later", Err: cause}
}

// File implements social.Remote. What failed is not tried again for a minute.
func (s *Server) File(ctx context.Context, as social.ID, home, address string) (*social.RemoteFile, error) {
	peer, err := s.mayAsk(ctx, address)
	if err != nil {
		return nil, noFile(err)
	}
	leave, err := s.filesAt.take(ctx, peer)
	if err != nil {
		return nil, errNoFileNow(err)
	}
	defer leave()
	file := "file " + as.String() + " " + address
	switch now := s.Now(); {
	case s.fileless.known(file, now):
		return nil, errNoFile(errors.New("it could not be had a moment ago"))
	case s.fileless.known("host "+peer, now):
		return nil, errNoFileNow(errors.New("its server did not answer a moment ago"))
	}
	res, err := s.getFile(ctx, as, home, peer, address)
	if err == nil {
		err = usable(res)
	}
	if err == nil {
		return &social.RemoteFile{Origin: peer, Body: res.Body}, nil
	}
	s.Log.Info("a file was not had", "peer", peer, "reason", err)
	if network(err) {
		s.fileless.fresh("host "+peer, s.Now())
		return nil, errNoFileNow(err)
	}
	s.fileless.fresh(file, s.Now())
	return nil, noFile(err)
}

// usable says that an answer is a file of an accepted kind, by its bytes and whatever
// it calls itself (A4).
func usable(res *outbound.Response) error {
	if res.Status != http.StatusOK {
		return social.Errorf(social.NotFound, "answered %d", res.Status)
	}
	if kind := media.Sniff(res.Body); !accepted(kind) {
		return social.Errorf(social.NotFound, "its bytes are %s", kind)
	}
	return nil
}

func accepted(kind string) bool {
	_, ok := media.Extension(kind)
	return ok
}

// noFile keeps of a refusal only whether to come back.
func noFile(err error) error {
	switch social.KindOf(err) {
	case social.Unavailable:
		return errNoFileNow(err)
	case social.Internal:
		var ours *outbound.Error
		if !errors.As(err, &ours) {
			return err
		}
	}
	return errNoFile(err)
}

// network says that a request failed on its way, by no decision of ours.
func network(err error) bool {
	var ours *outbound.Error
	return errors.As(err, &ours) && !ours.Kind.Final()
}

// getFile asks in somebody's name on the server of the post's author, and nobody's
// elsewhere.
func (s *Server) getFile(ctx context.Context, as social.ID, home, peer, address string) (*outbound.Response, error) {
	if peer == home {
		return s.ask(ctx, outbound.Media, as, peer, address)
	}
	b, err := s.bond(ctx, peer)
	if err == nil && b != nil {
		// Asked without a signature it would be answered by whoever has its address.
		err = social.Errorf(social.NotFound, "files of %s are for its own posts", peer)
	}
	if err != nil {
		return nil, err
	}
	return s.Client.Get(ctx, outbound.Media, address, nil)
}
