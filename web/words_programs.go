package web

// programsWords are the texts around the document of the API, for people who write programs.
var programsWords = map[string][2]string{
	"programs":          {"For programs", "Für Programme"},
	"programs_what":     {"What programs can ask of this server, and what it answers. Apps and libraries for Mastodon work here too.", "Was Programme diesen Server fragen können, und was er antwortet. Apps und Bibliotheken für Mastodon laufen hier auch."},
	"programs_document": {"The whole as OpenAPI", "Das Ganze als OpenAPI"},
	"programs_themes":   {"Themes", "Themen"},
	"programs_types":    {"What is answered", "Was geantwortet wird"},
	"programs_scope":    {"Needs the scope", "Verlangt den Scope"},
	"programs_anybody":  {"Needs no scope; what comes back is what the caller may see.", "Verlangt keinen Scope; zurück kommt, was der Aufrufer sehen darf."},
	"programs_needed":   {"needed", "nötig"},
	"programs_optional": {"not always there", "nicht immer da"},
	"programs_gives":    {"Answers", "Antwortet"},
	"programs_empty":    {"It holds nothing.", "Darin steht nichts."},
}
