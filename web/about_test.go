package web_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"parley/instance/instancetest"
	"parley/social"
)

// Everybody reads what this place is and who sees what; which other companies and people
// there are, members alone.
func TestAbout(t *testing.T) {
	ctx := context.Background()
	net := instancetest.New(t, 2, nil)
	in, other := net.Instances[0], net.Instances[1]
	alice := net.Member(in, "alice")
	o := social.Organisation{Name: "Müller Logistik", Group: "Muster Group", Description: "For all " + canary, Contact: "alice", Rules: "Be kind\n\nNo adverts " + canary}
	if err := in.Social.SetOrganisation(ctx, o, "test"); err != nil {
		t.Fatal(err)
	}
	for _, language := range []string{"en", "de"} {
		nobody, v := newVisitor(t, in, language), newVisitor(t, in, language).as(alice)
		said := []string{"Müller Logistik", "For all", "Be kind", "No adverts", v.pick("Whole Muster Group", "Ganze Muster Group"), v.pick("Our group and a partner", "Unsere Gruppe und ein Partner"),
			v.pick("Only Müller Logistik", "Nur Müller Logistik"), v.pick("Only the people named", "Nur die Genannten")}
		nobody.get("/about", 200).says(append(said, "!"+other.Config.Domain, "!alice")...)
		v.get("/about", 200).says(append(said, other.Config.Domain, v.pick("Questions? Ask alice", "Fragen? Wenden Sie sich an alice"))...)
	}
	o.Rules, o.Group = "", ""
	if err := in.Social.SetOrganisation(ctx, o, "test"); err != nil {
		t.Fatal(err)
	}
	newVisitor(t, in, "en").get("/about", 200).says("No rules are written down")
	groups := regexp.MustCompile(`(?i)\bgroup\b|gruppe`)
	for _, language := range []string{"en", "de"} {
		v := newVisitor(t, in, language).as(alice)
		for _, path := range []string{"/", "/company", "/compose", "/about", "/directory", "/settings/directory", "/@alice", "/find"} {
			page := v.get(path, 200)
			if said := groups.FindString(strings.NewReplacer("at:group", "", "bei:gruppe", "").Replace(page.text)); said != "" {
				t.Errorf("%s in %s speaks of a %s, and there is none:\n%s", path, language, said, page.text)
			}
		}
		v.get("/compose", 200).says(v.pick("Whole company (2 servers)", "Ganze Firma (2 Server)"), v.pick("Everybody in the company reads it", "Alle in der Firma lesen es"))
	}
}
