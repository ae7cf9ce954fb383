package federation_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// T12: a body that does not come is cut off; those who are slow keep nobody out.
func TestSlowBodiesAreCutOff(t *testing.T) {
	r := newRemote(t)
	in := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Prepare: func(in *instance.Instance) { in.Federation.BodyTime = 2 * time.Second }})
	if err := in.Social.SetZone(context.Background(), r.host(), social.Zone{Kind: social.ZonePublic}, "test", "test"); err != nil {
		t.Fatal(err)
	}
	var slow []net.Conn
	for range 100 {
		c, err := net.Dial("tcp", in.Config.Domain)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close() //nolint:errcheck // the other side closes it
		if _, err := fmt.Fprintf(c, "POST /inbox HTTP/1.1\r\nHost: %s\r\nContent-Type: application/activity+json\r\nContent-Length: 60000\r\n\r\n{", in.Config.Domain); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, c)
	}
	if got := r.sendJSON(in.Config.PublicURL+"/inbox", r.create(1)); got != 202 {
		t.Errorf("beside slow ones: answered %d", got)
	}
	for _, c := range slow {
		if err := c.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 1<<10)
		n, err := c.Read(answer)
		if err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 400") {
			t.Fatalf("%v %.40q", err, answer[:n])
		}
	}
}

// T12: headers that do not come are cut off too.
func TestSlowHeadersAreCutOff(t *testing.T) {
	t.Parallel()
	in := instancetest.Start(t, t.TempDir(), "")
	c, err := net.Dial("tcp", in.Config.Domain)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // the other side closes it
	if _, err := fmt.Fprint(c, "POST /inbox HTTP/1.1\r\nHost: a"); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(60 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for b := make([]byte, 512); err == nil; {
		_, err = c.Read(b)
	}
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		t.Error("the connection is still open")
	}
}
