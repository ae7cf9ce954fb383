package social

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// partnersSetting holds the names given to partners: a JSON object, by zone name.
const partnersSetting = "organisation.partners"

// Partner is what people call a partner zone: the name that was given, else one
// made of the zone's own. A short single word is taken for an abbreviation.
func (o Organisation) Partner(zone string) string {
	if name := o.Partners[zone]; name != "" {
		return name
	}
	if len(zone) <= 4 && !strings.Contains(zone, "-") {
		return strings.ToUpper(zone)
	}
	words := strings.FieldsFunc(zone, func(r rune) bool { return r == '-' })
	for i, w := range words {
		_, n := utf8.DecodeRuneInString(w)
		words[i] = strings.ToUpper(w[:n]) + w[n:]
	}
	return strings.Join(words, " ")
}

func partnerNames(ctx context.Context, tx Tx) (map[string]string, error) {
	text, err := tx.Setting(ctx, partnersSetting)
	if err != nil || text == "" {
		return nil, err
	}
	names := map[string]string{}
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, fmt.Errorf("read the names of partners: %w", err)
	}
	return names, nil
}

// NamePartner gives a partner zone the name that people read; "" takes it back. by is who says so.
func (s *Service) NamePartner(ctx context.Context, zone, name, by string) error {
	if !validZoneName(zone) {
		return Errorf(Invalid, "unknown zone %q; use company, partner:<name>, public or blocked", zone)
	}
	name = s.Text.SanitizePlain(name, 100)
	return s.Store.Tx(ctx, func(tx Tx) error {
		names, err := partnerNames(ctx, tx)
		if err != nil {
			return err
		}
		if names == nil {
			names = map[string]string{}
		}
		names[zone] = name
		if name == "" {
			delete(names, zone)
		}
		text, err := json.Marshal(names)
		if err != nil {
			return err
		}
		if err := tx.PutSetting(ctx, partnersSetting, string(text)); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, AuditRow{At: s.Now(), Kind: AuditZone, Zone: Zone{ZonePartner, zone}.String(), Result: "named", By: by})
	})
}
