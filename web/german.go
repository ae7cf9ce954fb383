package web

import (
	"cmp"
	"errors"
	"fmt"

	"parley/serve"
	"parley/social"
)

// german has the texts of errors that people may see, by the English text (with
// its places) that social and its neighbours write. A test finds those without one.
var german = map[string]string{
	"what you sent is too large; go back, what you typed is still there":                                  "Was Sie gesendet haben, ist zu groß; gehen Sie zurück, was Sie getippt haben, steht noch da",
	"what you answer is not there any more; choose who sees this as a post of its own, or copy your text": "Worauf Sie antworten, gibt es nicht mehr; wählen Sie, wer dies als eigenen Beitrag sieht, oder kopieren Sie Ihren Text",
	"this is the account that you are using":                                                              "Das ist das Konto, das Sie gerade benutzen",
	"you can name %d other accounts at most":                                                              "Sie können höchstens %d andere Konten nennen",
	"you moved a short time ago; wait until %s":                                                           "Sie sind erst vor Kurzem umgezogen; warten Sie bis %s",
	"this account has moved on itself; name the one it moved to":                                          "Dieses Konto ist selbst weitergezogen; nennen Sie das, zu dem es gezogen ist",
	"people move to accounts of people":                                                                   "Leute ziehen zu Konten von Leuten um",
	"the new account does not name this one as its own yet; do that there first, and wait a minute":       "Das neue Konto nennt dieses noch nicht als sein eigenes; tun Sie das zuerst dort und warten Sie eine Minute",
	"your role may not take followers out of the company; ask your administrator":                         "Ihre Rolle darf Folgende nicht aus der Firma mitnehmen; fragen Sie Ihre Administration",
	"the name of a folder has at most %d characters":                                                      "Der Name eines Ordners hat höchstens %d Zeichen",
	"a note has at most %d characters":                                                                    "Eine Notiz hat höchstens %d Zeichen",
	"choose a time that is still to come":                                                                 "Wählen Sie eine Zeit, die noch kommt",
	"you have %d folders; use one of them":                                                                "Sie haben %d Ordner; nehmen Sie einen davon",
	"a reminder is at most five years away":                                                               "Eine Erinnerung ist höchstens fünf Jahre entfernt",
	"write at least one word":                                                                             "Schreiben Sie mindestens ein Wort.",
	"choose at least one place where it counts":                                                           "Wählen Sie mindestens einen Ort, an dem er gilt.",
	"a filter needs a title":                                                                              "Ein Filter braucht einen Titel",
	"context holds some of home, notifications, public, thread and account":                               "context enthält einige von home, notifications, public, thread und account",
	"filter_action is warn, blur or hide":                                                                 "filter_action ist warn, blur oder hide",
	"a filter holds %d words and posts at most":                                                           "Ein Filter enthält höchstens %d Wörter und Beiträge",
	"a keyword has 1 to %d bytes":                                                                         "Ein Stichwort hat 1 bis %d Bytes",
	"you have %d filters; delete one first":                                                               "Sie haben %d Filter; löschen Sie zuerst einen",
	"there are markers for home and notifications":                                                        "Es gibt Marken für home und notifications",
	"you follow %d tags; leave one first":                                                                 "Sie folgen %d Themen; verlassen Sie zuerst eines",
	"a post is addressed to %d people at most":                                                            "Ein Beitrag richtet sich an höchstens %d Leute",
	"an app needs a name (client_name) of at most %d characters":                                          "Eine App braucht einen Namen (client_name) von höchstens %d Zeichen",
	"an app needs redirect_uris, at most %d of them":                                                      "Eine App braucht redirect_uris, höchstens %d",
	"%.100q cannot be a redirect URI: use https, http on this machine, a scheme of the app's own, or %s":  "%.100q kann keine Redirect-URI sein: Nehmen Sie https, http auf diesem Rechner, ein eigenes Schema der App oder %s",
	"the website of an app is a web address":                                                              "Die Website einer App ist eine Web-Adresse",
	"this app was not used for long; connect it again":                                                    "Diese App wurde lange nicht benutzt; verbinden Sie sie neu",
	"this app asks in a way that cannot be answered; begin again in the app (%s)":                         "Diese App fragt auf eine Weise, die sich nicht beantworten lässt; beginnen Sie noch einmal in der App (%s)",
	"This method requires an authenticated user":                                                          "Dafür muss jemand angemeldet sein",
	"this is not the address of a push service":                                                           "das ist nicht die Adresse eines Push-Dienstes",
	"notices need https: this server is tried out on one machine, where only %s is spoken":                "Hinweise brauchen https: Dieser Server wird auf einem Rechner ausprobiert, wo nur %s gesprochen wird",
	"the keys of this push subscription are not valid":                                                    "die Schlüssel dieser Anmeldung beim Push-Dienst sind nicht gültig",
	"not found": "Hier ist nichts, oder es ist nicht für Sie bestimmt.",
	"too many requests; wait a little and try again":                                       "Zu viele Anfragen; warten Sie etwas und versuchen Sie es dann wieder.",
	"everybody asks for their own quotes only":                                             "Um ein Zitat kann nur bitten, wer es schreibt.",
	"unknown circle %.40q for a field; use instance, company, partners or partner:<name>":  "Diesen Kreis gibt es nicht: %.40q. Wählen Sie, wer die Angabe sieht.",
	"there is no field %.40q; use %s":                                                      "Die Angabe %.40q gibt es nicht; möglich sind %s.",
	"nobody called %.100s is known; use a name such as ben or ben@host":                    "Niemand heißt %.100s; geben Sie einen Namen wie ben oder ben@host an.",
	"nobody is their own manager":                                                          "Niemand ist sich selbst vorgesetzt.",
	"the people of %s have no place in the directory here":                                 "Die Leute von %s gehören hier nicht in das Verzeichnis.",
	"%s has %d people in the directory already, and more than %d are not taken":            "%s hat schon %d Leute im Verzeichnis; mehr als %d werden nicht angenommen.",
	"this server may have more than before; say that it is meant":                          "Dieser Server darf dann mehr haben als bisher; sagen Sie, dass das gewollt ist.",
	"the server %s answers with the status %d":                                             "Der Server %s antwortet mit dem Status %d.",
	"say that you are sure: what is for them is taken back, and nothing more is exchanged": "Sagen Sie, dass Sie sicher sind: Was für sie ist, wird zurückgenommen, und nichts wird mehr ausgetauscht.",
	"say why: whoever reads the record later wants to know":                                "Sagen Sie, warum: Wer das Protokoll später liest, möchte es wissen.",
	"choose light, dark or what the system says":                                           "Wählen Sie hell, dunkel oder wie das System.",
	"this post waits to be sent; take it back before you change it":                        "Dieser Beitrag wartet darauf, gesendet zu werden; holen Sie ihn zurück, bevor Sie ihn ändern.",
	"you have %d drafts already; send or delete one first":                                 "Sie haben schon %d Entwürfe; senden oder löschen Sie zuerst einen.",
	"the draft is empty":                     "Der Entwurf ist leer.",
	"the draft is longer than %d characters": "Der Entwurf ist länger als %d Zeichen.",
	"this draft was sent or deleted meanwhile; send what you see here as a new post if you still want to":                  "Dieser Entwurf wurde inzwischen gesendet oder gelöscht; senden Sie, was Sie hier sehen, als neuen Beitrag, wenn Sie das noch möchten.",
	"choose a time at least 5 minutes from now, or send the post at once":                                                  "Wählen Sie eine Zeit, die mindestens 5 Minuten in der Zukunft liegt, oder senden Sie den Beitrag sofort.",
	"this post was sent or taken back meanwhile":                                                                           "Dieser Beitrag wurde inzwischen gesendet oder zurückgeholt.",
	"you have %d scheduled posts already; delete one first":                                                                "Sie haben schon %d geplante Beiträge; löschen Sie zuerst einen.",
	"you have %d posts scheduled for that day already; choose another one":                                                 "Für diesen Tag haben Sie schon %d Beiträge geplant; wählen Sie einen anderen.",
	"this post was changed meanwhile; look at it and send it again":                                                        "Dieser Beitrag wurde inzwischen geändert; sehen Sie ihn an und senden Sie ihn noch einmal.",
	"other people than before would see this post by now; look at it and send it again":                                    "Diesen Beitrag würden jetzt andere Leute sehen als vorher; sehen Sie ihn an und senden Sie ihn noch einmal.",
	"what this post answers or quotes is not there any more":                                                               "Was dieser Beitrag beantwortet oder zitiert, ist nicht mehr da.",
	"this post does not keep the rules of today any more; try to send it yourself to see why":                              "Dieser Beitrag hält die heutigen Regeln nicht mehr ein; senden Sie ihn selbst, um zu sehen, warum.",
	"the server was put back from a backup, and this post may have been sent before that: look, then send it or delete it": "Der Server wurde aus einer Sicherung wiederhergestellt, und dieser Beitrag ist vielleicht vorher gesendet worden: Sehen Sie nach, dann senden oder löschen Sie ihn.",
	"posts can be held back for 0, 10 or 30 seconds":                                                                       "Beiträge können 0, 10 oder 30 Sekunden zurückgehalten werden.",
	"write the day and the time, such as %s":                                                                               "Schreiben Sie Tag und Uhrzeit, zum Beispiel %s.",
	"a picture has no description; whoever cannot see it learns nothing of it":                                             "Ein Bild hat keine Beschreibung; wer es nicht sehen kann, erfährt nichts davon.",
	"this links to a post of %s that is not for all who will read yours (%s); they will find nothing there":                "Das verweist auf einen Beitrag von %s, der nicht für alle da ist, die Ihren lesen werden (%s); sie finden dort nichts.",
	"%s will not see this post; choose other readers, or send it all the same":                                             "%s wird diesen Beitrag nicht sehen; wählen Sie andere Leute, oder senden Sie ihn trotzdem.",
	"search for at most %d words at once":                                                                                  "Suchen Sie höchstens %d Wörter auf einmal.",
	"nobody and no group called %.100s is known; write a name such as ben or ben@host":                                     "Niemand und keine Community heißt %.100s; schreiben Sie einen Namen wie ben oder ben@host.",
	"%.100s is no day; write it such as 2026-03-31":                                                                        "%.100s ist kein Tag; schreiben Sie ihn etwa so: 31.3.2026.",
	"posts are found by has:file, has:poll and has:question, not by has:%.40s":                                             "Beiträge findet man mit hat:datei, hat:umfrage und hat:frage, nicht mit hat:%.40s.",
	"say that you are sure: what is given up does not arrive":                                                              "Bestätigen Sie es: Was aufgegeben wird, kommt nicht an.",
	"say that you are sure: what is for it is taken back, and nothing more is exchanged":                                   "Bestätigen Sie es: Was für ihn war, wird zurückgenommen, und nichts wird mehr ausgetauscht.",
	"this is no name of a server; write it such as social.example.org":                                                     "Das ist kein Name eines Servers; schreiben Sie ihn wie social.example.org.",
	"another administrator has to do that to you":                                                                          "Das muss jemand anders aus der Administration bei Ihnen tun.",
	"nobody has that name here":                                                                                            "So heißt hier niemand.",
	"the list needs a name":                                                                                                "Die Liste braucht einen Namen.",
	"at most %d lists; delete one first":                                                                                   "Höchstens %d Listen; löschen Sie erst eine.",
	"only people whom you follow can stand in a list":                                                                      "In einer Liste können nur Leute stehen, denen Sie folgen.",
	"this is not your present password":                                                                                    "Das ist nicht Ihr jetziges Passwort.",
	"choose a file":                                                                                                        "Wählen Sie eine Datei.",
	"this post was sent or deleted already":                                                                                "Dieser Beitrag wurde schon gesendet oder gelöscht.",
	outsideToo:                                                                                                             "Das können alle lesen, auch außerhalb der Firma, und niemand kann es sicher zurückholen. Veröffentlichen Sie es nach außen, oder wählen Sie weniger Leute.",
	partnerToo:                                                                                                             "%s Niemand kann es sicher zurückholen. Senden Sie es dem Partner, oder wählen Sie weniger Leute.",
	"sign in first":                                                                                                        "Melden Sie sich zuerst an.",
	"that is your own account":                                                                                             "Das ist Ihr eigenes Konto.",
	"the name %q does not fit: use 1 to 64 of a-z, 0-9, _, . and -, not beginning or ending with . or -":                   "Der Name %q passt nicht: 1 bis 64 Zeichen aus a–z, 0–9, _, . und -, nicht mit . oder - am Anfang oder Ende.",
	"this app may not publish that far; edit the post in the browser, or narrow who sees it":                               "Diese App darf nicht so weit veröffentlichen. Bearbeiten Sie den Beitrag im Browser, oder verkleinern Sie den Kreis.",
	"this app may publish only for: %s":                                                                                    "Diese App darf nur für diese Kreise veröffentlichen: %s",
	"the name %q is reserved":                                                                                              "Der Name %q ist vergeben.",
	"the name %s is taken; names are never given twice":                                                                    "Der Name %s ist vergeben; Namen werden nie zweimal vergeben.",
	"choose a name for signing in":                                                                                         "Wählen Sie einen Namen zum Anmelden.",
	"unknown role %q; use member, communications, moderator or admin":                                                      "Die Rolle %q gibt es nicht; möglich sind member, communications, moderator und admin.",
	"your role may not publish that far; choose a narrower circle, or ask your administrator":                              "Ihre Rolle darf nicht so weit veröffentlichen; wählen Sie einen kleineren Kreis, oder fragen Sie Ihre Administration.",
	"this post goes farther than your role may publish now; narrow who sees it, or delete it":                              "Dieser Beitrag geht weiter, als Ihre Rolle jetzt veröffentlichen darf; verkleinern Sie den Kreis, oder löschen Sie ihn.",
	"people of that server may not follow anybody here now; your administrator decides about that":                         "Leute von dort dürfen hier zurzeit niemandem folgen; darüber entscheidet Ihre Administration.",
	"the text about you is longer than %d characters":                                                                      "Der Text über Sie ist länger als %d Zeichen.",
	"at most %d profile fields":                                                                                            "Höchstens %d Zeilen im Profil.",
	"the picture is not one that you uploaded":                                                                             "Dieses Bild haben nicht Sie hochgeladen.",
	"the organisation needs a name":                                                                                        "Die Organisation braucht einen Namen.",
	"this instance is set up already; sign in":                                                                             "Dieser Server ist schon eingerichtet; melden Sie sich an.",
	"an account of this instance cannot come from outside":                                                                 "Ein Konto dieses Servers kann nicht von außen kommen.",
	"this account was deleted":                                                                                             "Dieses Konto wurde gelöscht.",
	"this account is gone":                                                                                                 "Dieses Konto gibt es nicht mehr.",
	"a report names %d posts at most":                                                                                      "Eine Meldung nennt höchstens %d Beiträge",
	"a community is deleted, not closed: its posts are its members'":                                                       "Eine Community wird gelöscht, nicht geschlossen: Ihre Beiträge gehören den Mitgliedern",
	"this account is closed":                                                                                               "Dieses Konto ist geschlossen.",
	"only members of this server leave here":                                                                               "Nur Mitglieder dieses Servers können hier gehen",
	"say why: the audit log keeps it":                                                                                      "Sagen Sie, warum: Das Protokoll bewahrt es auf",
	"type the username to delete the account":                                                                              "Tippen Sie den Benutzernamen ein, um das Konto zu löschen",
	"this account is suspended":                                                                                            "Dieses Konto ist gesperrt.",
	"unknown audience %q; use direct, followers, instance, company, partner:<name>, unlisted or public":                    "Diesen Kreis gibt es nicht: %q. Wählen Sie, wer den Beitrag sieht.",
	"unknown visibility %q; use public, unlisted, private or direct":                                                       "Diese Sichtbarkeit gibt es nicht: %q.",
	"unknown audience %.40q; use direct, followers, instance, company, partner:<name>, unlisted or public":                 "Diesen Kreis gibt es nicht: %.40q. Wählen Sie, wer den Beitrag sieht.",
	"unknown visibility %.40q; use public, unlisted, private or direct":                                                    "Diese Sichtbarkeit gibt es nicht: %.40q.",
	"the idempotency key is longer than 255 characters":                                                                    "Der Schlüssel ist länger als 255 Zeichen.",
	"the language is a code such as de, en or pt-BR":                                                                       "Die Sprache ist ein Kürzel wie de, en oder pt-BR.",
	"nobody is called @%s@%s":                                                                                              "Niemand heißt @%s@%s.",
	"no mail can be sent to this member; make a link and hand it over":                                                     "Diesem Mitglied lässt sich keine Mail schicken; machen Sie einen Link und geben Sie ihn weiter",
	"write your username or your mail address":                                                                             "Schreiben Sie Ihren Benutzernamen oder Ihre Mailadresse",
	"too many attempts; wait a quarter of an hour and try again":                                                           "Zu viele Versuche; warten Sie eine Viertelstunde und versuchen Sie es dann wieder.",
	"unknown join rule %.40q; use open, request or closed":                                                                 "Diese Beitrittsregel gibt es nicht: %.40q. Möglich sind open, request und closed.",
	"unknown widest zone %.40q; use instance, company, partner:<name> or public":                                           "Diesen weitesten Kreis gibt es nicht: %.40q.",
	"this community is closed; ask who runs it to add you":                                                                 "Diese Community ist geschlossen; bitten Sie die Leitung, Sie aufzunehmen.",
	"what you write in this community is public, which you may not choose here; write it to a narrower circle":             "Was Sie in dieser Community schreiben, ist öffentlich; das dürfen Sie hier nicht wählen. Schreiben Sie an einen engeren Kreis.",
	"this thread does not belong to the community; write a post of its own there":                                          "Diese Unterhaltung gehört nicht zur Community; schreiben Sie dort einen eigenen Beitrag.",
	"only an administrator makes a community for somebody else":                                                            "Nur die Administration legt eine Community für jemand anderen an.",
	"only people of this server run a community":                                                                           "Eine Community leiten kann nur, wer zu diesem Server gehört.",
	"only the owner of the community may do that":                                                                          "Das darf nur, wem die Community gehört.",
	"only the owner removes who runs the community, and hands it on first":                                                 "Wer die Community leitet, kann nur von der Person entfernt werden, der sie gehört; sie selbst gibt die Community vorher ab.",
	"a community may not reach that far here; choose a narrower circle, or ask your administrator":                         "So weit darf eine Community hier nicht reichen; wählen Sie einen engeren Kreis, oder fragen Sie Ihre Administration.",
	"the purpose is longer than %d characters":                                                                             "Der Zweck ist länger als %d Zeichen.",
	"the server %s is outside what this community is for":                                                                  "Der Server %s liegt außerhalb des weitesten Kreises dieser Community.",
	"a community can only become narrower: its members wrote for those whom it is for now":                                 "Der weiteste Kreis einer Community kann nur enger werden: Ihre Mitglieder haben für die geschrieben, die darin sind.",
	"type %s to close the community":                                                                                       "Tippen Sie %s ein, um die Community zu schließen.",
	"there is no group %q":                                                                                                 "Die Community %q gibt es nicht.",
	"you cannot follow this account":                                                                                       "Sie können diesem Konto nicht folgen.",
	"only own posts can be pinned, and no direct ones":                                                                     "Anheften lassen sich nur eigene Beiträge, die nicht nur an Genannte gehen.",
	"only what begins a conversation in a community can be pinned there":                                                   "In einer Community lässt sich nur anheften, was ein Gespräch beginnt.",
	"at most %d posts can be pinned":                                                                                       "Höchstens %d Beiträge können angeheftet sein.",
	"this post is for known readers only and cannot be shared":                                                             "Dieser Beitrag ist nur für bestimmte Leute und lässt sich nicht teilen.",
	"you cannot vote in your own poll":                                                                                     "In der eigenen Umfrage können Sie nicht abstimmen.",
	"you have voted in this poll already":                                                                                  "Sie haben in dieser Umfrage schon abgestimmt.",
	"this poll is closed":                                                                                                  "Diese Umfrage ist beendet.",
	"choose one answer":                                                                                                    "Wählen Sie eine Antwort.",
	"there is no such answer":                                                                                              "Diese Antwort gibt es nicht.",
	"the upload broke off; try again":                                                                                      "Das Hochladen brach ab; versuchen Sie es noch einmal.",
	"the file is larger than %d MiB":                                                                                       "Die Datei ist größer als %d MiB.",
	"unknown zone %q; use company, partner:<name>, public or blocked":                                                      "Diese Vertrauensstufe gibt es nicht: %q.",
	"%s is this instance itself":                                                                                           "%s ist dieser Server selbst.",
	"the quoted post and this thread have different readers; quote it in a post of its own":                                "Der zitierte Beitrag und diese Unterhaltung haben verschiedene Leser; zitieren Sie ihn in einem eigenen Beitrag.",
	"the post is empty; write something or add a file":                                                                     "Der Beitrag ist leer; schreiben Sie etwas oder hängen Sie eine Datei an.",
	"the post is longer than %d characters":                                                                                "Der Beitrag ist länger als %d Zeichen.",
	"at most %d files with a post":                                                                                         "Höchstens %d Dateien an einem Beitrag.",
	"a post has files or a poll, not both":                                                                                 "Ein Beitrag hat Dateien oder eine Umfrage, nicht beides.",
	"the idempotency key or the language is too long":                                                                      "Der Schlüssel oder die Sprachangabe ist zu lang.",
	"a poll has 2 to %d answers":                                                                                           "Eine Umfrage hat 2 bis %d Antworten.",
	"each answer of a poll needs a text of its own, at most %d characters":                                                 "Jede Antwort einer Umfrage braucht einen eigenen Text, höchstens %d Zeichen.",
	"a poll is open for 5 minutes to 31 days":                                                                              "Eine Umfrage ist 5 Minuten bis 31 Tage offen.",
	"a file is not there any more; upload it again":                                                                        "Eine Datei ist nicht mehr da; laden Sie sie noch einmal hoch.",
	"a boost cannot be edited":                                                                                             "Geteiltes lässt sich nicht bearbeiten.",
	"an edit can only narrow who sees a post, never widen it":                                                              "Beim Bearbeiten kann der Kreis nur kleiner werden, nie größer.",
	"a token needs scopes; use some of %s":                                                                                 "Ein Token braucht Rechte: %s.",
	"unknown scope %.60q; use some of %s":                                                                                  "Das Recht %.60q gibt es nicht; möglich sind %s.",
	"the name or the password is wrong":                                                                                    "Name oder Passwort stimmt nicht.",
	"the session has ended; sign in again":                                                                                 "Die Sitzung ist zu Ende; melden Sie sich neu an.",
	"this link was used or has expired; ask for a new one":                                                                 "Dieser Link wurde benutzt oder ist abgelaufen; bitten Sie um einen neuen.",
	"a password has %d to %d characters":                                                                                   "Ein Passwort hat %d bis %d Zeichen.",
	"too many sign-ins at once; try again":                                                                                 "Zu viele Anmeldungen zugleich; versuchen Sie es noch einmal.",
	"the access token is invalid":                                                                                          "Das Zugangs-Token gilt nicht.",
	"this form was sent from another site; open it here and send it again":                                                 "Dieses Formular kam von einer anderen Seite; öffnen Sie es hier und senden Sie es noch einmal.",
	"the form cannot be read; open it again":                                                                               "Das Formular lässt sich nicht lesen; öffnen Sie es neu.",
	"choose one of those that are offered":                                                                                 "Wählen Sie etwas von dem, was angeboten wird.",
	"a community is chosen for each post":                                                                                  "Eine Community wird für jeden Beitrag eigens gewählt.",
	"a line has both: what it is about, and what you say; or leave both empty":                                             "Zu einer Zeile gehört beides: wovon sie handelt und was Sie sagen; oder lassen Sie beides leer.",
	"choose de or en": "Wählen Sie Deutsch oder English.",
	"only its members write into a community, and only its own server hands that on":                             "In eine Community schreiben nur ihre Mitglieder, und nur ihr eigener Server gibt es weiter.",
	"this kind of file is not accepted; use JPEG, PNG, GIF or WebP pictures, PDF, office documents, text or zip": "Diese Art von Datei wird nicht angenommen; möglich sind Bilder (JPEG, PNG, GIF, WebP), PDF, Office-Dokumente, Text und Zip.",
	"the picture has more than %d million pixels; make it smaller":                                               "Das Bild ist zu groß; verkleinern Sie es.",
	"the picture cannot be read; save it again as JPEG or PNG":                                                   "Das Bild lässt sich nicht lesen; speichern Sie es neu als JPEG oder PNG.",
	"the server %s is not admitted here; ask the administrator":                                                  "Der Server %s ist hier nicht zugelassen; fragen Sie Ihre Administration.",
	"the server %s is not admitted here":                                                                         "Der Server %s ist hier nicht zugelassen.",
	"the server %s cannot be reached":                                                                            "Der Server %s ist nicht zu erreichen.",
	"the server %s does not answer as expected":                                                                  "Der Server %s antwortet nicht wie erwartet.",

	"replies_policy is followed, list or none":       "replies_policy ist followed, list oder none",
	"only people whom you follow can be recommended": "Nur Leute, denen Sie folgen, lassen sich empfehlen",
	"name a hashtag": "Nennen Sie einen Hashtag",
	"at most %d hashtags; take one away first":                         "Höchstens %d Hashtags; nehmen Sie zuerst einen weg",
	"that is this server; you can mute or block its people one by one": "Das ist dieser Server; seine Leute können Sie einzeln stummschalten oder sperren",
	"at most %d servers; take one from the list first":                 "Höchstens %d Server; nehmen Sie zuerst einen von der Liste",
}

