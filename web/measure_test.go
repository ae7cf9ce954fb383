package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/sync/errgroup"

	"parley/instance/instancetest"
	"parley/social"
	"parley/web"
)

// busy is an instance with a home of 20 posts and a thread of 20 answers; it answers the
// thread's address.
func busy(t *testing.T) (v *visitor, thread string) {
	t.Helper()
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	ctx := context.Background()
	alice, bob := net.Member(in, "alice"), net.Member(in, "bob")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(in.Social.SetOrganisation(ctx, social.Organisation{Name: "Müller Logistik", Group: "Muster Group"}, "test"))
	must(in.Social.FinishSetUp(ctx))
	_, err := in.Social.Follow(ctx, alice, bob.Account.ID, social.FollowOptions{})
	must(err)
	text := strings.Repeat("a text as people write it, with some **weight** and a [link](https://example.org). ", 4)
	root, err := in.Social.Publish(ctx, bob, social.Draft{Text: text, Audience: "company"})
	must(err)
	for i := range 20 {
		_, err := in.Social.Publish(ctx, bob, social.Draft{Text: fmt.Sprintf("Answer %d: %s", i, text), InReplyTo: root.Post.ID})
		must(err)
	}
	for i := range 20 {
		_, err := in.Social.Publish(ctx, bob, social.Draft{Text: fmt.Sprintf("News %d: %s", i, text), Audience: "company"})
		must(err)
	}
	net.Settle()
	return newVisitor(t, in, "de").as(alice), "/@bob/" + root.Post.ID.String()
}

// What Lighthouse says of the pages that people see first and most often; the figures
// stand in docs/performance.md. It takes a minute: make measure.
func TestLighthouse(t *testing.T) {
	if os.Getenv("PARLEY_MEASURE") == "" {
		t.Skip("PARLEY_MEASURE is not set; run make measure")
	}
	v, thread := busy(t)
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed: run ./test/all")
	}
	text, err := v.in.Auth.Begin(context.Background(), v.account("alice").ID, "test")
	if err != nil {
		t.Fatal(err)
	}
	base := v.in.Config.PublicURL
	for _, run := range [][]string{{"", base + "/sign-in"}, {web.CookieName(v.in.Config.Domain) + "=" + text, base + "/", base + thread}} {
		c := exec.Command("node", append([]string{filepath.Join("..", "test", "lighthouse", "measure.mjs"), chromium}, run...)...)
		var faults bytes.Buffer
		c.Stderr = &faults
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, faults.String())
		}
		lines := json.NewDecoder(bytes.NewReader(out))
		for range run[1:] {
			var m struct {
				Address                                   string
				Performance, Accessibility, LCP, CLS, TBT float64
				Nodes, Bytes, Requests                    float64
				Failed                                    []string
			}
			if err := lines.Decode(&m); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Logf("%s: performance %.2f, accessibility %.2f, LCP %.0f ms, CLS %.3f, TBT %.0f ms, %.0f nodes, %.1f KiB in %.0f requests",
				strings.TrimPrefix(m.Address, base), m.Performance, m.Accessibility, m.LCP, m.CLS, m.TBT, m.Nodes, m.Bytes/1024, m.Requests)
			if m.Performance < .98 || m.Accessibility < 1 || m.LCP > 1500 || m.CLS > .02 || m.TBT > 50 || m.Nodes > 1500 {
				t.Errorf("%s misses its aims: %v", m.Address, m.Failed)
			}
		}
	}
}

