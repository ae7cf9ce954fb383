package auth_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/auth"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
)

// desk signs people in, at a time that the test sets and from where it says.
type desk struct {
	*testing.T
	*auth.Service
	in    *instance.Instance
	alice *social.Account
	at    time.Time
	from  netip.Addr
}

const (
	right = "correct horse battery"
	wrong = "incorrect horse"
)

func open(t *testing.T) *desk {
	t.Helper()
	d := &desk{T: t, in: instancetest.Start(t, t.TempDir(), ""), at: time.Now()}
	d.Service = auth.New(d.in.DB, d.in.DB, func() time.Time { return d.at }, slog.New(slog.NewTextHandler(t.Output(), nil)))
	d.Address = func(context.Context) netip.Addr { return d.from }
	d.alice = d.member("alice")
	d.ok(d.SetPassword(t.Context(), d.alice.ID, right))
	return d
}

func (d *desk) member(name string) *social.Account {
	d.Helper()
	a, err := d.in.Social.CreateAccount(context.Background(), social.NewAccount{Username: name, Email: name + "@mail.test"})
	d.ok(err)
	return a
}

func (d *desk) ok(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// kind demands an error of a kind.
func (d *desk) kind(err error, want social.Kind) {
	d.Helper()
	if err == nil || social.KindOf(err) != want {
		d.Errorf("%v is of kind %d, want %d", err, social.KindOf(err), want)
	}
}

func (d *desk) signIn(name, password string) (string, error) {
	text, _, err := d.SignIn(d.Context(), name, password, "test")
	return text, err
}

func TestSignInAndOut(t *testing.T) {
	d := open(t)
	for _, name := range []string{"alice", "@alice", " Alice ", "alice@mail.test", "ALICE@mail.test"} {
		text, err := d.signIn(name, right)
		d.ok(err)
		a, _, err := d.Session(t.Context(), text)
		d.ok(err)
		if a.ID != d.alice.ID {
			t.Errorf("%s is %v", name, a.ID)
		}
		d.ok(d.SignOut(t.Context(), text))
		_, _, err = d.Session(t.Context(), text)
		d.kind(err, social.Unauthenticated)
	}
	d.ok(d.SignOut(t.Context(), "never a session"))
}

// A wrong name answers as a wrong password does, and works as hard.
func TestUnknownNamesLookLikeWrongPasswords(t *testing.T) {
	d := open(t)
	bob := d.member("bob") // has no password yet
	d.ok(d.in.Social.Suspend(t.Context(), d.member("gone").ID, true, "test"))
	var texts []string
	for _, name := range []string{"alice", "nobody", "bob", "gone", "nobody@mail.test", ""} {
		_, err := d.signIn(name, wrong)
		d.kind(err, social.Unauthenticated)
		texts = append(texts, err.Error())
	}
	for _, text := range texts {
		if text != texts[0] {
			t.Errorf("%q is told from %q", text, texts[0])
		}
	}
	_, err := d.signIn("bob", "")
	d.kind(err, social.Unauthenticated)
	free := d.FillPlaces()
	defer free()
	for _, name := range []string{"alice", "nobody", bob.Username} {
		ctx, stop := context.WithCancel(t.Context())
		stop()
		_, _, err := d.SignIn(ctx, name, wrong, "")
		if social.KindOf(err) != social.Unavailable {
			// The look-up before may see the end first; it must not be an answer.
			if err == nil || social.KindOf(err) == social.Unauthenticated {
				t.Errorf("%s was answered without a password hash: %v", name, err)
			}
		}
	}
}

func TestWrongPasswordsAreCounted(t *testing.T) {
	d := open(t)
	d.from = netip.MustParseAddr("192.0.2.1")
	for _, name := range []string{"alice", "nobody"} { // who exists shows in nothing
		for range 10 {
			_, err := d.signIn(name, wrong)
			d.kind(err, social.Unauthenticated)
		}
		_, err := d.signIn(name, right)
		d.kind(err, social.Limited)
		var e *social.Error
		if e, _ = err.(*social.Error); e == nil || e.RetryAfter <= 0 || e.RetryAfter > 15*time.Minute {
			t.Errorf("come back after %v", e)
		}
	}
	_, err := d.signIn("ALICE ", right)
	d.kind(err, social.Limited) // another spelling is the same name
	d.at = d.at.Add(15 * time.Minute)
	_, err = d.signIn("alice", right)
	d.ok(err)
	for range 9 { // whoever knows the password is not counted
		_, err = d.signIn("alice", wrong)
		d.kind(err, social.Unauthenticated)
	}
	for range 20 {
		_, err = d.signIn("alice", right)
		d.ok(err)
	}
}

// Who tries many names from one place is stopped there; all that come through a
// proxy that is not named are not one place.
func TestAddressesAreCounted(t *testing.T) {
	d := open(t)
	quick, stop := context.WithCancel(t.Context())
	stop() // counted before it is checked: the hash need not be waited for
	try := func(i int) error {
		_, _, err := d.SignIn(quick, fmt.Sprint("name", i), wrong, "")
		return err
	}
	d.from = netip.MustParseAddr("2001:db8:1:2::1")
	for i := range 100 {
		if err := try(i); social.KindOf(err) == social.Limited {
			t.Fatalf("stopped after %d", i)
		}
	}
	d.from = netip.MustParseAddr("2001:db8:1:2::ffff")
	d.kind(try(100), social.Limited)
	d.from = netip.MustParseAddr("2001:db8:1:3::1")
	if err := try(101); social.KindOf(err) == social.Limited {
		t.Error("another line is stopped too")
	}
	d.from = netip.MustParseAddr("127.0.0.1")
	for i := range 150 {
		if err := try(1000 + i); social.KindOf(err) == social.Limited {
			t.Fatalf("loopback is stopped after %d", i)
		}
	}
	d.from = netip.Addr{}
	for i := range 100_100 {
		_ = try(10_000 + i)
	}
	if d.Counted() > 100_000 {
		t.Errorf("%d names are remembered", d.Counted())
	}
}

// Guesses at the same moment are counted as well.
func TestParallelGuesses(t *testing.T) {
	d := open(t)
	var checked atomic.Int64
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			if _, err := d.signIn("alice", wrong); social.KindOf(err) == social.Unauthenticated {
				checked.Add(1)
			}
		})
	}
	wg.Wait()
	if checked.Load() != 10 {
		t.Errorf("%d guesses were checked", checked.Load())
	}
}

