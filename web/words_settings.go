package web

// settingsWords are the texts of settings, the directory's filters and the chart.
var settingsWords = map[string][2]string{
	"set_profile":           {"Profile", "Profil"},
	"set_reading":           {"Reading and writing", "Lesen und Schreiben"},
	"set_security":          {"Password and sign-ins", "Passwort und Anmeldungen"},
	"set_data":              {"Your data", "Ihre Daten"},
	"own_picture":           {"Your picture", "Ihr Bild"},
	"remove_picture":        {"Take it away", "Entfernen"},
	"undo_time":             {"Time to take a post back after publishing", "Zeit, um einen Beitrag nach dem Veröffentlichen zurückzuholen"},
	"undo_hint":             {"Until then nobody has seen it.", "Bis dahin hat ihn niemand gesehen."},
	"undo_never":            {"None, send at once", "Keine, sofort senden"},
	"keys_on":               {"Keyboard shortcuts", "Tastenkürzel"},
	"keys_on_hint":          {"Single keys, in this browser.", "Einzelne Tasten, in diesem Browser."},
	"change_password":       {"Change the password", "Passwort ändern"},
	"change_password_intro": {"Every other browser and every app is signed out by that.", "Alle anderen Browser und alle Apps werden dadurch abgemeldet."},
	"present_password":      {"Present password", "Jetziges Passwort"},
	"password_changed":      {"The password is changed. You are signed out everywhere else.", "Das Passwort ist geändert. Überall sonst sind Sie abgemeldet."},
	"sessions":              {"Where you are signed in", "Wo Sie angemeldet sind"},
	"some_browser":          {"a browser", "ein Browser"},
	"session_since":         {"since %s, used last %s", "seit %s, zuletzt benutzt %s"},
	"session_here":          {"this browser", "dieser Browser"},
	"session_end":           {"Sign out there", "Dort abmelden"},
	"sessions_end":          {"Sign out everywhere else", "Überall sonst abmelden"},
	"sessions_ended":        {"Signed out there.", "Dort abgemeldet."},
	"data_intro":            {"What you wrote and collected is yours. Take it along:", "Was Sie geschrieben und gesammelt haben, gehört Ihnen. Nehmen Sie es mit:"},
	"data_posts":            {"All your posts (JSON)", "Alle Ihre Beiträge (JSON)"},
	"data_following":        {"Whom you follow (CSV)", "Wem Sie folgen (CSV)"},
	"data_bookmarks":        {"Your bookmarks (CSV)", "Ihre gemerkten Beiträge (CSV)"},
	"chart":                 {"Who reports to whom", "Organigramm"},
	"chart_more":            {"There are more people than this page shows. Find the others by name.", "Es gibt mehr Leute, als diese Seite zeigt. Finden Sie die anderen über den Namen."},
}

// settingsCounts are texts with a number: English one and many, German one and many.
var settingsCounts = map[string][4]string{
	"seconds": {"%d second", "%d seconds", "%d Sekunde", "%d Sekunden"},
}
