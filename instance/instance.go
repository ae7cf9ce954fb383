// Package instance wires one instance: it alone builds the graph of all parts,
// from the top down. Many instances can live in one process. It knows no flags.
package instance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/crypto/acme"

	"parley/activitypub/httpsig"
	"parley/api"
	"parley/auth"
	"parley/config"
	"parley/federation"
	"parley/live"
	"parley/media"
	"parley/metrics"
	"parley/notify"
	"parley/outbound"
	"parley/queue"
	"parley/serve"
	"parley/social"
	"parley/storage"
	"parley/storage/blob"
	"parley/text"
	"parley/web"
)

// Version of this program.
const Version = "0.1.0"

// Instance is one server and all its parts.
type Instance struct {
	Config     *config.Config
	DB         *storage.DB
	Social     *social.Service
	Auth       *auth.Service
	Federation *federation.Server
	Server     *serve.Server
	Metrics    *metrics.Metrics
	Mail       *notify.Mailer // nil where no mail server is named

	Ready func() // called when the first request can be answered; nil for nothing

	log    *slog.Logger
	now    func() time.Time
	client *outbound.Client
	files  *blob.Files
	room   console

	sender *queue.Runner // of posts that waited for their time
	facer  *queue.Runner // of copies of pictures of people elsewhere
	pusher *queue.Runner // of notifications to browsers and apps
	mailer *queue.Runner // of mail; nil where there is no mail server

	working atomic.Bool // the workers run
}

// Open opens the data folder and joins the parts; nothing listens yet.
func Open(ctx context.Context, c *config.Config, log *slog.Logger, now func() time.Time) (*Instance, error) {
	return OpenWith(ctx, c, log, now, httpsig.GenerateRSA)
}

