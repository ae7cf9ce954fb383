package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"github.com/wneessen/go-mail"

	"parley/queue"
	"parley/social"
)

// MailOptions are what a Mailer needs.
type MailOptions struct {
	Social *social.Service
	// Link makes the address of a page where a member chooses a password, and says until
	// when it works.
	Link func(ctx context.Context, account social.ID, kind social.MailKind) (address string, until time.Time, err error)
	// Host and Port are of the mail server of the operator's own. 465 speaks TLS from the
	// beginning, another port after STARTTLS (RFC 3207, 8314); only a server on this
	// machine may go without.
	Host           string
	Port           int
	User, Password string // "" for a server that takes mail without
	From           string
	Name           string         // of this machine, as it introduces itself
	Roots          *x509.CertPool // who vouches for the server; nil for the system's
	Log            *slog.Logger
}

// Mailer writes members one-time links by mail (RFC 5321).
type Mailer struct{ MailOptions }

// NewMailer makes a Mailer; nothing is connected yet.
func NewMailer(o MailOptions) *Mailer { return &Mailer{o} }

const (
	// mailTime is what the mail server may take for one mail.
	mailTime = 30 * time.Second
	// MailLease is longer than one attempt.
	MailLease = 2 * time.Minute
)

// refusedPause is how long a refusal that is for good waits for its next attempt: somebody
// may have corrected the address, or dropped the mail, by then.
const refusedPause = 12 * time.Hour

// Send is the handler of social.MailJob. A server that refuses is asked again, with pauses
// that grow: administrators see it among the work that fails, and what it says.
func (m *Mailer) Send(ctx context.Context, j queue.Job) queue.Result {
	due, err := m.Social.DueMail(ctx, j)
	if social.KindOf(err) == social.NotFound {
		return queue.Result{Verdict: queue.Done}
	}
	if err == nil {
		err = m.send(ctx, j, due)
	}
	if err == nil {
		return queue.Result{Verdict: queue.Done}
	}
	reason := err.Error()
	if due != nil { // servers say it back
		reason = strings.ReplaceAll(reason, due.Member.Email, "the member's address")
	}
	m.Log.Warn("a mail could not be sent; it is tried again", "account", j.Ref, "about", j.Target, "error", reason)
	res := queue.Result{Verdict: queue.Later, Reason: reason}
	var refused *mail.SendError
	if errors.Is(err, errNoAddress) || errors.As(err, &refused) && !refused.IsTemp() {
		res.After = refusedPause
	}
	return res
}

var errNoAddress = errors.New("the member's mail address is none")

// send connects first: while nobody takes mail, no link is made.
func (m *Mailer) send(ctx context.Context, j queue.Job, due *social.Mail) error {
	if a, err := netmail.ParseAddress(due.Member.Email); err != nil || a.Address != due.Member.Email {
		return errNoAddress
	}
	ctx, cancel := context.WithTimeout(ctx, mailTime)
	defer cancel()
	client, err := m.connect(ctx)
	if err != nil {
		return err
	}
	defer client.Close() //nolint:errcheck // what counts is said by Send
	address, until, err := m.Link(ctx, due.Member.ID, due.Kind)
	if err != nil {
		return err
	}
	msg := mail.NewMsg()
	subject, body := mailText(due, address, until)
	msg.FromMailAddress(named(due.Organisation.Name, m.From))
	msg.ToMailAddress(named(due.Member.Name(), due.Member.Email))
	msg.Subject(subject)
	msg.SetBodyString(mail.TypeTextPlain, body)
	msg.SetDate()
	msg.SetMessageIDWithValue(fmt.Sprintf("%d.%s@%s", j.ID, due.Kind, m.Name)) // the same each time: who has it already can tell
	msg.SetGenHeader(mail.Header("Auto-Submitted"), "auto-generated")          // nobody's absence answers it (RFC 3834)
	return client.Send(msg)
}

// Check connects and signs in, and sends nothing.
func (m *Mailer) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, mailTime)
	defer cancel()
	client, err := m.connect(ctx)
	if err != nil {
		return err
	}
	return client.Close()
}

// connect opens a connection and signs in.
func (m *Mailer) connect(ctx context.Context) (*mail.Client, error) {
	client, err := m.client()
	if err != nil {
		return nil, err
	}
	return client, client.DialWithContext(ctx)
}

func (m *Mailer) client() (*mail.Client, error) {
	conf := &tls.Config{ServerName: m.Host, RootCAs: m.Roots, MinVersion: tls.VersionTLS12}
	policy, proof := mail.TLSMandatory, mail.SMTPAuthAutoDiscover
	if onThisMachine(m.Host) { // nobody listens in between, and nobody vouches for such a name
		conf.InsecureSkipVerify = true
		policy, proof = mail.TLSOpportunistic, mail.SMTPAuthPlainNoEnc
	}
	options := []mail.Option{mail.WithPort(m.Port), mail.WithTimeout(mailTime), mail.WithTLSPolicy(policy), mail.WithHELO(m.Name), mail.WithTLSConfig(conf)}
	if m.Port == 465 {
		options = append(options, mail.WithSSL())
	}
	if m.User != "" {
		options = append(options, mail.WithSMTPAuth(proof), mail.WithUsername(m.User), mail.WithPassword(m.Password))
	}
	return mail.NewClient(m.Host, options...)
}

// named is an address with a name that stays within its line.
func named(name, address string) *netmail.Address {
	return &netmail.Address{Name: strings.Join(strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " "), Address: address}
}

func onThisMachine(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
