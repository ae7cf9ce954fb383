package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "parley.yaml")
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryKeyIsDocumented(t *testing.T) {
	var documented []string
	for _, f := range Fields() {
		documented = append(documented, f.Key)
		if f.Meaning == "" {
			t.Errorf("%s has no meaning", f.Key)
		}
	}
	keys := Keys()
	slices.Sort(keys)
	slices.Sort(documented)
	if !slices.Equal(keys, documented) {
		t.Errorf("struct %v\nfields %v", keys, documented)
	}
}

func TestPrecedence(t *testing.T) {
	p := write(t, "domain: a.example\nprofile: open\nfederation: {mode: open}\n")
	c, err := Load(p, map[string]string{"domain": "c.example"}, []string{"PARLEY_DOMAIN=b.example", "PARLEY_FEDERATION_MODE=off", "HOME=/x", "PARLEY_TEST_POSTGRES=x"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Domain != "c.example" || c.Federation.Mode != "off" || c.Profile != "open" || c.PublicURL != "https://c.example" {
		t.Errorf("%+v", c)
	}
}

func TestDefaultsAreATrial(t *testing.T) {
	t.Chdir(t.TempDir())
	c, err := Load("", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Trial() || c.PublicURL != "http://localhost:8080" || c.Federation.Mode != "allowlist" || c.Profile != "company" {
		t.Errorf("%+v", c)
	}
}

// A typing mistake must never widen federation (T76).
func TestMistakesAreNamed(t *testing.T) {
	for _, one := range []struct{ name, file, env, key, hint string }{
		{"unknown key", "fedaration: {mode: open}", "", "fedaration.mode", "federation.mode"},
		{"unknown nested", "federation: {modus: open}", "", "federation.modus", "federation.mode"},
		{"bad mode", "federation: {mode: opne}", "", "federation.mode", "allowlist, open, off"},
		{"unknown env", "", "PARLEY_FEDERATION_MOED=open", "federation_moed", "federation.mode"},
		{"bad network", "federation: {allowed_networks: [10.0.0.0]}", "", "federation.allowed_networks", "10.0.0.0/8"},
		{"plain http", "domain: x.example\npublic_url: http://x.example", "", "public_url", "https://"},
		{"not yaml", "a: [", "", "", "YAML"},
		{"half tls", "tls: {cert: a.pem}", "", "tls", "both"},
		{"files and acme", "domain: x.example\ntls: {cert: a.pem, key: b.pem, acme_email: it@x.example}", "", "tls", "not both"},
		{"acme without a name", "tls: {acme_email: it@x.example}", "", "tls.acme_email", "set domain"},
		{"acme for an address", "domain: 192.0.2.1\ntls: {acme_email: it@x.example}", "", "tls.acme_email", "set domain"},
		{"acme for nobody", "domain: x.example\ntls: {acme_email: us}", "", "tls.acme_email", "it@example.org"},
		{"acme in the clear", "domain: x.example\ntls: {acme_email: it@x.example, acme_directory: 'http://ca.x.example'}", "", "tls.acme_directory", "https"},
		{"plain http to nowhere", "tls: {http_listen: ':80'}", "", "tls.http_listen", "tls.cert"},
		{"listen without a port", "listen: localhost", "", "listen", "127.0.0.1:8080"},
		{"bad mail port", "smtp: {port: 0}", "", "smtp.port", "587"},
		{"bad metrics", "metrics: {listen: here}", "", "metrics.listen", "127.0.0.1:9090"},
		{"not a number", "limits: {post_length: many}", "", "limits.post_length", "whole number"},
		{"bad storage", "storage: {url: mysql://x}", "", "storage.url", "sqlite:"},
	} {
		var env []string
		if one.env != "" {
			env = []string{one.env}
		}
		_, err := Load(write(t, one.file), nil, env)
		if err == nil || !strings.Contains(err.Error(), one.key) || !strings.Contains(err.Error(), one.hint) {
			t.Errorf("%s: %v", one.name, err)
		}
	}
}

func TestEffectiveHidesSecrets(t *testing.T) {
	for _, database := range []string{"postgres://u:hunter2@127.0.0.1/p", "postgres://u:hunter2 and more@127.0.0.1/%zz", "postgres://127.0.0.1/p?user=u&password=hunter2", "postgres://u@127.0.0.1:port/hunter2"} {
		c, err := Load(write(t, "storage: {url: '"+database+"'}\nsmtp: {host: mail.example.org, from: parley@example.org, user: parley, password: hunter2}\nfederation: {proxy: 'http://u:hunter2@127.0.0.1'}"), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if out := c.Effective(); strings.Contains(out, "hunter2") || !strings.Contains(out, "mode: allowlist") {
			t.Error(out)
		}
	}
	if c, err := Load(write(t, "storage: {url: 'sqlite:some file.db'}"), nil, nil); err != nil || !strings.Contains(c.Effective(), "url: sqlite:some file.db\n") {
		t.Error("what is no secret is hidden", err)
	}
}

// What the design documents is accepted, though some of it does nothing yet.
func TestReservedKeys(t *testing.T) {
	c, err := Load(write(t, "smtp: {}\nmetrics: {listen: '127.0.0.1:9090'}\ntls: {cert: '', key: '', acme_email: ''}\nlimits: {}\n"), nil, nil)
	if err != nil || c.Metrics.Listen != "127.0.0.1:9090" || c.SMTP.Port != 587 {
		t.Errorf("%+v %v", c, err)
	}
}

// The table in the README is made of Fields.
func TestReadmeTable(t *testing.T) {
	b, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Count(string(b), "\n| `")
	if rows != len(Fields()) {
		t.Errorf("the README has %d rows, there are %d keys", rows, len(Fields()))
	}
	for _, f := range Fields() {
		if !strings.Contains(string(b), Row(f)) {
			t.Errorf("the README lacks the row\n%s", Row(f))
		}
	}
}
