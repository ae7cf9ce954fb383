package instance_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"parley/config"
	"parley/instance"
	"parley/instance/instancetest"
	"parley/social"
	"parley/web"
)

var resetLink = regexp.MustCompile(`https?://\S+/reset\?code=\S+`)

// texts are a mail's subject and body as people read them.
func texts(t *testing.T, m instancetest.Mail) (subject, body string) {
	t.Helper()
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	ok(t, err)
	if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		b, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(m.Body)))
		ok(t, err)
		return subject, string(b)
	}
	return subject, m.Body
}

// mailed is an instance that sends by a server, with a member who has an address.
func mailed(t *testing.T, keys map[string]string, log *slog.Logger) (*instance.Instance, *social.Account) {
	t.Helper()
	in := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Config: keys, Log: log})
	a, err := in.Social.CreateAccount(t.Context(), social.NewAccount{Username: "jo", DisplayName: "Jö Müller", Email: "jo@mail.test", Language: "de"})
	ok(t, err)
	return in, a
}

func settle(in *instance.Instance) {
	for in.Settle(context.Background()) > 0 {
	}
}

// A member is invited by mail, over STARTTLS and with a password, chooses a password by its
// link, forgets it, and gets another link; the link stands in the mail and nowhere else.
func TestMailHoldsTheOneLink(t *testing.T) {
	w := newWorld(t)
	pair, err := tls.X509KeyPair(w.certify("127.0.0.1"))
	ok(t, err)
	server := instancetest.NewMailServer(t, "127.0.0.1:0", &pair, false)
	server.Want("parley", "canary-of-smtp")
	keys := server.Config()
	keys["federation.ca_file"] = w.file
	var log bytes.Buffer
	in, jo := mailed(t, keys, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	ok(t, in.Mail.Check(t.Context()))

	ok(t, in.Social.OrderMail(t.Context(), jo.ID, social.MailInvitation))
	ok(t, in.Social.OrderMail(t.Context(), jo.ID, social.MailInvitation)) // pressed twice
	settle(in)
	all := server.All()
	if len(all) != 1 || !all[0].Secured || all[0].From != "parley@mail.test" || len(all[0].To) != 1 || all[0].To[0] != "jo@mail.test" {
		t.Fatalf("%+v", all)
	}
	subject, body := texts(t, all[0])
	link := resetLink.FindString(body)
	if !strings.HasPrefix(subject, "Ihr Konto bei ") || !strings.Contains(body, "Guten Tag Jö Müller") || !strings.HasPrefix(link, in.Config.PublicURL) || all[0].Header.Get("Auto-Submitted") != "auto-generated" {
		t.Fatalf("%q: %s", subject, body)
	}
	choose := func(link string, status int) {
		t.Helper()
		u, err := url.Parse(link)
		ok(t, err)
		res, err := http.PostForm(in.Config.PublicURL+"/reset", url.Values{"code": {u.Query().Get("code")}, "password": {"correct horse battery"}})
		ok(t, err)
		ok(t, res.Body.Close())
		if res.StatusCode != status {
			t.Errorf("a password is chosen: %d", res.StatusCode)
		}
	}
	choose(link, 200)
	choose(link, 404) // it works once
	_, _, err = in.Auth.SignIn(t.Context(), "jo@mail.test", "correct horse battery", "")
	ok(t, err)

	forget := func(name string, status int) string {
		t.Helper()
		res, err := http.PostForm(in.Config.PublicURL+"/forgot", url.Values{"name": {name}})
		ok(t, err)
		b, err := io.ReadAll(res.Body)
		ok(t, errors.Join(err, res.Body.Close()))
		if res.StatusCode != status {
			t.Errorf("%s forgets the password: %d", name, res.StatusCode)
		}
		return string(regexp.MustCompile(`id=[0-9a-f]+|"[0-9a-f]{16}"`).ReplaceAll(b, nil))
	}
	if there, none := forget("Jo@mail.test", 200), forget("nobody@mail.test", 200); there != none || !strings.Contains(there, "on its way") {
		t.Error("the answer tells who has an account")
	}
	forget(" ", 422)
	settle(in)
	if all = server.All(); len(all) != 2 {
		t.Fatalf("%d mails", len(all))
	}
	if subject, body = texts(t, all[1]); !strings.HasPrefix(subject, "Ein neues Passwort") {
		t.Errorf("%q", subject)
	}
	choose(resetLink.FindString(body), 200)
	forget("jo@mail.test", 200)
	forget("jo@mail.test", 200)
	forget("jo@mail.test", 429) // nobody's letter box is filled
	for _, secret := range []string{"canary-of-smtp", strings.SplitAfter(link, "code=")[1], "battery"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// While the mail server is away or refuses, mail waits and the reason can be read; what
// nobody waits for any more, and what has nobody to go to, is not sent.
func TestMailWaits(t *testing.T) {
	server := instancetest.NewMailServer(t, "127.0.0.1:0", nil, false)
	clock := instancetest.NewClock()
	in := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Config: server.Config(), Now: clock.Now})
	a, err := in.Social.CreateAccount(t.Context(), social.NewAccount{Username: "jo", Email: "jo@mail.test"})
	ok(t, err)
	none, err := in.Social.CreateAccount(t.Context(), social.NewAccount{Username: "kim"})
	ok(t, err)
	server.Refuse(&smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "come back later"})
	ok(t, in.Social.OrderMail(t.Context(), a.ID, social.MailInvitation))
	ok(t, in.Social.OrderMail(t.Context(), none.ID, social.MailInvitation))
	settle(in)
	failing, err := in.DB.Failing(t.Context(), "", 9)
	ok(t, err)
	if len(failing) != 1 || !strings.Contains(failing[0].LastError, "come back later") || len(server.All()) != 0 {
		t.Fatalf("%+v, %d sent", failing, len(server.All()))
	}
	server.Refuse(nil)
	clock.Advance(24 * 3600e9)
	settle(in)
	if all := server.All(); len(all) != 1 || !strings.Contains(all[0].Body, "there is an account for you") {
		t.Fatalf("%+v", all)
	}
	server.Refuse(errors.New("down"))
	ok(t, in.Social.OrderMail(t.Context(), a.ID, social.MailReset))
	settle(in)
	server.Refuse(nil)
	clock.Advance(2 * 3600e9) // whoever forgot the password has asked again since, or remembers
	settle(in)
	ok(t, in.Social.OrderMail(t.Context(), a.ID, social.MailInvitation))
	ok(t, in.Social.Suspend(t.Context(), a.ID, true, "test"))
	settle(in)
	if all := server.All(); len(all) != 1 {
		t.Errorf("%d mails", len(all))
	}
}

