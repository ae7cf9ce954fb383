package web

// startWords are the texts of notifications, of the first days, and about the whole.
var startWords = map[string][2]string{
	"notifications_empty": {"Nothing new. When somebody answers, follows or likes, it stands here.", "Nichts Neues. Wenn jemand antwortet, folgt oder etwas gefällt, steht es hier."},
	"notifications_none":  {"Nothing of this kind yet. Look at all of them.", "Davon gibt es noch nichts. Sehen Sie alle an."},
	"notifications_nav":   {"What to show", "Was gezeigt wird"},
	"only_":               {"All", "Alle"},
	"only_mentions":       {"Mentions", "Erwähnungen"},
	"only_follows":        {"Followers and requests", "Folgende und Anfragen"},
	"only_reactions":      {"Reactions", "Reaktionen"},
	"mark_read":           {"Mark all as read", "Alle als gelesen markieren"},
	"all_read":            {"Everything is marked as read.", "Alles ist als gelesen markiert."},
	"new":                 {"new", "neu"},
	"and":                 {"and", "und"},
	"mention":             {"mentioned you", "hat Sie erwähnt"},
	"answered":            {"answered you", "hat Ihnen geantwortet"},
	"favourite":           {"likes your post", "gefällt Ihr Beitrag"},
	"favourite_many":      {"like your post", "gefällt Ihr Beitrag"},
	"reblog":              {"shared your post", "hat Ihren Beitrag geteilt"},
	"reblog_many":         {"shared your post", "haben Ihren Beitrag geteilt"},
	"follow_request":      {"wants to follow you", "möchte Ihnen folgen"},
	"now_follows":         {"follows you now", "folgt Ihnen jetzt"},
	"follow_many":         {"follow you now", "folgen Ihnen jetzt"},
	"update":              {"edited a post that you shared", "hat einen Beitrag bearbeitet, den Sie geteilt haben"},
	"poll_ended":          {"A poll has ended", "Eine Umfrage ist beendet"},
	"admin.report":        {"reported something", "hat etwas gemeldet"},
	"was_not_sent":        {"could not publish a post when it was due; it is back in the drafts", "konnte einen Beitrag nicht zur gewählten Zeit veröffentlichen; er ist wieder bei den Entwürfen"},
	"is_asked":            {"has somebody who wants to join", "hat eine Beitrittsanfrage"},
	"show_post":           {"Show the post", "Beitrag zeigen"},
	"see_who_asks":        {"See who asks", "Anfrage ansehen"},
	"to_drafts":           {"Go to the drafts", "Zu den Entwürfen"},
}

// startCounts are texts with a number: English one and many, German one and many.
var startCounts = map[string][4]string{
	"others":      {"and %d other", "and %d others", "und %d weitere Person", "und %d weitere"},
	"others_like": {"and %d other", "and %d others", "und %d weiteren Person", "und %d weiteren"},
}
