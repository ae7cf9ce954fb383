package social

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Policy is what an organisation lets its members reach, beside the zones of other
// servers. One that says nothing allows what the zones allow.
type Policy struct {
	// DefaultAudience is the label of a post whose author says nothing.
	DefaultAudience string
	// Widest says for a role how far it may publish: instance, company, partner or
	// public; other audiences have known members and are free to all.
	Widest map[Role]AudienceKind
	// GroupWidest is how far any group may reach: instance, company, partner or public.
	GroupWidest AudienceKind
	// FollowPartner and FollowPublic say whether people at servers of these zones may
	// follow members. Groups decide for themselves.
	FollowPartner, FollowPublic bool
	// PKCE says that every app has to use it (RFC 7636), also those that have a secret.
	PKCE bool
	// Fields are the parts of a person's entry in the directory that a zone may see,
	// where the person lets it too.
	Fields map[ZoneKind][]string
}

// policySetting holds what somebody set: a JSON object of texts by their key.
const policySetting = "policy"

// policyRule is one key of the policy, and how its text is read.
type policyRule struct {
	key   string
	write func(p Policy) string
	read  func(p *Policy, value string) *Error
}

// policyRules in the order in which they are shown.
func policyRules() []policyRule {
	rules := []policyRule{{"audience.default", func(p Policy) string { return p.DefaultAudience }, (*Policy).readDefault}}
	for _, role := range Roles() {
		rules = append(rules, policyRule{"audience.widest." + string(role), func(p Policy) string { return string(p.Widest[role]) },
			func(p *Policy, v string) *Error { return p.readWidest(role, v) }})
	}
	return append(rules,
		policyRule{"groups.widest", func(p Policy) string { return string(p.GroupWidest) }, (*Policy).readGroups},
		yesOrNo("followers.partner", func(p *Policy) *bool { return &p.FollowPartner }),
		yesOrNo("followers.public", func(p *Policy) *bool { return &p.FollowPublic }),
		yesOrNo("apps.pkce", func(p *Policy) *bool { return &p.PKCE }),
		fieldsOf(ZoneCompany), fieldsOf(ZonePartner))
}

func (p *Policy) readDefault(v string) *Error {
	a, err := ParseAudience(v, "")
	if err != nil || a.Kind == AudienceDirect || a.Kind == AudienceGroup {
		return policyError("audience.default is followers, instance, company, partner:<name>, unlisted or public")
	}
	p.DefaultAudience = a.Label()
	return nil
}

func (p *Policy) readWidest(role Role, v string) *Error {
	switch k := AudienceKind(v); k {
	case AudienceInstance, AudienceCompany, AudiencePartner, AudiencePublic:
		p.Widest[role] = k
		return nil
	}
	return policyError("audience.widest.%s is instance, company, partner or public", role)
}

func (p *Policy) readGroups(v string) *Error {
	switch k := AudienceKind(v); k {
	case AudienceInstance, AudienceCompany, AudiencePartner, AudiencePublic:
		p.GroupWidest = k
		return nil
	}
	return policyError("groups.widest is instance, company, partner or public")
}

func yesOrNo(key string, of func(p *Policy) *bool) policyRule {
	return policyRule{key, func(p Policy) string {
		if *of(&p) {
			return "yes"
		}
		return "no"
	}, func(p *Policy, v string) *Error {
		if v != "yes" && v != "no" {
			return policyError("%s is yes or no", key)
		}
		*of(p) = v == "yes"
		return nil
	}}
}

// policyFields are the parts of an entry that a policy can name.
var policyFields = []string{"name", "department", "title", "manager", "skills", "languages", "location", "pronouns", "photo"}

func fieldsOf(zone ZoneKind) policyRule {
	key := "fields." + string(zone)
	return policyRule{key, func(p Policy) string {
		if len(p.Fields[zone]) == 0 {
			return "none"
		}
		return strings.Join(p.Fields[zone], ",")
	}, func(p *Policy, v string) *Error {
		p.Fields[zone] = nil
		if v == "none" {
			return nil
		}
		for _, f := range strings.Split(v, ",") {
			f = strings.TrimSpace(f)
			if !slices.Contains(policyFields, f) {
				return policyError("%s is none, or some of %s", key, strings.Join(policyFields, ","))
			}
			p.Fields[zone] = append(p.Fields[zone], f)
		}
		return nil
	}}
}

// policyError is for administrators: they read the words of the code.
func policyError(format string, args ...any) *Error {
	return &Error{Kind: Invalid, Public: fmt.Sprintf(format, args...)}
}

// defaultPolicy is that of a profile, company or open.
func defaultPolicy(profile string) Policy {
	p := Policy{DefaultAudience: string(AudienceCompany), Widest: map[Role]AudienceKind{}, GroupWidest: AudiencePublic, FollowPartner: true, FollowPublic: true,
		Fields: map[ZoneKind][]string{ZoneCompany: policyFields[:3], ZonePartner: policyFields[:3]}}
	if profile == "open" {
		p.DefaultAudience = string(AudiencePublic)
	}
	for _, role := range Roles() {
		p.Widest[role] = AudiencePublic
	}
	return p
}

// Shows says that the policy lets a zone see a part of people's entries.
func (p Policy) Shows(z Zone, field string) bool { return slices.Contains(p.Fields[z.Kind], field) }