// OpenWith is Open with another source of RSA keys, as PEM. Their search is most of
// what a new member costs, and tests make thousands.
func OpenWith(ctx context.Context, c *config.Config, log *slog.Logger, now func() time.Time, newRSA func() (public, private []byte, err error)) (_ *Instance, err error) {
	// 1. The data folder, for its owner alone.
	if err := storage.PrepareFolder(c.DataDir); err != nil {
		return nil, err
	}
	in := &Instance{Config: c, log: log.With("instance", c.Domain), now: now}
	defer func() {
		if err != nil {
			err = errors.Join(err, in.Close())
		}
	}()
	// 2. What measures the others, the database and the files.
	hub := live.New()
	in.Metrics, in.room = in.newMetrics(hub.Streams), console{in, &measured{}}
	if in.DB, err = storage.Open(ctx, storage.Options{URL: c.Storage.URL, DataDir: c.DataDir, Committed: in.Metrics.Committed, Now: now, Log: in.log}); err != nil {
		return nil, err
	}
	if in.files, err = blob.Open(c.Media.URL, c.DataDir); err != nil {
		return nil, err
	}
	if err := in.fixIdentity(ctx); err != nil {
		return nil, err
	}
	// 3. The one outgoing client.
	if in.client, err = newClient(c, in.log); err != nil {
		return nil, err
	}
	in.Auth = auth.New(in.DB, in.DB, now, in.log)
	in.Auth.Address = serve.Address
	// 4. Federation and the network know each other only through ports.
	links := social.Links{PublicURL: c.PublicURL, Domain: c.Domain}
	mode := social.FederationMode(c.Federation.Mode)
	in.Federation = federation.New(federation.Options{Store: in.DB, Queue: in.DB, Client: in.client, Tokens: in.Auth, Links: links, Mode: mode,
		Software: Version, Meter: in.Metrics, Now: now, Log: in.log})
	limits := social.DefaultLimits()
	limits.PostLength, limits.UploadBytes = c.Limits.PostLength, int64(c.Limits.UploadMB)<<20
	limits.CacheBytes = int64(c.Limits.MediaCacheMB) << 20
	in.Social = social.NewService(social.Options{Store: in.DB, Outbox: in.Federation, Remote: in.Federation, Jobs: in.DB, Live: hub, Text: text.New(),
		Links: links, Files: in.files, Images: media.NewProcessor(), NewKeys: newKeys(newRSA), NewSealingKey: newSealingKey, Mode: mode, Profile: c.Profile, Limits: limits, Now: now, Log: in.log})
	in.Federation.Use(in.Social)
	hub.Use(in.Social)
	pusher, err := notify.NewPusher(ctx, notify.Options{Social: in.Social, Client: in.client, Log: in.log})
	if err != nil {
		return nil, err
	}
	in.pusher = queue.NewRunner(in.DB, queue.Options{Kind: social.PushJob, Workers: 8, PerHost: 4, Lease: notify.Lease, Handler: pusher.Send, Now: now, Log: in.log})
	if in.Mail, err = in.newMailer(); err != nil {
		return nil, err
	}
	if in.Mail != nil {
		in.mailer = queue.NewRunner(in.DB, queue.Options{Kind: social.MailJob, Workers: 2, PerHost: 2, Lease: notify.MailLease, Handler: in.Mail.Send, Now: now, Log: in.log})
	}
	in.facer = queue.NewRunner(in.DB, queue.Options{Kind: social.FaceJob, Workers: 2, PerHost: 1, Lease: faceLease, Handler: in.face, Now: now, Log: in.log})
	in.sender = queue.NewRunner(in.DB, queue.Options{Kind: social.SendJob, Workers: 4, PerHost: 4, Lease: sendLease, Handler: in.send, Now: now, Log: in.log})
	if err := in.Social.EnsureInstance(ctx); err != nil {
		return nil, err
	}
	// 5. The edges, on one router. The pages come last: they take what is left.
	if in.Server, err = serve.New(serve.Options{Listen: c.Listen, TLS: in.tls(), TrustedProxies: c.TrustedProxies,
		RequestsPer5m: c.Limits.RequestsPer5m, Answered: in.requested, Now: now, Log: in.log}); err != nil {
		return nil, err
	}
	in.Server.OnStop(hub.Close)
	r := in.Server.Router
	r.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		serve.JSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	r.HandleFunc("/readyz", in.ready)
	in.Federation.Mount(r)
	programs := api.New(api.Options{Social: in.Social, Auth: in.Auth, Live: hub, Links: links, PushKey: pusher.PublicKey(), Version: Version, RequestsPer5m: c.Limits.RequestsPer5m, Now: now, Log: in.log})
	programs.Mount(r)
	pages, err := web.New(web.Options{Social: in.Social, Auth: in.Auth, Live: hub, Console: in.room, Mail: in.Mail != nil, Links: links, API: programs.Document(), PushKey: pusher.PublicKey(), Trial: c.Trial() && len(c.Federation.AllowedNetworks) == 0, Now: now, Log: in.log})
	if err != nil {
		return nil, err
	}
	files := serve.Files{Social: in.Social, Signed: in.Federation.Reader, Member: pages.Reader, Audit: in.Federation.AuditFile, Log: in.log}
	r.HandleFunc("/media/{id:[0-9]+}/{size:original|small}", files.Own).Methods(http.MethodGet, http.MethodHead)
	r.HandleFunc("/media/face/{account:[0-9]+}", files.Face).Methods(http.MethodGet, http.MethodHead)
	r.HandleFunc("/media/remote/{post:[0-9]+}/{place:[0-9]+}", files.Remote).Methods(http.MethodGet, http.MethodHead)
	pages.Mount(r)
	in.Server.Refuse = pages.Refuse
	return in, nil
}

func newClient(c *config.Config, log *slog.Logger) (*outbound.Client, error) {
	networks, err := c.Networks()
	if err != nil {
		return nil, err
	}
	return outbound.New(outbound.Options{AllowedNetworks: networks, PlainHTTP: plainHTTP(c), CAFile: c.Federation.CAFile,
		Proxy: c.Federation.Proxy, UserAgent: "Parley/" + Version + " (" + c.PublicURL + ")", Log: log})
}

// tls says how https is served.
func (in *Instance) tls() serve.TLS {
	c := in.Config
	t := serve.TLS{Origin: c.PublicURL, Name: c.Host(), Cert: c.TLS.Cert, Key: c.TLS.Key, Plain: c.TLS.HTTPListen}
	if c.TLS.ACMEEmail != "" {
		t.ACME = &serve.ACME{Server: &acme.Client{DirectoryURL: c.TLS.ACMEDirectory, HTTPClient: in.client.Library(c.TLS.ACMEDirectory)},
			Email: c.TLS.ACMEEmail, Folder: filepath.Join(c.DataDir, "acme"), Names: []string{c.Host()}}
	}
	return t
}

// plainHTTP says that the instance speaks http, with loopback alone.
func plainHTTP(c *config.Config) bool { return strings.HasPrefix(c.PublicURL, "http:") }

// identity is what the configuration may not change once others know it.
func identity(c *config.Config) map[string]string {
	return map[string]string{"domain": c.Domain, "public_url": c.PublicURL}
}

