package web

import (
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/social"
)

// words are all texts of the pages: English, then German. A test holds both
// complete against the templates and the code.
var words = map[string][2]string{
	// Around every page
	"skip":      {"Skip to the content", "Zum Inhalt springen"},
	"main_nav":  {"Main", "Hauptnavigation"},
	"account":   {"Your account", "Ihr Konto"},
	"home":      {"Home", "Start"},
	"all_posts": {"All posts", "Alle Beiträge"},
	"find":      {"Find people", "Leute finden"}, "find_submit": {"Find", "Suchen"},
	"notifications": {"Notifications", "Mitteilungen"},
	"bookmarks":     {"Bookmarks", "Gemerkt"},
	"settings":      {"Settings", "Einstellungen"},
	"sign_in":       {"Sign in", "Anmelden"}, "sign_out": {"Sign out", "Abmelden"},
	"unread":    {"%d unread", "%d ungelesen"},
	"trial":     {"Trial: no other server can reach you.", "Probebetrieb: Kein anderer Server kann Sie erreichen."},
	"trial_how": {"Next step: stop the server, give it its domain with", "Nächster Schritt: den Server anhalten und ihm eine Domain geben mit"},

	"delivered_to":    {"Delivered to", "Angekommen bei"},
	"arrived":         {"has it", "hat ihn"},
	"arrives_later":   {"not yet; it is tried again", "noch nicht; es wird wieder versucht"},
	"arrives_held":    {"held back by your administrator", "von Ihrer Administration zurückgehalten"},
	"arrival_refused": {"was refused there", "wurde dort abgelehnt"},
	"arrival_dropped": {"was given up", "wurde aufgegeben"},

	// Errors
	"error":     {"That did not work", "Das hat nicht geklappt"},
	"back_home": {"Back to the start", "Zurück zum Start"}, "try_again": {"Try again", "Noch einmal versuchen"},
	"request_id":   {"If it stays, tell your administrator this number:", "Wenn es so bleibt, nennen Sie Ihrer Administration diese Nummer:"},
	"check_form":   {"Please check the marked field.", "Bitte prüfen Sie das markierte Feld."},
	"form_address": {"This is the address of a form and cannot be opened by itself.", "Das ist die Adresse eines Formulars; allein lässt sie sich nicht öffnen."},

	// Setup, sign-in, passwords
	"welcome":         {"Welcome to Parley", "Willkommen bei Parley"},
	"not_set_up":      {"This server is not set up yet.", "Dieser Server ist noch nicht eingerichtet."},
	"not_set_up_how":  {"Open the one-time link that the command parley serve printed. To get a new one, run:", "Öffnen Sie den einmaligen Link, den der Befehl parley serve ausgegeben hat. Einen neuen gibt es mit:"},
	"setup":           {"Set up this server", "Diesen Server einrichten"},
	"become_admin":    {"You become the administrator.", "Sie werden Administratorin oder Administrator."},
	"setup_intro":     {"One minute, then you can write the first post.", "Eine Minute, dann können Sie den ersten Beitrag schreiben."},
	"organisation":    {"Your organisation", "Ihre Organisation"},
	"group":           {"Your group of companies", "Ihre Firmengruppe"},
	"group_hint":      {"May stay empty. People read it when they choose who sees a post.", "Kann leer bleiben. Man liest den Namen bei der Wahl, wer einen Beitrag sieht."},
	"username":        {"Name for signing in", "Name zum Anmelden"},
	"username_hint":   {"Letters a to z, digits, _ . and -. It is part of your address and stays for ever.", "Buchstaben a bis z, Ziffern, _ . und -. Er ist Teil Ihrer Adresse und bleibt für immer."},
	"your_name":       {"Your name, as others see it", "Ihr Name, wie andere ihn sehen"},
	"name_or_mail":    {"Name or mail address", "Name oder Mail-Adresse"},
	"password":        {"Password", "Passwort"},
	"password_hint":   {"At least 10 characters.", "Mindestens 10 Zeichen."},
	"finish_setup":    {"Set up", "Einrichten"},
	"set_up":          {"All set. Write a first post, or find people to follow.", "Fertig. Schreiben Sie einen ersten Beitrag oder finden Sie Leute, denen Sie folgen möchten."},
	"forgot":          {"Password forgotten? Ask your administrator for a one-time link.", "Passwort vergessen? Bitten Sie Ihre Administration um einen einmaligen Link."},
	"signed_out":      {"You are signed out.", "Sie sind abgemeldet."},
	"new_password":    {"Choose a password", "Passwort wählen"},
	"save_password":   {"Save the password", "Passwort speichern"},
	"password_set":    {"The password is saved. Sign in with it.", "Das Passwort ist gespeichert. Melden Sie sich damit an."},
	"dead_link":       {"This link works no more", "Dieser Link gilt nicht mehr"},
	"dead_reset":      {"It was used already or has expired. Ask your administrator for a new one (parley account reset-link NAME).", "Er wurde schon benutzt oder ist abgelaufen. Bitten Sie Ihre Administration um einen neuen (parley account reset-link NAME)."},
	"dead_setup":      {"It was used already, has expired, or a newer one was made. Run parley setup-link on the server for a new one.", "Er wurde schon benutzt, ist abgelaufen, oder es gibt einen neueren. Rufen Sie auf dem Server parley setup-link auf, um einen neuen zu bekommen."},
	"dead_setup_done": {"This server is set up already. Sign in; who has no password asks for parley account reset-link NAME.", "Dieser Server ist schon eingerichtet. Melden Sie sich an; wer kein Passwort hat, bittet um parley account reset-link NAME."},

	"organisation_hint":  {"The company or department this server is for.", "Die Firma oder Abteilung, für die dieser Server da ist."},
	"new_password_intro": {"With it you sign in from now on. Everywhere else you are signed out.", "Damit melden Sie sich ab jetzt an. Überall sonst werden Sie abgemeldet."},

	// Lists of posts
	"all_posts_intro":  {"What was written to more than followers, here and at connected companies.", "Was nicht nur an Folgende geschrieben wurde, hier und in verbundenen Firmen."},
	"company":          {"Company", "Firma"},
	"company_intro":    {"What was written for the whole group, at every company of it.", "Was für die ganze Gruppe geschrieben wurde, in jeder ihrer Firmen."},
	"company_empty":    {"Nothing was written for the whole group yet. Be the first.", "Für die ganze Gruppe hat noch niemand etwas geschrieben. Machen Sie den Anfang."},
	"public_posts":     {"Public posts", "Öffentliche Beiträge"},
	"signed_out_intro": {"Sign in to see what is meant for you.", "Melden Sie sich an, um zu sehen, was für Sie bestimmt ist."},
	"signed_out_empty": {"No public posts. Sign in to see what is meant for you.", "Keine öffentlichen Beiträge. Melden Sie sich an, um zu sehen, was für Sie bestimmt ist."},
	"home_empty":       {"Nothing here yet. Find colleagues and follow them: what they write stands here.", "Noch nichts hier. Finden Sie Kolleginnen und Kollegen und folgen Sie ihnen: Was sie schreiben, steht dann hier."},
	"public_empty":     {"Nobody has written anything yet. Be the first.", "Noch hat niemand etwas geschrieben. Machen Sie den Anfang."},
	"tag_empty":        {"No posts with this hashtag. Use it in one of yours.", "Keine Beiträge mit diesem Schlagwort. Verwenden Sie es in einem eigenen."},
	"bookmarks_empty":  {"Nothing bookmarked. Choose “Bookmark” under a post to find it again here.", "Nichts gemerkt. Wählen Sie „Merken“ unter einem Beitrag, um ihn hier wiederzufinden."},
	"go_on":            {"Go on", "Weiter"},
	"older":            {"Older", "Ältere"},
	"hashtag":          {"Hashtag", "Schlagwort"},

	// Communities
	"groups":             {"Communities", "Communitys"},
	"groups_intro":       {"What belongs together across departments and companies: one place, its own readers.", "Was über Abteilungen und Firmen hinweg zusammengehört: ein Ort, ein eigener Leserkreis."},
	"groups_empty":       {"There is no community yet. Make the first.", "Es gibt noch keine Community. Legen Sie die erste an."},
	"new_group":          {"New community", "Neue Community"},
	"new_group_intro":    {"You own it and decide with those whom you ask to help.", "Sie gehört Ihnen; Sie entscheiden, auch zusammen mit anderen."},
	"make_group":         {"Make the community", "Community anlegen"},
	"group_name":         {"Name, as others see it", "Name, wie andere ihn sehen"},
	"group_address":      {"Address", "Adresse"},
	"group_widest":       {"Who may join at all?", "Wer darf überhaupt beitreten?"},
	"group_widest_hint":  {"Can become narrower later, never wider. An open community for everybody is public.", "Kann später enger werden, nie weiter. Eine offene Community für alle ist öffentlich."},
	"group_for":          {"For: %s", "Für: %s"},
	"purpose":            {"What is it for?", "Wofür ist sie da?"},
	"join_rule":          {"How does one become a member?", "Wie wird man Mitglied?"},
	"join_open":          {"Whoever wants to joins", "Wer möchte, tritt bei"},
	"join_request":       {"On request", "Auf Anfrage"},
	"join_closed":        {"By invitation only; nobody else sees it", "Nur auf Einladung; niemand sonst sieht sie"},
	"join_group":         {"Join", "Beitreten"},
	"leave_group":        {"Leave", "Verlassen"},
	"edit_group":         {"Change the community", "Community ändern"},
	"about_group":        {"About this community", "Über diese Community"},
	"back_to_group":      {"Back to the community", "Zurück zur Community"},
	"group_empty":        {"Nothing here yet. Write the first post.", "Noch nichts hier. Schreiben Sie den ersten Beitrag."},
	"group_members_only": {"Only members read what is written here.", "Nur Mitglieder lesen, was hier geschrieben wird."},
	"owned_by":           {"Run by", "Geleitet von"},
	"you_own":            {"yours", "Ihre"},
	"you_run":            {"you help to run it", "Sie leiten mit"},
	"you_belong":         {"you are a member", "Sie sind Mitglied"},
	"members":            {"Members", "Mitglieder"},
	"members_of":         {"Members of %s", "Mitglieder von %s"},
	"asking":             {"Want to join", "Möchten beitreten"},
	"take_in":            {"Take in", "Aufnehmen"},
	"turn_down":          {"Turn down", "Ablehnen"},
	"remove_member":      {"Remove", "Entfernen"},
	"role_owner":         {"owner", "Leitung"},
	"role_moderator":     {"moderator", "Moderation"},
	"joined":             {"You are a member now.", "Sie sind jetzt Mitglied."},
	"asked_to_join":      {"You asked to join; those who run the community decide.", "Sie haben angefragt; wer die Community leitet, entscheidet."},
	"left":               {"You are no member any more.", "Sie sind kein Mitglied mehr."},
	"is_asked":           {"has somebody who wants to join", "hat eine Beitrittsanfrage"},
	"via":                {"as told by %s", "mitgeteilt von %s"},

	// Composer
	"write":            {"What would you like to share?", "Was möchten Sie teilen?"},
	"your_reply":       {"Your reply", "Ihre Antwort"},
	"reply_to":         {"Reply to %s", "Antwort an %s"},
	"new_post":         {"New post", "Neuer Beitrag"},
	"who_sees":         {"Who sees this?", "Wer sieht das?"},
	"publish":          {"Publish", "Veröffentlichen"},
	"more":             {"File, poll, content warning", "Datei, Umfrage, Inhaltswarnung"},
	"file":             {"File", "Datei"},
	"file_kept":        {"Attached: %s", "Angehängt: %s"},
	"description":      {"Description of the file", "Beschreibung der Datei"},
	"description_hint": {"What is on the picture? For everybody who cannot see it.", "Was ist auf dem Bild? Für alle, die es nicht sehen können."},
	"poll":             {"Poll", "Umfrage"},
	"poll_hint":        {"One answer per line. Open for three days.", "Eine Antwort je Zeile. Drei Tage offen."},
	"warning":          {"Content warning", "Inhaltswarnung"},
	"warning_hint":     {"The text is hidden behind it until somebody opens it.", "Der Text ist dahinter verborgen, bis jemand ihn öffnet."},
	"published":        {"Published.", "Veröffentlicht."},
	"clamped":          {"Published for fewer people than you chose: a reply reaches at most those who see what it answers, and your role may have a limit.", "Für weniger Leute veröffentlicht als gewählt: Eine Antwort erreicht höchstens, wer das Beantwortete sieht, und Ihre Rolle kann eine Grenze haben."},

	// A post
	"thread":    {"Conversation", "Unterhaltung"},
	"post_by":   {"Post by %s", "Beitrag von %s"},
	"reply":     {"Reply", "Antworten"},
	"like":      {"Like", "Gefällt mir"},
	"share":     {"Share", "Teilen"},
	"bookmark":  {"Bookmark", "Merken"},
	"edit":      {"Edit", "Bearbeiten"},
	"delete":    {"Delete", "Löschen"},
	"shared_by": {"Shared by", "Geteilt von"}, "edited": {"edited", "bearbeitet"},
	"late":        {"arrived late", "verspätet angekommen"},
	"sensitive":   {"Sensitive content", "Heikler Inhalt"},
	"quoted":      {"Quoted from %s", "Zitat von %s"},
	"picture":     {"Picture without a description", "Bild ohne Beschreibung"},
	"elsewhere":   {"%s (opens %s)", "%s (öffnet %s)"},
	"vote":        {"Vote", "Abstimmen"},
	"your_vote":   {"your vote", "Ihre Stimme"},
	"poll_closed": {"This poll is closed.", "Diese Umfrage ist beendet."},
	"poll_until":  {"Open until %s", "Offen bis %s"},
	"text":        {"Text", "Text"},
	"edit_post":   {"Edit the post", "Beitrag bearbeiten"},
	"edit_intro":  {"Seen by: %s. Everybody who has the post gets the change; earlier versions stay visible.", "Sichtbar für: %s. Alle, die den Beitrag haben, bekommen die Änderung; frühere Fassungen bleiben sichtbar."},
	"save":        {"Save", "Speichern"}, "saved": {"Saved.", "Gespeichert."},
	"delete_post":    {"Delete this post?", "Diesen Beitrag löschen?"},
	"delete_warning": {"It cannot be brought back. Other servers that have it are asked to delete it too.", "Er lässt sich nicht zurückholen. Andere Server, die ihn haben, werden gebeten, ihn auch zu löschen."},
	"delete_now":     {"Delete for ever", "Endgültig löschen"},
	"keep":           {"Keep it", "Behalten"},
	"deleted":        {"The post is deleted.", "Der Beitrag ist gelöscht."},

	// People
	"follow": {"Follow", "Folgen"}, "unfollow": {"Unfollow", "Nicht mehr folgen"}, "withdraw": {"Withdraw the request", "Anfrage zurückziehen"},
	"you_follow":  {"You follow", "Sie folgen"},
	"requested":   {"Asked; no answer yet", "Angefragt; noch keine Antwort"},
	"follows_you": {"Follows you", "Folgt Ihnen"},
	"that_is_you": {"That is you", "Das sind Sie"},
	"followed":    {"You follow now. Earlier posts arrive within seconds: reload the page in a moment.", "Sie folgen jetzt. Frühere Beiträge kommen in wenigen Sekunden: Laden Sie die Seite gleich neu."},
	"asked":       {"The request to follow is on its way; the other side has to accept it.", "Die Anfrage ist unterwegs; die andere Seite muss sie annehmen."},
	"accept":      {"Accept", "Annehmen"}, "reject": {"Reject", "Ablehnen"},
	"accepts_by_hand":      {"decides who may follow", "entscheidet, wer folgen darf"},
	"posts":                {"Posts", "Beiträge"},
	"profile_empty":        {"No posts that you may see.", "Keine Beiträge, die Sie sehen dürfen."},
	"profile_empty_remote": {"No posts known here yet. Follow to get the latest ones.", "Hier sind noch keine Beiträge bekannt. Folgen Sie, um die neuesten zu bekommen."},
	"find_label":           {"Name or address", "Name oder Adresse"},
	"find_hint":            {"A name, @name@host on another server, a #hashtag, or the address of a post.", "Ein Name, @name@host auf einem anderen Server, ein #Schlagwort oder die Adresse eines Beitrags."},
	"find_none":            {"Nothing found.", "Nichts gefunden."},
	"find_none_how":        {"Check the spelling. People on another server are found by their whole address, such as @name@host, once both servers have admitted each other.", "Prüfen Sie die Schreibweise. Leute auf einem anderen Server findet man über ihre ganze Adresse, etwa @name@host, sobald beide Server einander zugelassen haben."},
	"find_failed":          {"The search could not be done.", "Die Suche ging nicht."},
	"found_people":         {"People", "Leute"}, "found_tags": {"Hashtags", "Schlagwörter"},
	"about_you": {"About you", "Über Sie"}, "about_hint": {"What you do, what others may ask you.", "Was Sie tun, wozu man Sie fragen kann."},
	"language":     {"Language", "Sprache"},
	"hide_network": {"Hide whom I follow and who follows me", "Verbergen, wem ich folge und wer mir folgt"}, "hide_network_hint": {"Others see how many, not who.", "Andere sehen, wie viele es sind, nicht wer."},
	"locked": {"I decide who follows me", "Ich entscheide, wer mir folgt"}, "locked_hint": {"New followers wait until you accept them.", "Neue Folgende warten, bis Sie sie annehmen."},
	"follow_requests":       {"Requests to follow you", "Anfragen, Ihnen zu folgen"},
	"follow_requests_empty": {"Nobody is waiting for an answer.", "Niemand wartet auf eine Antwort."},

	// Servers that want to connect, for administrators
	"connect":          {"Servers that want to connect", "Server, die sich verbinden möchten"},
	"connect_nav":      {"Connections", "Verbindungen"},
	"connect_intro":    {"Nothing is exchanged with a server before you admit it. Companies of your group join by an invitation code.", "Mit einem Server wird nichts ausgetauscht, bevor Sie ihn zulassen. Firmen Ihrer Gruppe kommen mit einem Einladungscode dazu."},
	"connect_empty":    {"No server is waiting. When one that nobody knows here tries to reach you, it stands here.", "Kein Server wartet. Wenn einer, den hier niemand kennt, Sie erreichen möchte, steht er hier."},
	"connect_who":      {"who: %s", "wer: %s"},
	"connect_wanted":   {"wanted: %s", "wollte zu: %s"},
	"connect_since":    {"since %s", "seit %s"},
	"connect_level":    {"Admit as", "Zulassen als"},
	"level_public":     {"Anybody outside, who gets what is public", "Irgendjemand außerhalb, der Öffentliches bekommt"},
	"level_partner":    {"Business partner, who also gets what is written for them", "Geschäftspartner, die auch bekommen, was für sie geschrieben wird"},
	"partner_short":    {"Short name of the partner, for example acme", "Kurzname des Partners, zum Beispiel acme"},
	"partner_wrong":    {"A partner needs a short name of a to z, digits and hyphens.", "Ein Partner braucht einen Kurznamen aus a bis z, Ziffern und Bindestrichen."},
	"admit":            {"Admit", "Zulassen"},
	"block":            {"Block", "Sperren"},
	"connect_admitted": {"The server is admitted. It can try again now.", "Der Server ist zugelassen. Er kann es jetzt wieder versuchen."},
	"connect_blocked":  {"The server is blocked, with all below its name.", "Der Server ist gesperrt, mit allen unter seinem Namen."},

	// The directory
	"directory":          {"Colleagues", "Kollegium"},
	"directory_label":    {"Name, department, title, skill or place", "Name, Abteilung, Funktion, Kenntnis oder Ort"},
	"directory_hint":     {"The beginnings of words are enough, also for people at the other companies.", "Wortanfänge genügen, auch für Leute in den anderen Firmen."},
	"directory_none":     {"Nobody found. Try fewer or shorter words.", "Niemand gefunden. Versuchen Sie es mit weniger oder kürzeren Wörtern."},
	"directory_empty":    {"Nobody stands here yet.", "Hier steht noch niemand."},
	"directory_more":     {"More", "Mehr"},
	"reports_to":         {"Reports to", "Vorgesetzt:"},
	"entry":              {"Your own entry", "Ihr eigener Eintrag"},
	"entry_intro":        {"So colleagues find you. Beyond your company goes only what the company shows there too.", "So finden Kolleginnen und Kollegen Sie. Über Ihre Firma hinaus geht nur, was auch die Firma dort zeigt."},
	"entry_name":         {"Name", "Name"},
	"entry_department":   {"Department", "Abteilung"},
	"entry_title":        {"Title", "Funktion"},
	"entry_manager":      {"Manager", "Vorgesetzte Person"},
	"entry_manager_hint": {"A name, or name@host at another company.", "Ein Name, oder name@host in einer anderen Firma."},
	"entry_skills":       {"Skills", "Kenntnisse"},
	"entry_languages":    {"Languages", "Sprachen"},
	"entry_list_hint":    {"Separated by commas.", "Durch Kommas getrennt."},
	"entry_location":     {"Place", "Ort"},
	"entry_pronouns":     {"Pronouns", "Pronomen"},
	"entry_photo":        {"Photo", "Foto"},
	"entry_shown":        {"%s: who sees this?", "%s: Wer sieht das?"},
	"entry_partners":     {"Our group and all partners", "Unsere Gruppe und alle Partner"},
	"entry_unconfirmed":  {"being checked: the connection there was interrupted", "wird geprüft: die Verbindung dorthin war unterbrochen"},
	"entry_stale":        {"may be out of date: nothing was heard from there for a week", "vielleicht veraltet: von dort war seit einer Woche nichts zu hören"},

	// Notifications
	"notifications_empty": {"Nothing new. When somebody answers, follows or likes, it stands here.", "Nichts Neues. Wenn jemand antwortet, folgt oder etwas gefällt, steht es hier."},
	"new":                 {"new", "neu"},
	"mention":             {"mentioned you", "hat Sie erwähnt"}, "answered": {"answered you", "hat Ihnen geantwortet"}, "favourite": {"likes your post", "gefällt Ihr Beitrag"}, "reblog": {"shared your post", "hat Ihren Beitrag geteilt"},
	"follow_request": {"wants to follow you", "möchte Ihnen folgen"}, "now_follows": {"follows you now", "folgt Ihnen jetzt"},
	"update":     {"edited a post that you shared", "hat einen Beitrag bearbeitet, den Sie geteilt haben"},
	"poll_ended": {"A poll has ended", "Eine Umfrage ist beendet"}, "admin.report": {"reported something", "hat etwas gemeldet"},
	"show_post": {"Show the post", "Beitrag zeigen"},

	// Who sees a post: the words of the design, with names from the setup
	"aud_direct": {"Only the people named", "Nur die Genannten"}, "aud_followers": {"My followers", "Nur wer mir folgt"},
	"aud_their_followers": {"Followers of %s", "Wer %s folgt"}, "aud_some_followers": {"Followers only", "Nur Folgende"},
	"aud_instance": {"Only %s", "Nur %s"},
	"aud_company":  {"Whole %s", "Ganze %s"}, "our_group": {"company", "Firma"},
	"aud_partner": {"Our group and %s", "Unsere Gruppe und %s"},
	"aud_public":  {"Public, outside the company too", "Öffentlich, auch außerhalb"}, "aud_unlisted": {"Public, outside the company too (quiet)", "Öffentlich, auch außerhalb (leise)"},
	"aud_group": {"Community %s", "Community %s"}, "aud_group_public": {"Community %s, public", "Community %s, öffentlich"}, "aud_foreign": {"Shared with us by %s", "Mit uns geteilt von %s"},
}

