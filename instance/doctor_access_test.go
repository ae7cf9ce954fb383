package instance_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Each problem of certificate files is named alone, with what to do, beside a server that
// runs and is reached.
func TestDoctorLooksAtTheCertificateFiles(t *testing.T) {
	now := time.Now()
	day := 24 * time.Hour
	for _, one := range []struct {
		name, address string
		from, until   time.Duration
		spoil         func(cert, key string) error
		want          []string
	}{
		{name: "good", from: -day, until: 80 * day},
		{name: "good, made for a week", from: -4 * day, until: 3 * day},
		{name: "of a week, ends", from: -6 * day, until: day, want: []string{"certificate: ends on: renew it"}},
		{name: "ends", from: -80 * day, until: 13 * day, want: []string{"certificate: ends on: renew it"}},
		{name: "ended", from: -80 * day, until: -day, want: []string{"certificate: ended on: renew it"}},
		{name: "begins", from: day, until: 80 * day, want: []string{"certificate: begins on: set the clock"}},
		{name: "other name", address: "192.0.2.7", from: -day, until: 80 * day, want: []string{"certificate: is for other names: have one made for " + patientDomain}},
		{name: "open key", from: -day, until: 80 * day, want: []string{"certificate: everybody on this machine may read: chmod o= "},
			spoil: func(_, key string) error { return os.Chmod(key, 0o644) }},
		{name: "no key", from: -day, until: 80 * day, want: []string{"certificate: cannot be read: tls.key"}, spoil: func(_, key string) error { return os.Remove(key) }},
		{name: "no certificate", from: -day, until: 80 * day, want: []string{"certificate: cannot be used: tls.cert"}, spoil: func(cert, _ string) error { return os.Remove(cert) }},
	} {
		t.Run(one.name, func(t *testing.T) {
			p := newPatient(t) // it goes on with its own files
			dir := t.TempDir()
			p.conf.TLS.Cert, p.conf.TLS.Key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
			address := one.address
			if address == "" {
				address = patientDomain
			}
			writeCertificateFor(t, p.conf.TLS.Cert, p.conf.TLS.Key, address, now.Add(one.from), now.Add(one.until))
			if one.spoil != nil {
				ok(t, one.spoil(p.conf.TLS.Cert, p.conf.TLS.Key))
			}
			p.examine(time.Now, one.want...)
		})
	}
}

// Whoever is trusted as a proxy may claim any address (T38).
func TestDoctorDoubtsProxies(t *testing.T) {
	p := newPatient(t)
	p.conf.TrustedProxies = []string{"127.0.0.1", "::1", "10.0.0.0/8", "fc00::/7"}
	p.examine(time.Now)
	for _, wide := range []string{"0.0.0.0/0", "::/0", "128.0.0.0/1"} {
		p.conf.TrustedProxies = []string{"127.0.0.1", wide}
		p.examine(time.Now, "proxies: trusts "+wide+": only the addresses of your own proxies")
	}
	p.conf.TrustedProxies = []string{"proxy.example"}
	p.examine(time.Now, `proxies: "proxy.example" is neither: only the addresses of your own proxies`)
}
