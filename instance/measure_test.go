package instance_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"parley/config"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// scrape is what Prometheus reads of an instance.
func scrape(t *testing.T, in *instance.Instance) string {
	t.Helper()
	rec := httptest.NewRecorder()
	in.Metrics.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusOK {
		t.Fatal(rec.Code, rec.Body)
	}
	return rec.Body.String()
}

// watched is an instance that has measured everything: a sister took one post and is
// down for the next, and somebody asked for a page and a backup.
func watched(t *testing.T) (a, b *instance.Instance, clock *instancetest.Clock) {
	t.Helper()
	ctx := context.Background()
	clock = instancetest.NewClock()
	net := instancetest.NewWith(t, 2, instancetest.Options{Now: clock.Now})
	a, b = net.Instances[0], net.Instances[1]
	alice, bob := net.Member(a, "alice"), net.Member(b, "bob")
	for _, p := range []struct {
		in *instance.Instance
		by social.Reader
	}{{a, alice}, {b, bob}} {
		if _, err := p.in.Social.Publish(ctx, p.by, social.Draft{Text: "canary-of-a-post", Audience: "company"}); err != nil {
			t.Fatal(err)
		}
	}
	net.Settle()
	res, err := http.Get(a.Config.PublicURL + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if err := a.Backup(ctx, filepath.Join(t.TempDir(), "backup.tar")); err != nil {
		t.Fatal(err)
	}
	net.Stop(1)
	if _, err := a.Social.Publish(ctx, alice, social.Draft{Text: "canary of another", Audience: "company"}); err != nil {
		t.Fatal(err)
	}
	net.Settle()
	clock.Advance(20 * time.Minute)
	return a, b, clock
}

// What happened stands in the metrics, by zone and result.
func TestMetricsTellWhatHappened(t *testing.T) {
	a, _, clock := watched(t)
	text := scrape(t, a)
	backup := clock.Now().Add(-20 * time.Minute).Unix()
	for _, want := range []string{
		`parley_deliveries_total\{result="sent",zone="company"\} [1-9]`, `parley_deliveries_total\{result="failed",zone="company"\} [1-9]`,
		`parley_queue_oldest_seconds\{zone="company"\} 12\d\d`, `parley_queue_jobs\{zone="company"\} 1\n`, `parley_queue_jobs\{zone="partner"\} 0\n`,
		`parley_peers\{state="failing",zone="company"\} 1\n`, `parley_jobs_waiting\{kind="deliver"\} 1\n`, `parley_jobs_failing\{kind="deliver"\} 1\n`,
		`parley_ingest_seconds_count\{result="accepted"\} [1-9]`, `parley_commit_seconds_count [1-9]`, `parley_request_seconds_count\{class="health",status="2xx"\} 1\n`,
		`parley_database_up 1\n`, `parley_disk_free_bytes \d`, `parley_last_backup_timestamp_seconds 1\.\d+e\+09\n`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("there is no %s (backup at %d) in\n%s", want, backup, text)
		}
	}
}

// A scrape soon after another asks the database nothing.
func TestScrapesAreNoLoad(t *testing.T) {
	in := instancetest.Start(t, t.TempDir(), "")
	scrape(t, in)
	before := in.DB.Statements()
	for range 20 {
		scrape(t, in)
	}
	if after := in.DB.Statements(); after != before {
		t.Errorf("20 scrapes ran %d statements", after-before)
	}
}