func TestSessionsEnd(t *testing.T) {
	d := open(t)
	session := func() string {
		text, err := d.signIn("alice", right)
		d.ok(err)
		return text
	}
	old := session()
	d.at = d.at.Add(30*24*time.Hour + time.Second)
	_, _, err := d.Session(t.Context(), old)
	d.kind(err, social.Unauthenticated)

	text := session()
	token, err := d.CreateToken(t.Context(), d.alice.ID, auth.NewToken{App: "app", Scopes: "read", Bound: "company"})
	d.ok(err)
	link, _, err := d.ResetLink(t.Context(), d.alice.ID, "test")
	d.ok(err)
	dead := func(why string) {
		t.Helper()
		if _, _, err := d.Session(t.Context(), text); social.KindOf(err) != social.Unauthenticated {
			t.Errorf("the session outlives %s: %v", why, err)
		}
		if _, _, err := d.Bearer(t.Context(), token); social.KindOf(err) != social.Unauthenticated {
			t.Errorf("the token outlives %s: %v", why, err)
		}
	}
	d.ok(d.in.Social.Suspend(t.Context(), d.alice.ID, true, "test"))
	dead("a suspension")
	_, err = d.signIn("alice", right)
	d.kind(err, social.Unauthenticated)
	d.ok(d.in.Social.Suspend(t.Context(), d.alice.ID, false, "test"))
	d.ok(d.SetPassword(t.Context(), d.alice.ID, "another long one"))
	dead("a new password")
	_, err = d.CheckLink(t.Context(), "reset", link)
	d.kind(err, social.NotFound)
	_, err = d.signIn("alice", right)
	d.kind(err, social.Unauthenticated)
	text, err = d.signIn("alice", "another long one")
	d.ok(err)
	d.ok(d.EndAccess(t.Context(), d.alice.ID, "test"))
	dead("the end of access")
}

// slow changes the password while a sign-in with the old one is on its way.
type slow struct {
	auth.Store
	change func()
}

func (s slow) InsertSession(ctx context.Context, v *auth.Session) error {
	s.change()
	return s.Store.InsertSession(ctx, v)
}

func TestNoSessionOutlivesItsPassword(t *testing.T) {
	d := open(t)
	late := auth.New(slow{d.in.DB, func() { d.ok(d.SetPassword(t.Context(), d.alice.ID, "another long one")) }}, d.in.DB, time.Now, slog.Default())
	text, _, err := late.SignIn(t.Context(), "alice", right, "")
	d.kind(err, social.Unauthenticated)
	if text != "" {
		t.Error("the session was handed out")
	}
}