// farther orders how far outside an audience goes, not who is in it: those with known
// members, and the members here, are at 0.
func (k AudienceKind) farther() int {
	switch k {
	case AudienceCompany:
		return 1
	case AudiencePartner:
		return 2
	case AudiencePublic, AudienceUnlisted:
		return 3
	}
	return 0
}

// widest is how far a role may publish. Whoever has no role, as groups and programs,
// is not bounded here.
func (p Policy) widest(role Role) AudienceKind {
	if w, ok := p.Widest[role]; ok {
		return w
	}
	return AudiencePublic
}

// allows says that a role may publish for an audience.
func (p Policy) allows(role Role, a Audience) bool {
	return a.Kind.farther() <= p.widest(role).farther()
}

// clamp is an audience as far as a role may publish, and whether that is less.
func (p Policy) clamp(role Role, a Audience, home string) (Audience, bool) {
	if p.allows(role, a) {
		return a, false
	}
	if p.widest(role) == AudienceInstance {
		return Audience{Kind: AudienceInstance, Owner: home}, true
	}
	return Audience{Kind: AudienceCompany, Owner: home}, true
}

// follower says that people of a zone may follow a member, and get what the member
// writes for followers.
func (p Policy) follower(target *Account, z Zone) bool {
	if target.Kind == KindGroup || !target.Local() {
		return true
	}
	switch z.Kind {
	case ZonePartner:
		return p.FollowPartner && p.widest(target.Role).farther() >= AudiencePartner.farther()
	case ZonePublic:
		return p.FollowPublic && p.widest(target.Role).farther() >= AudiencePublic.farther()
	}
	return true // sisters; and blocked ones get nothing anyway
}

// group says that people of a zone may belong to groups here, as far as those reach.
func (p Policy) group(z Zone) bool {
	kinds := map[ZoneKind]AudienceKind{ZoneCompany: AudienceCompany, ZonePartner: AudiencePartner, ZonePublic: AudiencePublic}
	return kinds[z.Kind].farther() <= p.GroupWidest.farther()
}

// PolicyEntry is one key of the policy with its value.
type PolicyEntry struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Set   bool   `json:"set"` // by somebody; else it is the profile's
}

// policyIn is the policy that counts now.
func (s *Service) policyIn(ctx context.Context, tx Tx) (Policy, error) {
	set, err := policyTexts(ctx, tx)
	if err != nil {
		return Policy{}, err
	}
	return s.policyOf(set)
}

// policyTexts is what somebody set, by key.
func policyTexts(ctx context.Context, tx Tx) (map[string]string, error) {
	set := map[string]string{}
	text, err := tx.Setting(ctx, policySetting)
	if err != nil || text == "" {
		return set, err
	}
	if err := json.Unmarshal([]byte(text), &set); err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	return set, nil
}

// policyOf is the profile's policy with what somebody set.
func (s *Service) policyOf(set map[string]string) (Policy, error) {
	p := defaultPolicy(s.Profile)
	for _, r := range policyRules() {
		if v, ok := set[r.key]; ok {
			if err := r.read(&p, v); err != nil {
				err.Field = r.key
				return p, err
			}
		}
	}
	return p, nil
}

// Policy is what members may reach now.
func (s *Service) Policy(ctx context.Context) (p Policy, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		p, err = s.policyIn(ctx, tx)
		return err
	})
	return p, err
}

// PolicyEntries lists the policy for an administrator.
func (s *Service) PolicyEntries(ctx context.Context) (list []PolicyEntry, err error) {
	err = s.Store.View(ctx, func(tx Tx) error {
		set, err := policyTexts(ctx, tx)
		if err != nil {
			return err
		}
		p, err := s.policyOf(set)
		list = nil
		for _, r := range policyRules() {
			_, ok := set[r.key]
			list = append(list, PolicyEntry{r.key, r.write(p), ok})
		}
		return err
	})
	return list, err
}

// SetPolicy gives keys of the policy new values, all or none; "" takes one back to
// the profile's. What was published stays; what is written or sent from now on
// obeys. by is the member or the command that says so.
func (s *Service) SetPolicy(ctx context.Context, by string, values map[string]string) error {
	return s.Store.Tx(ctx, func(tx Tx) error { return s.setPolicy(ctx, tx, by, values) })
}

// setPolicy is SetPolicy inside a transaction.
func (s *Service) setPolicy(ctx context.Context, tx Tx, by string, values map[string]string) error {
	rules := map[string]policyRule{}
	var keys []string
	for _, r := range policyRules() {
		rules[r.key], keys = r, append(keys, r.key)
	}
	for key := range values {
		if rules[key].read == nil {
			return policyError("the policy has no %.60q; it has %s", key, strings.Join(keys, ", "))
		}
	}
	set, err := policyTexts(ctx, tx)
	if err != nil {
		return err
	}
	before, err := s.policyOf(set)
	if err != nil {
		return err
	}
	for key, v := range values {
		if set[key] = strings.TrimSpace(v); set[key] == "" {
			delete(set, key)
		}
	}
	after, err := s.policyOf(set)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		write := rules[key].write
		if err := tx.AppendAudit(ctx, AuditRow{At: s.Now(), Kind: AuditPolicy, Subject: key, Result: "set",
			Cause: write(before) + " -> " + write(after), By: by}); err != nil {
			return err
		}
	}
	text, err := json.Marshal(set)
	if err != nil {
		return err
	}
	if err := tx.PutSetting(ctx, policySetting, string(text)); err != nil || reflect.DeepEqual(before.Fields, after.Fields) {
		return err
	}
	return s.retellDirectory(ctx, tx)
}
