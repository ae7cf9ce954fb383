package web

// frameWords are the texts around every page.
var frameWords = map[string][2]string{
	"skip":          {"Skip to the content", "Zum Inhalt springen"},
	"main_nav":      {"Main", "Hauptnavigation"},
	"account":       {"Your account", "Ihr Konto"},
	"home":          {"Home", "Start"},
	"all_posts":     {"All posts", "Alle Beiträge"},
	"find":          {"Search", "Suchen"},
	"notifications": {"Notifications", "Mitteilungen"},
	"bookmarks":     {"Bookmarks", "Gemerkt"},
	"settings":      {"Settings", "Einstellungen"},
	"sign_in":       {"Sign in", "Anmelden"}, "sign_out": {"Sign out", "Abmelden"},
	"unread":       {"%d unread", "%d ungelesen"},
	"trial":        {"Trial: no other server can reach you.", "Probebetrieb: Kein anderer Server kann Sie erreichen."},
	"trial_how":    {"Next step: stop the server, give it its domain with", "Nächster Schritt: den Server anhalten und ihm eine Domain geben mit"},
	"seek":         {"Search people and posts", "Leute und Beiträge suchen"},
	"compose":      {"Write a post", "Beitrag schreiben"},
	"menu":         {"More", "Mehr"},
	"here":         {"Here", "Hier"},
	"here_intro":   {"What was written at %s.", "Was bei %s geschrieben wurde."},
	"here_empty":   {"Nobody has written here yet. The first post is yours.", "Hier hat noch niemand geschrieben. Der erste Beitrag ist Ihrer."},
	"appearance":   {"Appearance", "Darstellung"},
	"light":        {"Light", "Hell"},
	"dark":         {"Dark", "Dunkel"},
	"as_system":    {"Automatic", "Auto"},
	"language_nav": {"Language", "Sprache"},
}