// No label names a server, a person, a path or a word of a post.
func TestMetricsNameNobody(t *testing.T) {
	a, b, _ := watched(t)
	for _, path := range []string{"/@alice", "/some-path", "/users/canary-name/inbox"} {
		res, err := http.Get(a.Config.PublicURL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	text := scrape(t, a)
	for _, hidden := range []string{a.Config.Domain, b.Config.Domain, "127.0.0.1", "alice", "canary", "some-path"} {
		if strings.Contains(text, hidden) {
			t.Errorf("%q stands in\n%s", hidden, text)
		}
	}
	allowed := []string{"zone", "result", "state", "kind", "class", "status", "le", "version", "goversion", "quantile"}
	for _, m := range regexp.MustCompile(`[{,]([a-z_]+)="`).FindAllStringSubmatch(text, -1) {
		if !slices.Contains(allowed, m[1]) {
			t.Errorf("there is a label %s", m[1])
		}
	}
}

// names finds metrics in a text; the parts of a histogram are one.
func names(text string) (out []string) {
	for _, n := range regexp.MustCompile(`\b(?:parley|process|go)_[a-z_]*[a-z]\b`).FindAllString(text, -1) {
		n = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(n, "")
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Alerts, dashboard and documents name what is measured, and the documents all of it.
func TestMetricsAndDocumentsAgree(t *testing.T) {
	a, _, _ := watched(t)
	measured := names(scrape(t, a))
	for _, file := range []string{"deploy/prometheus/parley-alerts.yaml", "deploy/prometheus/parley-alerts_test.yaml", "deploy/grafana/parley.json", "docs/operations.md", "docs/betrieb.md"} {
		named := names(read(t, file))
		if len(named) < 10 {
			t.Errorf("%s names only %v", file, named)
		}
		for _, n := range named {
			if !slices.Contains(measured, n) {
				t.Errorf("%s names %s, which is not measured", file, n)
			}
		}
		for _, n := range measured {
			if strings.HasPrefix(file, "docs/") && strings.HasPrefix(n, "parley_") && !strings.Contains(read(t, file), "| `"+n+"` |") {
				t.Errorf("%s does not explain %s", file, n)
			}
		}
	}
	if !json.Valid([]byte(read(t, "deploy/grafana/parley.json"))) {
		t.Error("the dashboard is no JSON")
	}
}

// Each alarm is explained in both languages, says what to do, and is raised and not
// raised in the rules' own test; where promtool is installed it is run.
func TestAlertRules(t *testing.T) {
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr         string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "deploy/prometheus/parley-alerts.yaml")), &file); err != nil || len(file.Groups) != 1 || len(file.Groups[0].Rules) < 10 {
		t.Fatalf("%+v %v", file, err)
	}
	for _, r := range file.Groups[0].Rules {
		if r.Expr == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["remedy"] == "" {
			t.Errorf("%s is not whole: %+v", r.Alert, r)
		}
		for _, doc := range []string{"docs/operations.md", "docs/betrieb.md"} {
			if !strings.Contains(read(t, doc), "| `"+r.Alert+"` |") {
				t.Errorf("%s does not explain %s", doc, r.Alert)
			}
		}
		if n := strings.Count(read(t, "deploy/prometheus/parley-alerts_test.yaml"), "alertname: "+r.Alert+"\n") + strings.Count(read(t, "deploy/prometheus/parley-alerts_test.yaml"), "alertname: "+r.Alert+"}"); n != 2 {
			t.Errorf("%s is tried %d times", r.Alert, n)
		}
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (Debian: prometheus): the expressions were not run")
	}
	cmd := exec.Command(promtool, "test", "rules", "parley-alerts_test.yaml")
	cmd.Dir = "../deploy/prometheus"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// The metrics have a port of their own, and only if one is named.
func TestMetricsListenApart(t *testing.T) {
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	open := func(listen string) *instance.Instance {
		address := fmt.Sprintf("127.0.0.1:%d", instancetest.FreePort(t))
		c, err := config.Load("/dev/null", map[string]string{"domain": address, "listen": address, "data_dir": filepath.Join(t.TempDir(), "data"), "metrics.listen": listen}, nil)
		if err != nil {
			t.Fatal(err)
		}
		in, err := instance.OpenWith(t.Context(), c, log, time.Now, instancetest.GenerateRSA)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = in.Close() })
		return in
	}
	in := open("127.0.0.1:0")
	_, unlock, err := in.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- in.Run(ctx) }()
	get := func(address string) (int, string) {
		res, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	apart := "http://" + in.Metrics.Address().String()
	if code, body := get(apart + "/metrics"); code != http.StatusOK || !strings.Contains(body, "parley_build_info") || !strings.Contains(body, "go_goroutines") {
		t.Errorf("apart: %d %.200s", code, body)
	}
	if code, _ := get(apart + "/"); code != http.StatusNotFound {
		t.Errorf("something else is served there: %d", code)
	}
	if _, body := get(in.Config.PublicURL + "/metrics"); strings.Contains(body, "parley_build_info") {
		t.Error("the metrics are for everybody")
	}
	other := open(in.Metrics.Address().String())
	if _, _, err := other.Listen(); err == nil || !strings.Contains(err.Error(), "metrics.listen") {
		t.Errorf("a taken port: %v", err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	unlock()
	off := open("")
	_, unlock, err = off.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if off.Metrics.Address() != nil {
		t.Error("it listens unasked")
	}
}
