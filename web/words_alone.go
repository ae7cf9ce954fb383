package web

// alone is what words say instead where the organisation names no group of companies:
// people there know of none.
var alone = map[string][2]string{
	"company_intro":         {"What was written for the whole company.", "Was für die ganze Firma geschrieben wurde."},
	"company_empty":         {"Nothing was written for the whole company yet. Be the first.", "Für die ganze Firma hat noch niemand etwas geschrieben. Machen Sie den Anfang."},
	"company_group":         {"A server of our company: %s", "Ein Server unserer Firma: %s"},
	"company_outside":       {"From outside our company: %s", "Von außerhalb unserer Firma: %s"},
	"entry_partners":        {"Our company and all partners", "Unsere Firma und alle Partner"},
	"aud_partner":           {"Our company and %s", "Unsere Firma und %s"},
	"means_company":         {"Everybody in the company reads it. It does not leave it.", "Alle in der Firma lesen es. Es verlässt sie nicht."},
	"means_partner":         {"Everybody in the company and at %s reads it: it leaves the company.", "Alle in der Firma und bei %s lesen es: Es verlässt die Firma."},
	"means_any_partner":     {"Everybody in the company and at that partner reads it: it leaves the company.", "Alle in der Firma und bei diesem Partner lesen es: Es verlässt die Firma."},
	"hides_instance":        {"The other servers of the company do not see it.", "Die anderen Server der Firma sehen es nicht."},
	"about_companies":       {"The other servers of our company", "Die anderen Server unserer Firma"},
	"company_leaves":        {"When a server leaves the company, nothing more goes there from that moment, and it is asked to delete all it had.", "Wenn ein Server die Firma verlässt, geht ab diesem Moment nichts mehr dorthin, und er wird gebeten, alles zu löschen."},
	"is_company":            {"Server of the company", "Server der Firma"},
	"roster":                {"Servers of the company", "Server der Firma"},
	"invite_intro":          {"A code lets one server join, once: as one of the company or as a partner. Hand it over on a way that both of you trust.", "Ein Code lässt einen Server dazukommen, einmal: als einen der Firma oder als Partner. Geben Sie ihn auf einem Weg weiter, dem beide vertrauen."},
	"leave_companies":       {"Leave the other servers", "Die anderen Server verlassen"},
	"leave_companies_intro": {"All servers of the company hear it, and what they had is taken back. To come back takes a new code.", "Alle Server der Firma erfahren es, und was sie hatten, wird zurückgenommen. Zurück geht es nur mit einem neuen Code."},
	"group_left":            {"This server has left the others.", "Dieser Server hat die anderen verlassen."},
	"rule_fields_company":   {"What other servers of the company see of an entry in the directory", "Was andere Server der Firma von einem Eintrag im Verzeichnis sehen"},
	"connect_intro":         {"Nothing is exchanged with a server before you admit it. Other servers of the company join by an invitation code.", "Mit einem Server wird nichts ausgetauscht, bevor Sie ihn zulassen. Andere Server der Firma kommen mit einem Einladungscode dazu."},
}
