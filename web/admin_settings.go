package web

import (
	"errors"
	"net/http"
	"strings"

	"parley/social"
)

// orgForm is the form about the organisation and what its members may reach.
func (w *Web) orgForm(p *page) (formPage, error) {
	o := p.Org
	entries, err := w.Social.PolicyEntries(p.ctx())
	f := formPage{frame: p.titled("admin_settings"), Admin: true, Intro: []string{p.T("admin_settings_intro")}, Form: &form{Action: "/admin/settings", Submit: p.T("save"), Fields: []field{
		{Name: "organisation", Label: p.T("organisation"), Kind: "text", Value: o.Name, Required: true, MaxLength: 100},
		{Name: "group", Label: p.T("group_of_companies"), Kind: "text", Value: o.Group, MaxLength: 100},
		{Name: "description", Label: p.T("org_description"), Kind: "textarea", Rows: 4, Value: o.Description},
		{Name: "rules", Label: p.T("house_rules"), Hint: p.T("house_rules_hint"), Kind: "textarea", Rows: 6, Value: o.Rules, MaxLength: 10000},
		{Name: "contact", Label: p.T("org_contact"), Hint: p.T("org_contact_hint"), Kind: "text", Value: o.Contact, MaxLength: 64},
	}}}
	for _, e := range entries {
		f.Form.Fields = append(f.Form.Fields, p.rule(e))
	}
	return f, err
}

// rule is the field of one key of the policy.
func (p *page) rule(e social.PolicyEntry) field {
	f := field{Name: "rule." + e.Key, Value: e.Value, Kind: "select"}
	if !e.Set {
		f.Hint = p.T("rule_default")
	}
	choose := func(pairs ...string) {
		for i := 0; i+1 < len(pairs); i += 2 {
			f.Options = append(f.Options, option{Value: pairs[i], Label: pairs[i+1], Selected: pairs[i] == e.Value})
		}
	}
	far := []string{"instance", p.audience(social.AudienceInstance, ""), "company", p.audience(social.AudienceCompany, ""), "partner", p.T("rule_partners"), "public", p.audience(social.AudiencePublic, "")}
	switch key, role, _ := strings.Cut(e.Key, ".widest."); {
	case e.Key == "audience.default":
		f.Label = p.T("rule_usual")
		choose("followers", p.audience(social.AudienceFollowers, ""), "instance", far[1], "company", far[3], "unlisted", p.audience(social.AudienceUnlisted, ""), "public", far[7])
	case role != "":
		f.Label = p.T("rule_role", map[string]string{"member": p.T("role_member"), "communications": p.T("role_communications"), "moderator": p.T("role_mod"), "admin": p.T("role_admin")}[role])
		choose(far...)
	case e.Key == "groups.widest":
		f.Label = p.T("rule_groups")
		choose(far...)
	case e.Key == "followers.partner":
		f.Label = p.T("rule_follow_partner")
		choose("yes", p.T("yes"), "no", p.T("no"))
	case e.Key == "followers.public":
		f.Label = p.T("rule_follow_public")
		choose("yes", p.T("yes"), "no", p.T("no"))
	case e.Key == "apps.pkce":
		f.Label = p.T("rule_pkce")
		choose("no", p.T("no"), "yes", p.T("yes"))
	default:
		f.Kind = "text"
		f.Label = map[string]string{"fields.company": p.T("rule_fields_company"), "fields.partner": p.T("rule_fields_partner")}[key]
		f.Hint = p.T("rule_fields_hint")
	}
	if f.Kind == "select" {
		f.choose(e.Value)
		if !hasOption(f, e.Value) { // a partner by name, set elsewhere
			f.Options = append(f.Options, option{Value: e.Value, Label: e.Value, Selected: true})
		}
	}
	return f
}

func hasOption(f field, value string) bool {
	for _, o := range f.Options {
		if o.Value == value {
			return true
		}
	}
	return false
}

func (w *Web) orgSettings(p *page) error {
	f, err := w.orgForm(p)
	if err != nil {
		return err
	}
	return w.show(p, http.StatusOK, f)
}

func (w *Web) saveOrgSettings(p *page) error {
	f, err := w.orgForm(p)
	if err != nil {
		return err
	}
	changed := map[string]string{}
	for _, one := range f.Form.Fields {
		if key, ok := strings.CutPrefix(one.Name, "rule."); ok {
			if value := strings.TrimSpace(p.r.PostFormValue(one.Name)); value != one.Value {
				changed[key] = value
			}
		}
	}
	o := p.Org
	o.Name, o.Group, o.Contact = p.r.PostFormValue("organisation"), p.r.PostFormValue("group"), strings.TrimPrefix(strings.TrimSpace(p.r.PostFormValue("contact")), "@")
	o.Rules = plainLines(p.r.PostFormValue("rules"))
	o.Description = strings.ReplaceAll(p.r.PostFormValue("description"), "\r\n", "\n")
	err = w.Social.Govern(p.ctx(), o, changed, p.Me.Username)
	if wrong := (*social.Error)(nil); mistake(err) && errors.As(err, &wrong) {
		name := "rule." + wrong.Field
		if wrong.Field == "organisation.name" {
			name = "organisation"
		}
		return w.again(p, f, name, err)
	}
	if err != nil {
		return err
	}
	return w.redirect(p, "/admin/settings", "saved")
}
