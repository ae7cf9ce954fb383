package federation

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"parley/outbound"
	"parley/queue"
	"parley/social"
)

// What becomes of a delivery: nothing but the peer's own word or an administrator
// ends one to a sister or partner, and 30 days end one to the public zone.
func TestJudge(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	s := &Server{Options: Options{Now: func() time.Time { return now }}}
	const done, later, down = queue.Done, queue.Later, queue.HostDown
	type row struct {
		err                    error
		status                 int
		patient, public, after queue.Verdict // of a young one to a sister or the public zone, and of an old public one
	}
	rows := []row{{err: errors.New("no key to sign with"), patient: later, public: later, after: done}}
	for _, k := range []outbound.Kind{outbound.Refused, outbound.Unreachable, outbound.Timeout, outbound.TooLarge, outbound.BadType, outbound.Redirect} {
		rows = append(rows, row{err: &outbound.Error{Kind: k, Err: errors.New("because")}, patient: down, public: down, after: done})
	}
	for _, status := range []int{200, 201, 202, 204, 410} {
		rows = append(rows, row{status: status, patient: done, public: done, after: done})
	}
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308, 399, 401, 408, 500, 502, 504, 599} {
		rows = append(rows, row{status: status, patient: later, public: later, after: done})
	}
	for _, status := range []int{429, 503} {
		rows = append(rows, row{status: status, patient: down, public: down, after: done})
	}
	for _, status := range []int{400, 403, 404, 405, 413, 415, 422} {
		rows = append(rows, row{status: status, patient: later, public: done, after: done})
	}
	for _, r := range rows {
		var res *outbound.Response
		if r.err == nil {
			res = &outbound.Response{Status: r.status, Header: http.Header{"Retry-After": {"60"}}}
		}
		for _, one := range []struct {
			zone social.ZoneKind
			age  time.Duration
			want queue.Verdict
		}{
			{social.ZoneCompany, time.Hour, r.patient}, {social.ZonePartner, time.Hour, r.patient},
			{social.ZoneCompany, 1000 * 24 * time.Hour, r.patient}, {social.ZonePartner, 31 * 24 * time.Hour, r.patient},
			{social.ZonePublic, time.Hour, r.public}, {social.ZonePublic, 29 * 24 * time.Hour, r.public}, {social.ZonePublic, 31 * 24 * time.Hour, r.after},
		} {
			got := s.judge(queue.Job{CreatedAt: now.Add(-one.age)}, decision{zone: social.Zone{Kind: one.zone}}, res, r.err)
			if got.Verdict != one.want {
				t.Errorf("%v %d to %s after %v: %v, not %v", r.err, r.status, one.zone, one.age, got.Verdict, one.want)
			}
			if arrived := r.err == nil && r.status < 300; (got.Reason == "") != arrived {
				t.Errorf("%v %d: reason %q", r.err, r.status, got.Reason)
			}
			if res != nil && got.Verdict != done && got.After != time.Minute {
				t.Errorf("%d: waits %v", r.status, got.After)
			}
		}
	}
}

// What becomes of a fetch: our own decision is final, the network may work later,
// and a server that did not answer is let alone for a moment.
func TestUnreached(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for kind, want := range map[outbound.Kind]social.Kind{
		outbound.Refused: social.Invalid, outbound.TooLarge: social.Invalid, outbound.BadType: social.Invalid, outbound.Redirect: social.Invalid,
		outbound.Unreachable: social.Unavailable, outbound.Timeout: social.Unavailable,
	} {
		s := New(Options{Now: func() time.Time { return now }})
		err := s.unreached("peer.test", &outbound.Error{Kind: kind, Err: errors.New("because")})
		if social.KindOf(err) != want || s.down.known("host peer.test", now) != (want == social.Unavailable) {
			t.Errorf("%v: %v, let alone %v", kind, err, s.down.known("host peer.test", now))
		}
	}
}
