package instance

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"strconv"
	"time"

	"parley/auth"
	"parley/config"
	"parley/notify"
	"parley/outbound"
	"parley/social"
)

// newMailer makes what writes mail; nil where no mail server is named.
func (in *Instance) newMailer() (*notify.Mailer, error) {
	if in.Config.SMTP.Host == "" {
		return nil, nil
	}
	o, err := mailOptions(in.Config)
	o.Social, o.Link, o.Log = in.Social, in.mailedLink, in.log
	return notify.NewMailer(o), err
}

// mailOptions are those that the configuration names.
func mailOptions(c *config.Config) (notify.MailOptions, error) {
	o := notify.MailOptions{Host: c.SMTP.Host, Port: c.SMTP.Port, User: c.SMTP.User, Password: c.SMTP.Password, From: c.SMTP.From, Name: c.Host()}
	if c.Federation.CAFile == "" {
		return o, nil
	}
	var err error
	o.Roots, err = outbound.Authorities(c.Federation.CAFile) // the company's own mail server has a certificate of the company
	return o, err
}

// checkMail connects to the mail server and signs in; nothing is sent.
func checkMail(ctx context.Context, c *config.Config) []Finding {
	if c.SMTP.Host == "" {
		return nil
	}
	o, err := mailOptions(c)
	if err == nil {
		err = notify.NewMailer(o).Check(ctx)
	}
	if err == nil {
		return []Finding{{Check: "mail", State: StateOK}}
	}
	remedy := "check smtp.host and smtp.port, and that the firewall lets this machine through"
	var unknown *tls.CertificateVerificationError
	var refused *textproto.Error
	switch {
	case errors.As(err, &unknown):
		remedy = "name the server as its certificate does in smtp.host, or the company CA in federation.ca_file"
	case errors.As(err, &refused):
		remedy = "correct smtp.user and smtp.password, or ask whoever runs the mail server to take mail from here"
	}
	return []Finding{problem("mail", remedy, "the mail server %s takes no mail from here: %v", net.JoinHostPort(c.SMTP.Host, strconv.Itoa(c.SMTP.Port)), err)}
}

func (in *Instance) mailedLink(ctx context.Context, account social.ID, kind social.MailKind) (string, time.Time, error) {
	life := auth.ResetLife
	if kind == social.MailInvitation {
		life = auth.InvitationLife
	}
	code, until, err := in.Auth.MailedLink(ctx, account, life)
	return in.Social.Links.Reset(code), until, err
}