// counted are texts with a number: English one and many, German one and many.
var counted = map[string][4]string{
	"companies":     {"%d company", "%d companies", "%d Firma", "%d Firmen"},
	"servers":       {"%d server", "%d servers", "%d Server", "%d Server"},
	"votes":         {"%d vote", "%d votes", "%d Stimme", "%d Stimmen"},
	"voters":        {"%d person voted", "%d people voted", "%d Person hat abgestimmt", "%d Personen haben abgestimmt"},
	"followers":     {"%d follower", "%d followers", "%d folgt", "%d folgen"},
	"following":     {"follows %d", "follows %d", "folgt %d", "folgt %d"},
	"reply_count":   {"%d reply", "%d replies", "%d Antwort", "%d Antworten"},
	"tries":         {"%d try", "%d tries", "%d Versuch", "%d Versuche"},
	"servers_wait":  {"%d server is waiting", "%d servers are waiting", "%d Server wartet", "%d Server warten"},
	"join_requests": {"%d asks to join", "%d ask to join", "%d möchte beitreten", "%d möchten beitreten"},
	"requests_wait": {"%d request to follow you", "%d requests to follow you", "%d Anfrage, Ihnen zu folgen", "%d Anfragen, Ihnen zu folgen"},
}

// notices are the texts that an address may ask for with ?done=.
var notices = map[string]bool{"published": true, "clamped": true, "saved": true, "deleted": true, "followed": true, "asked": true, "joined": true, "asked_to_join": true, "left": true,
	"connect_admitted": true, "connect_blocked": true, "signed_out": true, "password_set": true, "set_up": true}

