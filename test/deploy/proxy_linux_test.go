package deploy_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// forward is a forward proxy on a cable: it opens tunnels to whatever name it is asked for
// and does nothing else. What machines may reach is up to the cable.
type forward struct {
	*testing.T
	cable *cable
	space string // its network namespace

	mu    sync.Mutex
	asked []string
}

// forward starts one under a name of the cable.
func (c *cable) forward(name, port string) *forward {
	c.Helper()
	f := &forward{T: c.T, cable: c, space: c.switchNS + "-forward"}
	command(c.T, "ip", "netns", "add", f.space)
	c.Cleanup(func() { command(c.T, "ip", "netns", "del", f.space) })
	command(c.T, "ip", "-n", c.switchNS, "link", "add", "forward", "type", "veth", "peer", "name", "host0", "netns", f.space)
	command(c.T, "ip", "-n", c.switchNS, "link", "set", "forward", "up", "master", "switch")
	command(c.T, "ip", "-n", f.space, "addr", "add", c.names[name]+"/24", "dev", "host0")
	command(c.T, "ip", "-n", f.space, "link", "set", "host0", "up")
	var listener net.Listener
	ok(c.T, f.within(func() (err error) {
		listener, err = net.Listen("tcp4", net.JoinHostPort(c.names[name], port))
		return err
	}))
	server := &http.Server{Handler: f}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	c.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	return f
}

// within does something in the proxy's network: a socket stays in the one that it was made in.
func (f *forward) within(do func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this
		at, err := os.Open(filepath.Join("/run/netns", f.space))
		if err == nil {
			err = unix.Setns(int(at.Fd()), unix.CLONE_NEWNET)
			_ = at.Close() // it was only named
		}
		if err == nil {
			err = do()
		}
		result <- err
	}()
	return <-result
}

// ServeHTTP is RFC 9110 9.3.6.
func (f *forward) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, r.Method+" "+r.Host)
	f.mu.Unlock()
	name, port, err := net.SplitHostPort(r.Host)
	if err != nil || r.Method != http.MethodConnect {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	var out net.Conn
	if err := f.within(func() (err error) {
		out, err = net.Dial("tcp4", net.JoinHostPort(f.cable.names[name], port))
		return err
	}); err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	in, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		f.Error(err)
		return
	}
	_, _ = io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(out, buffered); _ = out.Close() }()
	go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
}

// targets is what it was asked for, each once.
func (f *forward) targets() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := slices.Sorted(slices.Values(f.asked))
	return slices.Compact(list)
}

// alone lets a machine reach no other one but the proxy.
func (c *cable) alone(m *machine) {
	c.Helper()
	command(c.T, "ip", "-n", c.switchNS, "link", "set", "dev", m.name, "type", "bridge_slave", "isolated", "on")
}

// proxied is the configuration of the page for who has only a proxy.
func proxied(t *testing.T) string {
	t.Helper()
	for _, b := range read(t, "deploy.md") {
		if strings.Contains(b.text, "proxy: http://proxy.example.org:3128") {
			return b.text
		}
	}
	t.Fatal("the page has no configuration for a forward proxy")
	return ""
}

// behindProxy sets up a service with a certificate of an authority that the machine trusts, as the
// page says for a server with its own https.
func (m *machine) behindProxy(host, ca, config string) {
	m.Helper()
	dir := filepath.Dir(ca)
	command(m.T, "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN="+host, "-keyout", filepath.Join(dir, host+".key"), "-out", filepath.Join(dir, host+".csr"))
	ok(m.T, os.WriteFile(filepath.Join(dir, "ext"), []byte("subjectAltName=DNS:"+host+"\nextendedKeyUsage=serverAuth\n"), 0o644))
	command(m.T, "openssl", "x509", "-req", "-in", filepath.Join(dir, host+".csr"), "-CA", ca, "-CAkey", filepath.Join(dir, "ca.key"), "-days", "2", "-extfile", filepath.Join(dir, "ext"), "-out", filepath.Join(dir, host+".pem"))
	for from, to := range map[string]string{ca: "/etc/parley/ca.pem", filepath.Join(dir, host+".pem"): "/etc/parley/" + host + ".pem", filepath.Join(dir, host+".key"): "/etc/parley/" + host + ".key"} {
		text, err := os.ReadFile(from)
		ok(m.T, err)
		m.write(to, string(text))
	}
	m.write("/etc/parley/parley.yaml", config)
	m.run("cat /etc/parley/ca.pem >> /etc/ssl/certs/ca-certificates.crt") // as a certificate that everybody trusts
	program(m.T, filepath.Join(m.root, "usr/local/bin"))
	m.run("parley service install --no-start\nchgrp parley /etc/parley/*.key\nchmod 640 /etc/parley/*.key\nsystemctl enable --now parley")
	m.until("curl --silent --fail --noproxy '*' --resolve " + host + ":443:127.0.0.1 --output /dev/null https://" + host + "/readyz")
}

