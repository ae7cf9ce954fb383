// Package metrics measures one instance for Prometheus, on a listener of its own. It
// knows what is measured and how it is named, not where it happens: instance joins it
// with the parts. Every label has few values that the program itself chooses: never a
// server, a person or a path.
//
//	m := metrics.New(metrics.Options{Version: "1.0", Look: look, Streams: hub.Streams, Now: time.Now, Log: log})
//	m.Delivered("company", "sent")
package metrics

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options of Metrics.
type Options struct {
	Version string
	// Look reads what only the database and the disk know; it is asked once in lookEvery
	// at most, however often somebody scrapes.
	Look    func(ctx context.Context) (State, error)
	Streams func() int // open now
	Now     func() time.Time
	Log     *slog.Logger
}

// Metrics of one instance, in a registry of its own.
type Metrics struct {
	registry   *prometheus.Registry
	deliveries *prometheus.CounterVec
	ingest     *prometheus.HistogramVec
	commits    prometheus.Histogram
	requests   *prometheus.HistogramVec

	log      *slog.Logger
	listener net.Listener
}

// quick are the seconds between a commit without waiting and a request that fails.
var quick = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// New makes Metrics.
func New(o Options) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		log:      o.Log,
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "parley_deliveries_total",
			Help: "Attempts to deliver, by the zone of the server and what came of them: sent, kept_back, failed, given_up."}, []string{"zone", "result"}),
		ingest: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "parley_ingest_seconds", Buckets: quick,
			Help: "From a delivery's arrival until it is durable and answered, or refused."}, []string{"result"}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "parley_commit_seconds", Buckets: quick,
			Help: "From the wish to write until it is durable, waiting included."}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "parley_request_seconds", Buckets: quick,
			Help: "Requests by class of route and class of status."}, []string{"class", "status"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "parley_build_info", Help: "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": o.Version, "goversion": runtime.Version()}})
	build.Set(1)
	streams := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "parley_streams", Help: "Open streams of pages and apps."},
		func() float64 { return float64(o.Streams()) })
	m.registry.MustRegister(m.deliveries, m.ingest, m.commits, m.requests, build, streams, &looker{look: o.Look, now: o.Now, log: o.Log},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Delivered counts an attempt to deliver.
func (m *Metrics) Delivered(zone, result string) {
	m.deliveries.WithLabelValues(zone, result).Inc()
}

// Ingested notes how long a delivery took to be taken or refused.
func (m *Metrics) Ingested(accepted bool, took time.Duration) {
	result := "refused"
	if accepted {
		result = "accepted"
	}
	m.ingest.WithLabelValues(result).Observe(took.Seconds())
}

// Committed notes how long a write took.
func (m *Metrics) Committed(took time.Duration) { m.commits.Observe(took.Seconds()) }

// Requested notes an answered request; class is one of few names.
func (m *Metrics) Requested(class string, status int, took time.Duration) {
	m.requests.WithLabelValues(class, strconv.Itoa(status/100)+"xx").Observe(took.Seconds())
}

// ServeHTTP answers a scrape.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(m.log.Handler(), slog.LevelWarn), MaxRequestsInFlight: 4}).ServeHTTP(w, r)
}

// Listen takes the port.
func (m *Metrics) Listen(address string) (err error) {
	m.listener, err = net.Listen("tcp", address)
	return err
}

// Address is where it listens; nil before Listen.
func (m *Metrics) Address() net.Addr {
	if m.listener == nil {
		return nil
	}
	return m.listener.Addr()
}

// Close gives the port back, if it was taken.
func (m *Metrics) Close() error {
	if m.listener == nil {
		return nil
	}
	return m.listener.Close()
}

// Run answers scrapes until the context ends; without a port there is nothing to do.
func (m *Metrics) Run(ctx context.Context) {
	if m.listener == nil {
		return
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m)
	s := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(m.log.Handler(), slog.LevelDebug)}
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	if err := s.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
		m.log.Error("nothing is measured any more; restart parley serve", "error", err)
	}
}