// A mail server with a certificate that nobody vouches for is told nothing; on port 465 TLS
// comes first.
func TestMailIsSecured(t *testing.T) {
	w := newTown(t)
	w.leads("mail.parley.test", "127.0.0.1")
	pair, err := tls.LoadX509KeyPair(w.cert, w.key)
	ok(t, err)
	server := instancetest.NewMailServer(t, "127.0.0.1:0", &pair, false)
	plain := instancetest.NewMailServer(t, "127.0.0.1:0", nil, false)
	named := func(s *instancetest.MailServer) map[string]string {
		keys := s.Config()
		keys["smtp.host"] = "mail.parley.test"
		return keys
	}
	in, _ := mailed(t, named(plain), nil)
	if err := in.Mail.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "STARTTLS") {
		t.Errorf("a server without TLS: %v", err)
	}
	in, jo := mailed(t, named(server), nil)
	if err := in.Mail.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}
	ok(t, in.Social.OrderMail(t.Context(), jo.ID, social.MailInvitation))
	settle(in)
	if len(server.All()) != 0 || len(plain.All()) != 0 {
		t.Error("a mail went to a server that nobody vouches for")
	}
	keys := named(server)
	keys["federation.ca_file"] = w.cert
	in, jo = mailed(t, keys, nil)
	ok(t, in.Social.OrderMail(t.Context(), jo.ID, social.MailInvitation))
	settle(in)
	if all := server.All(); len(all) != 1 || !all[0].Secured {
		t.Errorf("%+v", all)
	}
	local := instancetest.NewMailServer(t, "127.0.0.1:0", nil, false)
	local.Want("parley", "password")
	in, _ = mailed(t, local.Config(), nil)
	ok(t, in.Mail.Check(t.Context())) // on this machine a password needs no TLS
	t.Run("465", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:465")
		if err != nil {
			t.Skipf("port 465 is not to be had here: %v", err)
		}
		ok(t, l.Close())
		server := instancetest.NewMailServer(t, "127.0.0.1:465", &pair, true)
		keys := named(server)
		keys["federation.ca_file"] = w.cert
		in, jo := mailed(t, keys, nil)
		ok(t, in.Social.OrderMail(t.Context(), jo.ID, social.MailInvitation))
		settle(in)
		if all := server.All(); len(all) != 1 || !all[0].Secured {
			t.Errorf("%+v", all)
		}
	})
}

