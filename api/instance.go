package api

import (
	"strconv"
	"strings"

	"parley/media"
	"parley/social"
)

func (a *API) instanceRoutes() []route {
	return []route{
		{route: "GET /api/v1/instance", run: a.instanceV1},
		{route: "GET /api/v2/instance", run: a.instanceV2},
		{route: "GET /api/v1/custom_emojis", run: func(*call) (any, error) { return []any{}, nil }},
	}
}

// apiVersion is the Mastodon version whose calls are served here; apps decide by it
// what they ask for (clients.md, rules 1 and 2).
const apiVersion = "4.2.0"

func (a *API) version() string { return apiVersion + "+parley." + a.Version }

// configuration tells apps the limits that really hold.
func (a *API) configuration() map[string]any {
	l := a.Social.Limits
	return map[string]any{
		"statuses": map[string]any{"max_characters": l.PostLength, "max_media_attachments": l.Attachments, "characters_reserved_per_url": 23},
		"media_attachments": map[string]any{"supported_mime_types": media.Types(), "description_limit": social.DescriptionLength,
			"image_size_limit": l.UploadBytes, "image_matrix_limit": media.MaxPixels, "video_size_limit": 0, "video_frame_rate_limit": 0, "video_matrix_limit": 0},
		"polls": map[string]any{"max_options": l.PollOptions, "max_characters_per_option": l.OptionLength,
			"min_expiration": int(social.MinPollTime.Seconds()), "max_expiration": int(social.MaxPollTime.Seconds())},
		"accounts": map[string]any{"max_featured_tags": 0, "max_pinned_statuses": social.MaxPins, "max_profile_fields": l.Fields},
	}
}

// streamingURL is where WebSockets are opened: unencrypted only where all is (clients.md,
// rule 11).
func (a *API) streamingURL() string { return "ws" + strings.TrimPrefix(a.Links.PublicURL, "http") }

// contact is the administrator's account; nil when none is named or shown.
func (c *call) contact(o social.Organisation) any {
	if o.Contact == "" {
		return nil
	}
	p, err := c.api.Social.AccountByHandle(c.Context(), c.reader, o.Contact)
	if err != nil {
		return nil
	}
	return c.accountShape(p)
}

// rules are those of the house, numbered as the Mastodon API wants it.
func rules(o social.Organisation) []any {
	out := []any{}
	for i, text := range o.HouseRules() {
		out = append(out, map[string]any{"id": strconv.Itoa(i + 1), "text": text, "hint": ""})
	}
	return out
}

// instanceV1 and V2 say nothing about how many people are here.
func (a *API) instanceV1(c *call) (any, error) {
	o, err := a.Social.Organisation(c.Context())
	return map[string]any{"uri": a.Links.Domain, "title": o.Name, "short_description": o.Description, "description": o.Description, "email": "",
		"version": a.version(), "urls": map[string]string{"streaming_api": a.streamingURL()}, "stats": map[string]int{"user_count": 0, "status_count": 0, "domain_count": 0},
		"thumbnail": nil, "languages": o.Languages, "registrations": false, "approval_required": false, "invites_enabled": false,
		"configuration": a.configuration(), "contact_account": c.contact(o), "rules": rules(o)}, err
}

func (a *API) instanceV2(c *call) (any, error) {
	o, err := a.Social.Organisation(c.Context())
	conf := a.configuration()
	conf["urls"] = map[string]string{"streaming": a.streamingURL()}
	conf["vapid"] = map[string]string{"public_key": a.PushKey}
	conf["translation"] = map[string]bool{"enabled": false}
	return map[string]any{"domain": a.Links.Domain, "title": o.Name, "version": a.version(), "source_url": "",
		"description": o.Description, "usage": map[string]any{"users": map[string]int{"active_month": 0}}, "thumbnail": map[string]any{"url": c.nobody()},
		"languages": o.Languages, "configuration": conf, "registrations": map[string]any{"enabled": false, "approval_required": false, "message": nil},
		"contact": map[string]any{"email": "", "account": c.contact(o)}, "rules": rules(o)}, err
}