func TestPasswordsAndTheirKeeping(t *testing.T) {
	d := open(t)
	for _, bad := range []string{"", "short", strings.Repeat("x", 257), strings.Repeat("ä", 9)} {
		d.kind(d.SetPassword(t.Context(), d.alice.ID, bad), social.Invalid)
	}
	for _, good := range []string{strings.Repeat("ä", 10), strings.Repeat("x", 256)} {
		d.ok(d.SetPassword(t.Context(), d.alice.ID, good))
		_, err := d.signIn("alice", good)
		d.ok(err)
	}
	_, err := d.signIn("alice", strings.Repeat("x", 1<<20)) // no work for a text that is no password
	d.kind(err, social.Unauthenticated)

	one, err := d.in.DB.PasswordHash(t.Context(), d.alice.ID)
	d.ok(err)
	d.ok(d.SetPassword(t.Context(), d.alice.ID, strings.Repeat("x", 256)))
	two, err := d.in.DB.PasswordHash(t.Context(), d.alice.ID)
	d.ok(err)
	if !strings.HasPrefix(one, "$argon2id$v=19$m=19456,t=2,p=1$") || one == two {
		t.Errorf("%s and %s", one, two)
	}

	token, err := d.CreateToken(t.Context(), d.alice.ID, auth.NewToken{App: "app", Scopes: "read", Bound: "company"})
	d.ok(err)
	session, err := d.signIn("alice", strings.Repeat("x", 256))
	d.ok(err)
	link, _, err := d.SetupLink(t.Context())
	d.ok(err)
	files, err := filepath.Glob(filepath.Join(d.in.Config.DataDir, "parley.db*"))
	d.ok(err)
	if len(files) == 0 {
		t.Fatal("no database to look at")
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		d.ok(err)
		for _, secret := range []string{token, session, link, strings.Repeat("x", 256)} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds a secret", name)
			}
		}
	}
}

func TestOneTimeLinks(t *testing.T) {
	d := open(t)
	ctx := t.Context()
	first, _, err := d.ResetLink(ctx, d.alice.ID, "test")
	d.ok(err)
	second, until, err := d.ResetLink(ctx, d.alice.ID, "test")
	d.ok(err)
	if got := until.Sub(d.at); got != auth.ResetLife {
		t.Errorf("lives %v", got)
	}
	_, err = d.CheckLink(ctx, "reset", first)
	d.kind(err, social.NotFound) // a newer one voids it
	_, err = d.CheckLink(ctx, "setup", second)
	d.kind(err, social.NotFound)
	for range 2 { // looking uses nothing up
		l, err := d.CheckLink(ctx, "reset", second)
		d.ok(err)
		if l.AccountID != d.alice.ID {
			t.Errorf("for %v", l.AccountID)
		}
	}
	var taken atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := d.TakeLink(ctx, "reset", second); err == nil {
				taken.Add(1)
			}
		})
	}
	wg.Wait()
	if taken.Load() != 1 {
		t.Errorf("taken %d times", taken.Load())
	}
	third, _, err := d.SetupLink(ctx)
	d.ok(err)
	d.at = d.at.Add(auth.SetupLife + time.Second)
	_, err = d.TakeLink(ctx, "setup", third)
	d.kind(err, social.NotFound)
}

func TestScopes(t *testing.T) {
	d := open(t)
	for _, bad := range []string{"", "  ", "admin", "read admin:accounts", "everything"} {
		_, err := d.CreateToken(t.Context(), d.alice.ID, auth.NewToken{App: "app", Scopes: bad, Bound: "company"})
		d.kind(err, social.Invalid)
	}
	for have, want := range map[string]map[string]bool{
		"read":               {"read:statuses": true, "read:follows": true, "write:statuses": false, "push": false, "write:follows": false},
		"write":              {"write:statuses": true, "write:follows": true, "read:statuses": false},
		"follow":             {"write:follows": true, "read:follows": true, "write:blocks": true, "write:mutes": true, "write:statuses": false, "read:accounts": false},
		"read:statuses push": {"read:statuses": true, "read:accounts": false, "write:statuses": false, "push": true},
		"admin:read":         {"admin:read": true, "admin:write": false, "read:accounts": false},
		"write:media":        {"write:media": true, "write:statuses": false},
	} {
		token := &auth.Token{Scopes: have}
		for scope, yes := range want {
			if token.Allows(scope) != yes {
				t.Errorf("%q for %q: %v", have, scope, !yes)
			}
		}
	}
}

// What is far too long for a name is counted by its beginning, so that it takes no room.
func TestLongNamesAreCountedShort(t *testing.T) {
	d := open(t)
	long := strings.Repeat("x", 1000)
	for i := range 3 {
		if _, err := d.Forgot(t.Context(), long+strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := d.Forgot(t.Context(), long+"4")
	d.kind(err, social.Limited)
}