// Nobody voids a member's link by asking for another one in their name, nor does a mail that
// is tried again; and what is ordered again goes at once.
func TestMailVoidsNoLink(t *testing.T) {
	server := instancetest.NewMailServer(t, "127.0.0.1:0", nil, false)
	in, jo := mailed(t, server.Config(), nil)
	byHand, _, err := in.Auth.ResetLink(t.Context(), jo.ID, "test")
	ok(t, err)
	server.Refuse(&smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"})
	ok(t, in.Social.OrderMail(t.Context(), jo.ID, social.MailInvitation))
	settle(in)
	server.Refuse(nil)
	ok(t, in.Social.OrderMail(t.Context(), jo.ID, social.MailInvitation)) // the address is right now
	settle(in)
	ok(t, in.Social.OrderMail(t.Context(), jo.ID, social.MailReset))
	settle(in)
	all := server.All()
	if len(all) != 2 {
		t.Fatalf("%d mails", len(all))
	}
	codes := []string{byHand}
	for _, m := range all {
		_, body := texts(t, m)
		codes = append(codes, strings.SplitAfter(resetLink.FindString(body), "code=")[1])
	}
	for _, code := range codes {
		_, err := in.Auth.CheckLink(t.Context(), "reset", code)
		ok(t, err)
	}
	ok(t, in.Auth.SetPassword(t.Context(), jo.ID, "correct horse battery"))
	for _, code := range codes {
		if _, err := in.Auth.CheckLink(t.Context(), "reset", code); err == nil {
			t.Error("a link works beside the password that was chosen")
		}
	}
}

// What people are called changes nothing of where a mail goes.
func TestHostileNamesInMail(t *testing.T) {
	server := instancetest.NewMailServer(t, "127.0.0.1:0", nil, false)
	in, jo := mailed(t, server.Config(), nil)
	for i, name := range []string{"a\r\nBcc: evil@mail.test", `"evil" <evil@mail.test>,`, "x\n.\nMAIL FROM:<evil@mail.test>", strings.Repeat("ü", 200), "=?utf-8?q?evil?="} {
		ok(t, in.DB.Tx(t.Context(), func(tx social.Tx) error {
			a, err := tx.Account(t.Context(), jo.ID)
			if err != nil {
				return err
			}
			a.DisplayName = name
			return tx.UpdateAccount(t.Context(), a)
		}))
		ok(t, in.Social.SetOrganisation(t.Context(), social.Organisation{Name: "ACME " + `"<x@mail.test>`}, "test"))
		ok(t, in.Social.OrderMail(t.Context(), jo.ID, social.MailInvitation))
		settle(in)
		all := server.All()
		if len(all) != i+1 {
			t.Fatalf("%q: %d mails", name, len(all))
		}
		to, err := all[i].Header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Address != "jo@mail.test" || len(all[i].To) != 1 || all[i].Header.Get("Bcc") != "" {
			t.Errorf("%q: to %v %v, header %v", name, all[i].To, to, all[i].Header)
		}
	}
}

// What is no address, or more than one, gets no mail.
func TestMailGoesToOneAddress(t *testing.T) {
	server := instancetest.NewMailServer(t, "127.0.0.1:0", nil, false)
	in, jo := mailed(t, server.Config(), nil)
	for _, address := range []string{"a@mail.test, b@mail.test", "a@mail.test\r\nRCPT TO:<b@mail.test>", "a@mail.test> SIZE=1", "Jo <jo@mail.test>", "jo"} {
		_, err := in.Social.UpdateProfile(t.Context(), social.Member(jo, in.Config.Domain), social.ProfileChange{Email: &address})
		ok(t, err)
		ok(t, in.Social.OrderMail(t.Context(), jo.ID, social.MailReset))
		settle(in)
		if all := server.All(); len(all) != 0 {
			t.Errorf("%q: %+v", address, all)
		}
		ok(t, in.DB.Tx(t.Context(), func(tx social.Tx) error { return tx.DropJobs(t.Context(), social.MailJob, int64(jo.ID), "") }))
	}
}

// Without a mail server there is no page that promises one.
func TestNoMailNoPromise(t *testing.T) {
	in := instancetest.Start(t, t.TempDir(), "")
	for _, method := range []string{"GET", "POST"} {
		r, err := http.NewRequest(method, in.Config.PublicURL+"/forgot", nil)
		ok(t, err)
		res, err := http.DefaultClient.Do(r)
		ok(t, err)
		ok(t, res.Body.Close())
		if res.StatusCode != 404 {
			t.Errorf("%s: %d", method, res.StatusCode)
		}
	}
}

// Administrators invite by mail, and see the link where there is no address.
func TestAdministratorsInviteByMail(t *testing.T) {
	server := instancetest.NewMailServer(t, "127.0.0.1:0", nil, false)
	in := instancetest.StartWith(t, t.TempDir(), instancetest.Options{Config: server.Config()})
	boss, err := in.Social.CreateAccount(t.Context(), social.NewAccount{Username: "boss", Role: social.RoleAdmin})
	ok(t, err)
	ok(t, in.Social.FinishSetUp(t.Context()))
	session, err := in.Auth.Begin(t.Context(), boss.ID, "test")
	ok(t, err)
	jar, err := cookiejar.New(nil)
	ok(t, err)
	u, err := url.Parse(in.Config.PublicURL)
	ok(t, err)
	jar.SetCookies(u, []*http.Cookie{{Name: web.CookieName(u.Host), Value: session}})
	client := &http.Client{Jar: jar}
	post := func(path string, form url.Values, want string) {
		t.Helper()
		res, err := client.PostForm(in.Config.PublicURL+path, form)
		ok(t, err)
		b, err := io.ReadAll(res.Body)
		ok(t, errors.Join(err, res.Body.Close()))
		if res.StatusCode != 200 && res.StatusCode != 422 || !strings.Contains(string(b), want) {
			t.Errorf("%s: %d without %q", path, res.StatusCode, want)
		}
	}
	post("/admin/people", url.Values{"name": {"jo"}, "email": {"jo@mail.test"}, "role": {"member"}}, "on its way")
	post("/admin/people", url.Values{"name": {"kim"}, "role": {"member"}}, "/reset?code=")
	settle(in)
	if n := len(server.All()); n != 1 {
		t.Fatalf("%d mails", n)
	}
	found, err := in.Social.LocalAccounts(t.Context(), "", social.Page{Limit: 9})
	ok(t, err)
	for _, a := range found {
		switch a.Username {
		case "jo":
			post("/admin/people/"+a.ID.String()+"/mail", nil, "on its way")
		case "kim":
			post("/admin/people/"+a.ID.String()+"/mail", nil, "o mail can be sent")
		}
	}
	settle(in)
	if n := len(server.All()); n != 2 {
		t.Fatalf("%d mails", n)
	}
}

// A mail server that is half named is refused with what to do.
func TestMailConfigIsChecked(t *testing.T) {
	for want, keys := range map[string]map[string]string{
		"smtp.from": {"smtp.host": "mail.example.org"},
		"smtp.host": {"smtp.from": "a@example.org"},
		"alone":     {"smtp.host": "mail.example.org:587", "smtp.from": "a@example.org"},
		"both":      {"smtp.host": "mail.example.org", "smtp.from": "a@example.org", "smtp.user": "a"},
		"port":      {"smtp.host": "mail.example.org", "smtp.from": "a@example.org", "smtp.port": "0"},
	} {
		file := filepath.Join(t.TempDir(), "parley.yaml")
		text := "smtp:\n"
		for k, v := range keys {
			text += "  " + strings.TrimPrefix(k, "smtp.") + ": " + `"` + v + `"` + "\n"
		}
		ok(t, os.WriteFile(file, []byte(text), 0o600))
		if _, err := config.Load(file, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
