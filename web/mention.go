package web

import (
	"strings"

	"parley/social"
)

// mostMeant is how many people a name that is being typed offers.
const mostMeant = 6

// meant are whom the beginning of a name can mean.
type meant struct {
	*frame
	People []person
}

// names lists whom what is typed after an @ can mean, for the script of the composer.
func (w *Web) names(p *page) error {
	d := meant{frame: p.frame}
	if q := strings.TrimSpace(p.r.URL.Query().Get("q")); q != "" && !strings.Contains(q, "@") {
		found, err := w.Social.Search(p.ctx(), p.reader, q, social.SearchOptions{Type: "accounts", Limit: mostMeant})
		if err != nil {
			return err
		}
		if d.People, err = w.people(p, found.Accounts); err != nil {
			return err
		}
	}
	return w.showPart(p, "names", d)
}

// address begins a post to somebody alone, whom the address of the page names.
func (c *composer) address(acct string) {
	if acct == "" || strings.ContainsAny(acct, " \r\n\t") {
		return
	}
	c.Text.Value = "@" + acct + " "
	c.Audience.choose(string(social.AudienceDirect))
}