// How long it takes until what a key or a press changed is painted: Event Timing over
// what people do all day, with the processor slowed down four times.
func TestInteractionsAnswerAtOnce(t *testing.T) {
	if os.Getenv("PARLEY_MEASURE") == "" {
		t.Skip("PARLEY_MEASURE is not set; run make measure")
	}
	chromium := startChromium(t)
	v, thread := busy(t)
	b := window(t, chromium, v.in.Config.PublicURL, true)
	b.signedIn(v, "alice")
	if _, err := chromedp.Call(b.ctx, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: 4}); err != nil {
		t.Fatal(err)
	}
	var all []float64
	for _, path := range []string{"/", thread} {
		b.open(path)
		b.ask(`window.taken = new Map(); new PerformanceObserver(list => list.getEntries().forEach(e => e.interactionId &&
			taken.set(e.interactionId, Math.max(taken.get(e.interactionId) ?? 0, e.duration)))).observe({type: "event", durationThreshold: 16, buffered: true}), ""`)
		for _, label := range []string{"like", "bookmark"} {
			for i := range 5 {
				button := chromedp.CSS(fmt.Sprintf("main article:nth-of-type(%d) form[action$='/%s'] button, main article:nth-of-type(%d) form[action$='/un%s'] button", i+1, label, i+1, label))
				b.do(label, chromedp.Click(button), chromedp.WaitReady(chromedp.CSS(fmt.Sprintf("main article:nth-of-type(%d) form[action$='/un%s']", i+1, label))))
			}
		}
		field := chromedp.CSS("main textarea[name=text]")
		b.do("type", chromedp.Focus(field), chromedp.SendKeys(field, "A text of some words."))
		for range 10 {
			b.do("tab", chromedp.KeyEvent(kb.Tab))
		}
		var taken []float64
		if err := json.Unmarshal([]byte(b.ask(`new Promise(done => requestAnimationFrame(() => setTimeout(() => done(JSON.stringify([...taken.values()])), 500)))`)), &taken); err != nil {
			t.Fatal(err)
		}
		all = append(all, taken...)
	}
	// Event Timing leaves out what took less than 16 ms, so the 95th of all is less still.
	slices.Sort(all)
	if len(all) < 10 {
		t.Fatalf("only %d interactions were slow enough to be seen", len(all))
	}
	p95 := all[len(all)*95/100]
	t.Logf("%d interactions took 16 ms or more: median %.0f ms, 95th of 100 %.0f ms, longest %.0f ms", len(all), all[len(all)/2], p95, all[len(all)-1])
	if p95 > 100 {
		t.Errorf("the 95th of 100 interactions takes %.0f ms", p95)
	}
}

// How long the first page takes from the server's own side: 50 members, each following
// five, 100,000 posts between them; each opens home once a second, and then as fast as
// the answers come.
func TestHomeOfManyPosts(t *testing.T) {
	if os.Getenv("PARLEY_MEASURE") == "" {
		t.Skip("PARLEY_MEASURE is not set; run make measure")
	}
	const readers, posts = 50, 100_000
	net := instancetest.New(t, 1, nil)
	in := net.Instances[0]
	ctx := context.Background()
	if err := in.Social.FinishSetUp(ctx); err != nil {
		t.Fatal(err)
	}
	members := make([]social.Reader, readers)
	for i := range members {
		members[i] = net.Member(in, fmt.Sprintf("member%d", i))
	}
	for i, r := range members {
		for j := 1; j <= 5; j++ {
			if _, err := in.Social.Follow(ctx, r, members[(i+j)%readers].Account.ID, social.FollowOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	text := strings.Repeat("a text as people write it, ", 8)
	var all errgroup.Group
	for _, r := range members {
		all.Go(func() error {
			for i := range posts / readers {
				if _, err := in.Social.Publish(ctx, r, social.Draft{Text: fmt.Sprintf("%d: %s", i, text), Audience: "company"}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	visitors := make([]*visitor, readers)
	for i, r := range members {
		visitors[i] = newVisitor(t, in, "de").as(r)
	}
	for _, pause := range []time.Duration{time.Second, 0} {
		took := make([][]time.Duration, readers)
		var all errgroup.Group
		for i, v := range visitors {
			all.Go(func() error {
				time.Sleep(pause * time.Duration(i) / readers) // people do not come at the same moment
				for range 20 {
					begin := time.Now()
					res, err := v.client.Get(in.Config.PublicURL + "/")
					if err != nil {
						return err
					}
					n, err := io.Copy(io.Discard, res.Body)
					_ = res.Body.Close()
					if err != nil || res.StatusCode != http.StatusOK || n < 20_000 {
						return fmt.Errorf("%d, %d bytes: %v", res.StatusCode, n, err)
					}
					took[i] = append(took[i], time.Since(begin))
					time.Sleep(pause - min(pause, time.Since(begin)))
				}
				return nil
			})
		}
		if err := all.Wait(); err != nil {
			t.Fatal(err)
		}
		flat := slices.Concat(took...)
		slices.Sort(flat)
		p95 := flat[len(flat)*95/100]
		t.Logf("%d readers, a pause of %v: median %v, 95th of 100 %v", readers, pause, flat[len(flat)/2], p95)
		if pause > 0 && p95 > 50*time.Millisecond {
			t.Errorf("the 95th of 100 pages takes %v", p95)
		}
	}
}