// plain has the English of those errors whose own text is for programs and
// administrators, in the words of the pages.
var plain = map[string]string{
	"unknown circle %.40q for a field; use instance, company, partners or partner:<name>":                  "That cannot be chosen; choose who sees it.",
	"unknown widest zone %.40q; use instance, company, partner:<name> or public":                           "A community cannot reach that; choose whom it is for.",
	"unknown audience %.40q; use direct, followers, instance, company, partner:<name>, unlisted or public": "That cannot be chosen; choose who sees the post.",
	"unknown visibility %.40q; use public, unlisted, private or direct":                                    "That cannot be chosen; choose who sees the post.",
	"a boost cannot be edited":                                        "What you shared cannot be edited.",
	"this instance is set up already; sign in":                        "This server is set up already; sign in.",
	"an account of this instance cannot come from outside":            "An account of this server cannot come from outside.",
	"unknown zone %q; use company, partner:<name>, public or blocked": "That level of trust does not exist.",
	"%s is this instance itself":                                      "That is this server itself.",
}

const (
	faultEnglish = "Something went wrong here. It is not your doing; try again in a moment."
	faultGerman  = "Hier ist etwas schiefgegangen. Es liegt nicht an Ihnen; versuchen Sie es gleich noch einmal."
)

// say tells an error in the page's language. What has no German text is said in
// English: better than nothing.
func (f *frame) say(err error) string {
	var e *social.Error
	fault := !errors.As(err, &e) || e.Kind == social.Internal || e.Public == ""
	switch {
	case fault && f.Language == "de":
		return faultGerman
	case fault:
		return faultEnglish
	case f.Language != "de" && e.Kind == social.NotFound && e.Public == social.NotFoundError().Public:
		return "There is nothing here, or it is not meant for you."
	}
	key := e.Format
	if key == "" {
		key = e.Public
	}
	if f.Language != "de" {
		return cmp.Or(plain[key], sentence(serve.Public(err)))
	}
	text, ok := german[key]
	if !ok {
		return sentence(serve.Public(err))
	}
	if len(e.Args) == 0 {
		return text
	}
	return fmt.Sprintf(text, e.Args...)
}

// sentence makes an error's text begin and end as one.
func sentence(s string) string {
	s = capital(s)
	if s != "" && s[len(s)-1] != '.' {
		s += "."
	}
	return s
}