// T is the text of a key in the page's language, its places filled.
func (f *frame) T(key string, args ...any) string {
	w, ok := words[key]
	if !ok {
		return key
	}
	text := w[0]
	if f.Language == "de" {
		text = w[1]
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// N is a text with a number in it.
func (f *frame) N(key string, n int) string {
	i := 0
	if f.Language == "de" {
		i = 2
	}
	if n != 1 {
		i++
	}
	return fmt.Sprintf(counted[key][i], n)
}

// Choice says in words whom an audience reaches.
func (f *frame) Choice(c social.Choice) string {
	text := f.audience(c.Kind, c.Name)
	switch {
	case c.Group != nil:
		text = f.T("aud_group", c.Group.Name())
	case c.Kind == social.AudienceCompany && c.Peers > 0:
		text += " (" + f.N("companies", c.Peers+1) + ")"
	case c.Kind == social.AudiencePartner, c.Peers > 0 && (c.Kind == social.AudiencePublic || c.Kind == social.AudienceUnlisted):
		text += " (" + f.N("servers", c.Peers+1) + ")"
	}
	return text
}

// Who says in words who sees a post.
func (f *frame) Who(p *social.Post, author *social.Account) string {
	a := p.Audience
	switch a.Kind {
	case social.AudienceFollowers:
		switch {
		case f.Me != nil && a.Name == f.Me.URI:
			return f.T("aud_followers")
		case a.Name == author.URI:
			return f.T("aud_their_followers", author.Name())
		}
		return f.T("aud_some_followers")
	case social.AudienceInstance, social.AudienceCompany, social.AudiencePartner, social.AudienceGroup:
		if a.Owner != f.home && f.zone(a.Owner) != social.ZoneCompany {
			return f.T("aud_foreign", a.Owner) // their group is not ours
		}
	}
	return f.audience(a.Kind, a.Name)
}

func (f *frame) audience(kind social.AudienceKind, name string) string {
	switch kind {
	case social.AudienceInstance:
		return f.T("aud_instance", f.Org.Name)
	case social.AudienceCompany:
		if f.Org.Group == "" {
			return f.T("aud_company", f.T("our_group"))
		}
		return f.T("aud_company", f.Org.Group)
	case social.AudiencePartner:
		return f.T("aud_partner", f.Org.Partner(name))
	case social.AudienceGroup:
		return f.T("aud_group", name)
	}
	return f.T("aud_" + string(kind))
}

// capital begins a sentence as one.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// When is a moment in the page's language and the server's time zone.
func (f *frame) When(t time.Time) string {
	t = t.In(f.now.Location())
	if f.Language == "de" {
		return t.Format("02.01.2006, 15:04")
	}
	return t.Format("2 Jan 2006, 15:04")
}

// Does says what a notification tells.
func (f *frame) Does(k social.NotificationKind) string {
	switch k {
	case social.NotifyFollow:
		return f.T("now_follows")
	case social.NotifyPoll:
		return f.T("poll_ended")
	case social.NotifyJoinRequest:
		return f.T("is_asked")
	}
	return f.T(string(k))
}
