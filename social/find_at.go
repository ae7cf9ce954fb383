package social

import (
	"context"
	"regexp"
	"strings"
)

// Servers bound what is sought to those named; Others, to all but those.
type Servers struct {
	Names  []string // authorities, ours too; never nil
	Others bool
}

// admit says that an account is at one of them; nil admits all.
func (s *Servers) admit(a *Account) bool {
	if s == nil {
		return true
	}
	for _, name := range s.Names {
		if name == a.Authority {
			return !s.Others
		}
	}
	return s.Others
}

// atPart is the filter by server in what somebody typed.
var atPart = regexp.MustCompile(`(?i:(?:^|\s)(?:at|bei):)(?:"([^"]*)"|(\S+))`)

// cutAt takes the filter by server out of what somebody typed.
func cutAt(typed string) (rest, label string) {
	m := atPart.FindStringSubmatch(typed)
	if m == nil {
		return typed, ""
	}
	return strings.TrimSpace(atPart.ReplaceAllString(typed, " ")), firstText(m[2], m[1])
}

// serversAt are those that a label stands for: here, our group, a partner (partner:NAME),
// outside of both, or one server by its name.
func (s *Service) serversAt(ctx context.Context, label string) (*Servers, error) {
	label = strings.ToLower(clip(label, 300))
	partner, named := strings.CutPrefix(label, string(ZonePartner)+":")
	some := &Servers{Names: []string{}}
	switch {
	case label == "here" || label == "hier":
		some.Names = append(some.Names, s.home)
		return some, nil
	case label == "group" || label == "gruppe":
		some.Names = append(some.Names, s.home)
	case label == "outside" || label == "außerhalb":
		some.Names, some.Others = append(some.Names, s.home), true
	case !named:
		some.Names = append(some.Names, label)
		return some, nil
	}
	peers, err := s.Peers(ctx)
	for _, p := range peers {
		zone := p.effective(s.Mode, s.Now())
		ours, theirs := zone.Kind == ZoneCompany, zone.Kind == ZonePartner
		if named && theirs && zone.Name == partner || !named && (ours || some.Others && theirs) {
			some.Names = append(some.Names, p.Authority)
		}
	}
	return some, err
}
