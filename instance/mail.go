package instance

import (
	"context"
	"crypto/x509"
	"time"

	"parley/notify"
	"parley/outbound"
	"parley/social"
)

// newMailer makes what writes mail; nil where no mail server is named.
func (in *Instance) newMailer() (*notify.Mailer, error) {
	c := in.Config
	if c.SMTP.Host == "" {
		return nil, nil
	}
	var roots *x509.CertPool
	if c.Federation.CAFile != "" { // the company's own mail server has a certificate of the company
		var err error
		if roots, err = outbound.Authorities(c.Federation.CAFile); err != nil {
			return nil, err
		}
	}
	return notify.NewMailer(notify.MailOptions{Social: in.Social, Link: in.mailedLink, Host: c.SMTP.Host, Port: c.SMTP.Port, User: c.SMTP.User, Password: c.SMTP.Password,
		From: c.SMTP.From, Name: c.Host(), Roots: roots, Log: in.log}), nil
}

func (in *Instance) mailedLink(ctx context.Context, account social.ID, kind social.MailKind) (string, time.Time, error) {
	handOver := in.Auth.ResetLink
	if kind == social.MailInvitation {
		handOver = in.Auth.InvitationLink
	}
	code, until, err := handOver(ctx, account, "mail")
	return in.Social.Links.Reset(code), until, err
}