// Two servers that reach nobody but a forward proxy federate with what the page says, and
// the proxy is asked for nothing but them (T21).
func TestThroughAForwardProxyByThePage(t *testing.T) {
	needs(t)
	const house, south = "social.example.org", "social.south.example"
	c := newCable(t, map[string]string{house: "93.184.215.10", "social.house.example": "93.184.215.10", south: "93.184.215.11", "proxy.example.org": "93.184.215.3",
		"inner.example": "10.1.2.3", "data.example": "169.254.169.254", "loop.example": "127.0.0.1"})
	one, two := c.machine("house"), c.machine("south")
	c.alone(one)
	c.alone(two)
	proxy := c.forward("proxy.example.org", "3128")
	ca := filepath.Join(t.TempDir(), "ca.pem")
	command(t, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=Everybody CA", "-keyout", filepath.Join(filepath.Dir(ca), "ca.key"), "-out", ca)
	config := proxied(t)
	one.behindProxy(house, ca, config)
	two.behindProxy(south, ca, strings.ReplaceAll(config, house, south))
	if out, err := one.try("curl --silent --max-time 2 --insecure https://" + south + "/readyz"); err == nil {
		t.Fatalf("there is a way beside the proxy: %s", out)
	}

	code := one.run("runuser --user parley -- parley peer invite " + south)
	lines := strings.Split(strings.TrimSpace(code), "\n")
	two.run("runuser --user parley -- parley peer accept " + lines[len(lines)-1])
	ann, ben := one.token("ann"), two.token("ben")
	api := func(host, token, rest string) string {
		return "curl --silent --show-error --fail --noproxy '*' --resolve " + host + ":443:127.0.0.1 -H 'Authorization: Bearer " + token + "' " + rest
	}
	says := func(m *machine, host, token, text string) {
		m.run(api(host, token, "-d audience=company --data-urlencode 'status="+text+"' https://"+host+"/api/v1/statuses"))
	}
	hears := func(m *machine, host, token, text string) {
		m.until(api(host, token, "https://"+host+"/api/parley/v1/timelines/company") + " | grep --quiet '" + text + "'")
	}
	says(one, house, ann, "out through the proxy")
	hears(two, south, ben, "out through the proxy")
	says(two, south, ben, "and back")
	hears(one, house, ann, "and back")

	want := []string{"CONNECT " + house + ":443", "CONNECT " + south + ":443"}
	if got := proxy.targets(); !slices.Equal(got, want) {
		t.Errorf("the proxy was asked for %v", got)
	}
	// What is inside is not asked for, though it is admitted and the proxy would go there.
	for _, inner := range []string{"inner.example", "data.example", "loop.example", "10.1.2.3", "169.254.169.254", "unknown.example", "93.184.215.3:3128"} {
		one.run("runuser --user parley -- parley peer zone " + inner + " public")
		for _, way := range []string{"https://" + inner + "/users/1", "@eve@" + inner} {
			one.run(api(house, ann, fmt.Sprintf("--output /dev/null --get -d resolve=true --data-urlencode 'q=%s' https://%s/api/v2/search", way, house)))
		}
	}
	if got := proxy.targets(); !slices.Equal(got, want) {
		t.Errorf("after addresses inside the proxy was asked for %v", got)
	}
	// One that is outside is: the questions do leave.
	one.run("runuser --user parley -- parley peer zone proxy.example.org public")
	one.run(api(house, ann, "--output /dev/null --get -d resolve=true --data-urlencode 'q=https://proxy.example.org/users/1' https://"+house+"/api/v2/search"))
	if got := proxy.targets(); !slices.Contains(got, "CONNECT proxy.example.org:443") {
		t.Errorf("nothing outside is asked for: %v", got)
	}
}