// fixIdentity writes domain and origin down at the first start and refuses others
// later: every handle and id would break.
func (in *Instance) fixIdentity(ctx context.Context) error {
	return in.DB.Tx(ctx, func(tx social.Tx) error {
		for key, want := range identity(in.Config) {
			have, err := tx.Setting(ctx, key)
			if err != nil {
				return err
			}
			if have == "" {
				if err := tx.PutSetting(ctx, key, want); err != nil {
					return err
				}
				continue
			}
			if have != want {
				return social.Errorf(social.Conflict, "this data belongs to %s %s, the configuration says %s: "+
					"with another one every handle and address that others know would break. Set it back; or, while no other server has met this instance, "+
					"run parley domain set HOST; or start with another --data", key, have, want)
			}
		}
		return nil
	})
}

// newKeys makes the two key pairs of a new member.
func newKeys(newRSA func() (public, private []byte, err error)) func() ([]social.Key, error) {
	return func() ([]social.Key, error) {
		rsaPublic, rsaPrivate, err := newRSA()
		if err != nil {
			return nil, err
		}
		edPublic, edPrivate, err := httpsig.GenerateEd25519()
		return []social.Key{{Kind: "rsa", Public: rsaPublic, Private: rsaPrivate}, {Kind: "ed25519", Public: edPublic, Private: edPrivate}}, err
	}
}

// newSealingKey makes the key pair to which others seal what is for this instance.
func newSealingKey() (social.Key, error) {
	public, private, err := httpsig.GenerateX25519()
	return social.Key{Kind: "x25519", Public: public, Private: private}, err
}

// Listen locks the data folder, looks the database through and takes the port.
func (in *Instance) Listen() (addr net.Addr, unlock func(), err error) {
	if unlock, err = storage.LockFolder(in.Config.DataDir); err != nil {
		return nil, nil, err
	}
	if err := in.DB.QuickCheck(context.Background()); err != nil {
		unlock()
		return nil, nil, err
	}
	if listen := in.Config.Metrics.Listen; listen != "" {
		if err := in.Metrics.Listen(listen); err != nil {
			unlock()
			return nil, nil, fmt.Errorf("cannot answer Prometheus on %s; choose another address or port as metrics.listen, or leave it empty: %w", listen, err)
		}
	}
	if addr, err = in.Server.Listen(); err != nil {
		unlock()
		if errors.Is(err, syscall.EADDRINUSE) {
			err = fmt.Errorf("something else listens there: end it, or choose another port with --listen (while you try things out, domain needs the same one: put both into parley.yaml, which all commands read): %w", err)
		}
		return nil, nil, errors.Join(fmt.Errorf("cannot listen on %s: %w", in.Config.Listen, err), in.Metrics.Close())
	}
	return addr, unlock, nil
}

// Run serves and works until the context ends.
func (in *Instance) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Before the first page: we were away, and what it shows of others may be out of date.
	if err := in.Federation.CatchUpNow(ctx, ""); err != nil && ctx.Err() == nil {
		in.log.Error("the change logs of others are read later", "error", err)
	}
	var wg sync.WaitGroup
	for _, r := range in.Runners() {
		wg.Go(func() { r.Run(ctx) })
	}
	wg.Go(func() { in.keepHouse(ctx) })
	wg.Go(func() { in.linkAudit(ctx) })
	wg.Go(func() { in.index(ctx) })
	wg.Go(func() { in.recheck(ctx) })
	wg.Go(func() { in.Metrics.Run(ctx) })
	in.working.Store(true)
	defer in.working.Store(false)
	if in.Ready != nil {
		in.Ready()
	}
	err := in.Server.Run(ctx)
	cancel()
	wg.Wait()
	return err
}

// Runners do the waiting work: posts whose time has come first, since they make more.
func (in *Instance) Runners() []*queue.Runner {
	all := append(append([]*queue.Runner{in.sender}, in.Federation.Runners()...), in.facer, in.pusher)
	if in.mailer != nil {
		all = append(all, in.mailer)
	}
	return all
}

// sendLease is longer than it takes to look up the people whom a post names.
const sendLease = time.Minute

// send is the handler of jobs that publish a post whose time has come.
func (in *Instance) send(ctx context.Context, j queue.Job) queue.Result {
	if err := in.Social.SendDue(ctx, social.ID(j.Ref)); err != nil {
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	}
	return queue.Result{Verdict: queue.Done}
}

// faceLease is longer than a fetch takes that its caller does not end before.
const faceLease = 2 * time.Minute

