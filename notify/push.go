// Package notify tells members what happened while they do not look: by web push to
// their browsers and apps, and writes them one-time links by mail. What it says is general;
// who wants to know more opens the page. It asks social, which asks the audience, at the moment of telling, and knows
// neither pages nor the Mastodon API.
package notify

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/SherClockHolmes/webpush-go"

	"parley/outbound"
	"parley/queue"
	"parley/social"
)

// Options are what a Pusher needs.
type Options struct {
	Social *social.Service
	Client *outbound.Client
	Log    *slog.Logger
}

// Pusher tells browsers and apps of notifications (RFC 8030, 8291, 8292).
type Pusher struct {
	Options
	public, private string // the server's own key, by which push services know it (VAPID)
}

// keySetting holds the private half of the server's key.
const keySetting = "push_key"

// NewPusher makes a Pusher; at the first start it makes the server's key. A new key
// would end all subscriptions: they are bound to it.
func NewPusher(ctx context.Context, o Options) (*Pusher, error) {
	p := &Pusher{Options: o}
	err := o.Social.Store.Tx(ctx, func(tx social.Tx) error {
		kept, err := tx.Setting(ctx, keySetting)
		if err != nil {
			return err
		}
		if kept == "" {
			private, _, err := webpush.GenerateVAPIDKeys()
			if err != nil {
				return err
			}
			kept = private
			if err := tx.PutSetting(ctx, keySetting, kept); err != nil {
				return err
			}
		}
		p.private = kept
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.public, err = publicOf(p.private)
	return p, err
}

// PublicKey is what a browser or an app needs to subscribe: P-256, uncompressed,
// base64url without padding.
func (p *Pusher) PublicKey() string { return p.public }

// message is what arrives: what apps of Mastodon read (its api "Push"), and general
// words. Nothing of a post and nobody's name is in it.
type message struct {
	Token    string          `json:"access_token"` // apps expect the field; we keep no token that could be sent
	Language string          `json:"preferred_locale"`
	ID       json.RawMessage `json:"notification_id"` // a number, as the apps read it
	Kind     string          `json:"notification_type"`
	Icon     string          `json:"icon"`
	Title    string          `json:"title"`
	Body     string          `json:"body"`
}

const (
	// sendTime is what a push service may take.
	sendTime = 15 * time.Second
	// Lease is longer than one attempt.
	Lease = time.Minute
)

// Send is the handler of social.PushJob.
func (p *Pusher) Send(ctx context.Context, j queue.Job) queue.Result {
	due, err := p.Social.DuePush(ctx, j)
	if social.KindOf(err) == social.NotFound {
		return queue.Result{Verdict: queue.Done}
	}
	if err != nil {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	text, err := json.Marshal(p.message(due))
	if err != nil {
		return queue.Result{Verdict: queue.Done, Reason: err.Error()}
	}
	s := due.Subscription
	res, err := webpush.SendNotificationWithContext(ctx, text,
		&webpush.Subscription{Endpoint: s.Endpoint, Keys: webpush.Keys{P256dh: base64.RawURLEncoding.EncodeToString(s.PublicKey), Auth: base64.RawURLEncoding.EncodeToString(s.Secret)}},
		&webpush.Options{HTTPClient: guarded{p.Client}, Subscriber: p.Social.Links.PublicURL, TTL: int(social.PushFor / time.Second), Urgency: urgency(due.Notification),
			VAPIDPublicKey: p.public, VAPIDPrivateKey: p.private})
	return p.verdict(ctx, j, s, res, err)
}

// verdict says what becomes of a job by the answer of the push service (RFC 8030 7.3, 8.4).
func (p *Pusher) verdict(ctx context.Context, j queue.Job, s *social.PushSubscription, res *http.Response, err error) queue.Result {
	var failure *outbound.Error
	switch {
	case errors.As(err, &failure) && !failure.Kind.Final():
		return queue.Result{Verdict: queue.HostDown, Reason: "the push service does not answer"}
	case err != nil: // an address that may not be reached, or keys that are none
		return p.forget(ctx, s, "it cannot be told anything")
	case res.StatusCode < 300:
		return queue.Result{Verdict: queue.Done}
	case res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone:
		return p.forget(ctx, s, "its push service does not know it any more")
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
		after, _ := strconv.Atoi(res.Header.Get("Retry-After")) // none, or a date: the queue's own pace
		return queue.Result{Verdict: queue.Later, After: min(time.Duration(after)*time.Second, time.Hour), Reason: fmt.Sprintf("the push service answers %d", res.StatusCode)}
	}
	p.Log.Warn("a push service refuses", "host", j.Host, "status", res.StatusCode)
	return queue.Result{Verdict: queue.Done}
}

func (p *Pusher) forget(ctx context.Context, s *social.PushSubscription, why string) queue.Result {
	p.Log.Info("a push subscription ends", "account", s.AccountID, "reason", why)
	if err := p.Social.ForgetPush(ctx, s.ID); err != nil {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	return queue.Result{Verdict: queue.Done}
}

func (p *Pusher) message(due *social.Push) message {
	m := message{Language: due.Member.Language, ID: json.RawMessage("0"), Icon: p.Social.Links.PublicURL + "/static/icon-192.png", Title: "Parley", Kind: "parley.greeting"}
	if n := due.Notification; n != nil {
		m.ID, m.Kind = json.RawMessage(n.ID.String()), string(n.Kind)
	}
	m.Body = words(m.Kind, m.Language)
	return m
}

// urgency lets a phone sleep through what can wait (RFC 8030 5.3).
func urgency(n *social.Notification) webpush.Urgency {
	if n == nil || n.Kind == social.NotifyMention || n.Kind == social.NotifyReport {
		return webpush.UrgencyHigh
	}
	return webpush.UrgencyNormal
}

// guarded sends through the one outgoing client: an endpoint is an address that a
// member's browser named (T40).
type guarded struct{ client *outbound.Client }

// Do implements webpush.HTTPClient.
func (g guarded) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	res, err := g.client.Post(r.Context(), r.URL.String(), body, func(out *http.Request) error {
		maps.Copy(out.Header, r.Header)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: res.Status, Header: res.Header, Body: io.NopCloser(bytes.NewReader(nil))}, nil
}
