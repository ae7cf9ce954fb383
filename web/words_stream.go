package web

// streamWords are the texts around lists of posts.
var streamWords = map[string][2]string{
	"lists_nav":      {"Whose posts", "Wessen Beiträge"},
	"keys":           {"Keyboard shortcuts", "Tastenkürzel"},
	"keys_intro":     {"They work everywhere but in text fields, and never with another key held. You can switch them off:", "Sie wirken überall außer in Textfeldern, und nie zusammen mit einer anderen Taste. Abschalten können Sie sie hier:"},
	"key_next":       {"Next post", "Nächster Beitrag"},
	"key_former":     {"Post before", "Vorheriger Beitrag"},
	"key_open":       {"Open the post", "Beitrag öffnen"},
	"key_newest":     {"What is new", "Das Neueste"},
	"key_profile":    {"Your profile", "Ihr Profil"},
	"key_go":         {"Go to a page by its name", "Zu einer Seite nach ihrem Namen"},
	"key_ctrl":       {"Ctrl", "Strg"},
	"close":          {"Close", "Schließen"},
	"to_new":         {"Go to what is new", "Zum Neuen"},
	"history":        {"What it said before", "Frühere Fassungen"},
	"to_post":        {"To the post", "Zum Beitrag"},
	"as_now":         {"now", "jetzt"},
	"whole_version":  {"The whole version", "Die ganze Fassung"},
	"change_added":   {"added:", "hinzugefügt:"},
	"change_removed": {"removed:", "entfernt:"},
	"picture_file":   {"Picture", "Bild"},
	"style":          {"Components", "Bausteine"},
	"style_hint":     {"A hint says what is expected.", "Ein Hinweis sagt, was erwartet wird."},
	"style_text":     {"The quick lorry brings twelve crates to gate four.", "Der schnelle Laster bringt zwölf Kisten zu Tor vier."},
	"install":        {"Install as an app", "Als App installieren"},
	"new_posts":      {"Show new posts", "Neue Beiträge zeigen"},
	"up_to_date":     {"You are up to date.", "Sie sind auf dem neuesten Stand."},
}

// streamCounts are texts with a number: English one and many, German one and many.
var streamCounts = map[string][4]string{
	"show_answers":   {"Show %d more answer", "Show %d more answers", "%d weitere Antwort zeigen", "%d weitere Antworten zeigen"},
	"answers_before": {"Back to %d answer before", "Back to %d answers before", "Zurück zu %d Antwort davor", "Zurück zu %d Antworten davor"},
	"posts_between":  {"Show %d post in between", "Show %d posts in between", "%d Beitrag dazwischen zeigen", "%d Beiträge dazwischen zeigen"},
	"more_answers":   {"%d more answer", "%d more answers", "%d weitere Antwort", "%d weitere Antworten"},
}