// face copies the picture of somebody elsewhere. A server that does not answer is asked a
// few times; after that the account's next change asks again.
func (in *Instance) face(ctx context.Context, j queue.Job) queue.Result {
	ctx, cancel := context.WithTimeout(ctx, faceLease/2)
	defer cancel()
	err := in.Social.FetchFace(ctx, social.ID(j.Ref))
	switch {
	case err != nil && j.Attempts+1 < social.FaceTries:
		return queue.Result{Verdict: queue.Later, Reason: err.Error()}
	case err != nil:
		in.log.Info("a picture was not had", "account", j.Ref, "reason", err)
	}
	return queue.Result{Verdict: queue.Done}
}

const (
	housekeeping = time.Minute
	// rememberFor is how long an activity's id is known; its effects stay idempotent
	// for ever.
	rememberFor = 60 * 24 * time.Hour
)

// keepHouse closes polls, removes uploads without a post, forgets old keys and reads
// the change logs of others.
func (in *Instance) keepHouse(ctx context.Context) {
	tick := time.NewTicker(housekeeping)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		_, err := in.Social.ClosePolls(ctx)
		_, errReminders := in.Social.Remind(ctx)
		err = errors.Join(err, errReminders, in.Social.SweepMedia(ctx), in.Social.DropFormerKeys(ctx), in.Social.EndExpired(ctx), in.Federation.OrderCatchUps(ctx), in.DB.Tx(ctx, func(tx social.Tx) error { return tx.Forget(ctx, in.now().Add(-rememberFor)) }))
		if err != nil && ctx.Err() == nil {
			in.log.Error("housekeeping failed; it runs again in a minute", "error", err)
		}
	}
}

// recheck asks parked peers whether their own keys answer again, apart from the
// housekeeping: they may take their time.
func (in *Instance) recheck(ctx context.Context) {
	tick := time.NewTicker(housekeeping)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := in.Federation.Recheck(ctx); err != nil && ctx.Err() == nil {
			in.log.Error("parked servers were not asked; it is tried again in a minute", "error", err)
		}
	}
}

// linkEvery is how long a decision may wait for its place in the audit chain, where
// nobody can change it unnoticed.
const linkEvery = time.Second

func (in *Instance) linkAudit(ctx context.Context) {
	tick := time.NewTicker(linkEvery)
	defer tick.Stop()
	said := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := in.DB.LinkAudit(ctx)
		switch {
		case err == nil:
			said = ""
		case ctx.Err() == nil && err.Error() != said:
			said = err.Error()
			in.log.Error("the audit rows could not be linked; it is tried again each second", "error", err)
		}
	}
}

// indexEvery is how long a new post is not found at most, while little is to do.
const indexEvery = 500 * time.Millisecond

// index lets new and changed posts be found. What waits is in the database, so a crash
// loses nothing of it, and what was there before there was an index is done here too.
func (in *Instance) index(ctx context.Context) {
	tick := time.NewTicker(indexEvery)
	defer tick.Stop()
	said := ""
	for {
		n, err := in.Social.IndexPosts(ctx)
		switch {
		case err == nil:
			said = ""
		case ctx.Err() == nil && err.Error() != said:
			said = err.Error()
			in.log.Error("the words of posts could not be written; it is tried again", "error", err)
		}
		if n > 0 && err == nil {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// ready answers 503 until the workers run and the database answers.
func (in *Instance) ready(w http.ResponseWriter, r *http.Request) {
	err := error(social.Errorf(social.Unavailable, "starting"))
	if in.working.Load() {
		err = in.DB.View(r.Context(), func(tx social.Tx) error { _, err := tx.Setting(r.Context(), "domain"); return err })
	}
	if err != nil {
		serve.Error(w, r, in.log, &social.Error{Kind: social.Unavailable, Public: "not ready", Err: err})
		return
	}
	serve.JSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

// Settle does all waiting work until none is due; tests and the demo wait with it.
func (in *Instance) Settle(ctx context.Context) int {
	n := 0
	for _, r := range in.Runners() {
		n += r.Drain(ctx)
	}
	if err := in.DB.LinkAudit(ctx); err != nil && ctx.Err() == nil {
		in.log.Error("the audit rows could not be linked", "error", err)
	}
	for {
		done, err := in.Social.IndexPosts(ctx)
		if err != nil && ctx.Err() == nil {
			in.log.Error("the words of posts could not be written", "error", err)
		}
		if done == 0 {
			return n
		}
	}
}

// Close frees everything.
func (in *Instance) Close() error {
	var err error
	if in.client != nil {
		in.client.Close()
	}
	if in.files != nil {
		err = in.files.Close()
	}
	if in.DB != nil {
		if err := in.DB.LinkAudit(context.Background()); err != nil { // what waits is kept
			in.log.Error("the audit rows could not be linked; it is tried again at the next start", "error", err)
		}
		err = errors.Join(err, in.DB.Close())
	}
	return err
}
