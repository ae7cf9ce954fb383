package api

import (
	"strconv"
	"strings"

	"parley/media"
	"parley/social"
)

func (a *API) instanceRoutes() []route {
	return []route{
		{route: "GET /api/v1/instance", run: a.instanceV1,
			does: "This server, as older apps ask", gives: instanceV1{}},
		{route: "GET /api/v2/instance", run: a.instanceV2,
			does: "This server: its name, rules and limits", gives: instanceV2{}},
		{route: "GET /api/v1/custom_emojis", run: func(*call) (any, error) { return []emoji{}, nil },
			does: "Emoji of this server: there are none", gives: []emoji{}},
	}
}

// apiVersion is the Mastodon version whose calls are served here, and apiNumber the newer
// count of the same; apps decide by both what they ask for (clients.md, rules 1 and 2).
const (
	apiVersion = "4.3.0"
	apiNumber  = 6
)

func (a *API) version() string { return apiVersion + "+parley." + a.Version }

// configuration tells apps the limits that really hold.
func (a *API) configuration() configuration {
	l := a.Social.Limits
	return configuration{
		Statuses: statusLimits{MaxCharacters: l.PostLength, MaxMediaAttachments: l.Attachments, CharactersReservedPerURL: 23},
		MediaAttachments: mediaLimits{SupportedMimeTypes: media.Types(), DescriptionLimit: social.DescriptionLength,
			ImageSizeLimit: l.UploadBytes, ImageMatrixLimit: media.MaxPixels},
		Polls: pollLimits{MaxOptions: l.PollOptions, MaxCharactersPerOption: l.OptionLength,
			MinExpiration: int(social.MinPollTime.Seconds()), MaxExpiration: int(social.MaxPollTime.Seconds())},
		Accounts: accountLimits{MaxPinnedStatuses: social.MaxPins, MaxProfileFields: l.Fields, MaxFeaturedTags: social.MaxFeaturedTags},
	}
}

// streamingURL is where WebSockets are opened: unencrypted only where all is (clients.md,
// rule 11).
func (a *API) streamingURL() string { return "ws" + strings.TrimPrefix(a.Links.PublicURL, "http") }

// contact is the administrator's account; nil when none is named or shown.
func (c *call) contact(o social.Organisation) *account {
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
func rules(o social.Organisation) []houseRule {
	out := []houseRule{}
	for i, text := range o.HouseRules() {
		out = append(out, houseRule{ID: strconv.Itoa(i + 1), Text: text})
	}
	return out
}

// instanceV1 and V2 say nothing about how many people are here.
func (a *API) instanceV1(c *call) (any, error) {
	o, err := a.Social.Organisation(c.Context())
	return instanceV1{URI: a.Links.Domain, Title: o.Name, ShortDescription: o.Description, Description: o.Description,
		Version: a.version(), URLs: streamingAPI{a.streamingURL()}, Languages: o.Languages,
		Configuration: a.configuration(), ContactAccount: c.contact(o), Rules: rules(o)}, err
}

func (a *API) instanceV2(c *call) (any, error) {
	o, err := a.Social.Organisation(c.Context())
	conf := a.configuration()
	conf.URLs, conf.Vapid, conf.Translation = &streamingURL{a.streamingURL()}, &vapid{a.PushKey}, &translation{}
	return instanceV2{APIVersions: apiVersions{apiNumber}, Domain: a.Links.Domain, Title: o.Name, Version: a.version(), Description: o.Description, Thumbnail: thumbnail{c.nobody()},
		Languages: o.Languages, Configuration: conf, Contact: contact{Account: c.contact(o)}, Rules: rules(o)}, err
}
