package notify

import (
	"crypto/ecdh"
	"encoding/base64"
	"fmt"
	"time"

	"parley/social"
)

// texts say by the kind of notification what happened, in English and German. They name
// nobody and quote nothing: a locked screen shows them to whoever stands there.
func texts() map[string][2]string {
	return map[string][2]string{
		"parley.greeting":                  {"You will hear here when something concerns you.", "Hier erfahren Sie künftig, wenn Sie etwas angeht."},
		string(social.NotifyMention):       {"Somebody wrote to you.", "Jemand hat Ihnen geschrieben."},
		string(social.NotifyFollow):        {"Somebody follows you now.", "Jemand folgt Ihnen jetzt."},
		string(social.NotifyFollowRequest): {"Somebody would like to follow you.", "Jemand möchte Ihnen folgen."},
		string(social.NotifyFavourite):     {"Somebody likes a post of yours.", "Jemandem gefällt ein Beitrag von Ihnen."},
		string(social.NotifyReblog):        {"Somebody shared a post of yours.", "Jemand hat einen Beitrag von Ihnen geteilt."},
		string(social.NotifyPoll):          {"A poll has ended.", "Eine Umfrage ist zu Ende."},
		string(social.NotifyUpdate):        {"A post that concerns you was changed.", "Ein Beitrag, der Sie angeht, wurde geändert."},
		string(social.NotifyReport):        {"Something was reported.", "Etwas wurde gemeldet."},
		string(social.NotifyReportClosed):  {"What you reported was dealt with.", "Ihre Meldung wurde bearbeitet."},
		string(social.NotifyReminder):      {"A reminder of something that you bookmarked.", "Eine Erinnerung an etwas, das Sie sich gemerkt haben."},
		string(social.NotifyUnsent):        {"A post of yours could not be published.", "Ein Beitrag von Ihnen konnte nicht veröffentlicht werden."},
	}
}

// mailText words a mail in its member's language.
func mailText(m *social.Mail, address string, until time.Time) (subject, body string) {
	type text struct{ subject, body, form string }
	t := map[social.MailKind][2]text{
		social.MailInvitation: {
			{"Your account at %s", "Hello %s,\n\nthere is an account for you at %s: @%s\n\nChoose a password here. The link works once, until %s:\n\n%s\n\nThen sign in with this name or with this mail address.\n", "2 January 2006, 15:04 MST"},
			{"Ihr Konto bei %s", "Guten Tag %s,\n\nbei %s gibt es ein Konto für Sie: @%s\n\nWählen Sie hier ein Passwort. Der Link gilt einmal, bis %s:\n\n%s\n\nDanach melden Sie sich mit diesem Namen oder dieser Mailadresse an.\n", "02.01.2006, 15:04 MST"}},
		social.MailReset: {
			{"A new password for %s", "Hello %s,\n\nsomebody, probably you, asked at %s for a new password for @%s\n\nChoose one here. The link works once, until %s:\n\n%s\n\nIf it was not you, do nothing: your password stays as it is.\n", "2 January 2006, 15:04 MST"},
			{"Ein neues Passwort für %s", "Guten Tag %s,\n\njemand, vermutlich Sie, hat bei %s um ein neues Passwort für @%s gebeten.\n\nWählen Sie es hier. Der Link gilt einmal, bis %s:\n\n%s\n\nWaren Sie es nicht, tun Sie nichts: Ihr Passwort bleibt, wie es ist.\n", "02.01.2006, 15:04 MST"}},
	}[m.Kind]
	say := t[0]
	if m.Member.Language == "de" {
		say = t[1]
	}
	return fmt.Sprintf(say.subject, m.Organisation.Name),
		fmt.Sprintf(say.body, m.Member.Name(), m.Organisation.Name, m.Member.Username, until.Format(say.form), address)
}

func words(kind, language string) string {
	if language == "de" {
		return texts()[kind][1]
	}
	return texts()[kind][0]
}

// publicOf is the public half of a key, both base64url.
func publicOf(private string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(private)
	if err != nil {
		return "", fmt.Errorf("%s: %w", keySetting, err)
	}
	key, err := ecdh.P256().NewPrivateKey(raw)
	if err != nil {
		return "", fmt.Errorf("%s: %w", keySetting, err)
	}
	return base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()), nil
}
