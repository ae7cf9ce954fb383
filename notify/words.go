package notify

import (
	"crypto/ecdh"
	"encoding/base64"
	"fmt"

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
