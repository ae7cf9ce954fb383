package web

// streamWords are the texts around lists of posts.
var streamWords = map[string][2]string{
	"lists_nav":  {"Whose posts", "Wessen Beiträge"},
	"new_posts":  {"Show new posts", "Neue Beiträge zeigen"},
	"up_to_date": {"You are up to date.", "Sie sind auf dem neuesten Stand."},
}
