package api

import (
	"strconv"

	"parley/activitypub"
	"parley/social"
)

// regardRoutes are what members make of others, and what they show on their profiles.
func (a *API) regardRoutes() []route {
	const one = "/api/v1/accounts/{id:[0-9]+}"
	return []route{
		{route: "POST " + one + "/remove_from_followers", scope: "write:follows", run: withID(a.removeFollower),
			does: "Let somebody follow you no longer", gives: relation{}},
		{route: "POST " + one + "/note", scope: "write:accounts", run: withID(a.note),
			does: "Note something about somebody, for yourself alone", takes: in{"comment text the note; nothing takes it away"}, gives: relation{}},
		{route: "POST " + one + "/endorse", scope: "write:accounts", run: turned(a.endorse, true),
			does: "Show somebody whom you follow on your profile", gives: relation{}},
		{route: "POST " + one + "/unendorse", scope: "write:accounts", run: turned(a.endorse, false),
			does: "Show them there no longer", gives: relation{}},
		{route: "POST " + one + "/pin", scope: "write:accounts", run: turned(a.endorse, true),
			does: "Show somebody whom you follow on your profile, as older apps ask", gives: relation{}},
		{route: "POST " + one + "/unpin", scope: "write:accounts", run: turned(a.endorse, false),
			does: "Show them there no longer, as older apps ask", gives: relation{}},
		{route: "GET /api/v1/endorsements", scope: "read:accounts", run: a.ownEndorsements,
			does: "Whom you recommend", takes: paged(), gives: []account{}},
		{route: "GET " + one + "/endorsements", run: withID(a.endorsements),
			does: "Whom somebody recommends, for members", takes: paged(), gives: []account{}},
		{route: "GET /api/v1/featured_tags", scope: "read:accounts", run: a.ownFeaturedTags,
			does: "Hashtags on your profile", gives: []featuredTag{}},
		{route: "POST /api/v1/featured_tags", scope: "write:accounts", run: a.featureTag,
			does: "Show a hashtag on your profile", takes: in{"name! text the hashtag"}, gives: featuredTag{}},
		{route: "DELETE /api/v1/featured_tags/{id:[0-9]+}", scope: "write:accounts", run: withID(a.unfeatureTag),
			does: "Show it there no longer", gives: empty{}},
		{route: "GET /api/v1/featured_tags/suggestions", scope: "read:accounts", run: a.suggestTags,
			does: "Hashtags that you use and do not show", gives: []foundTag{}},
		{route: "GET " + one + "/featured_tags", run: withID(a.featuredTags),
			does: "Hashtags on a profile", gives: []featuredTag{}},
		{route: "GET /api/v1/domain_blocks", scope: "read:blocks", run: a.domainBlocks,
			does: "Servers that you want to see nothing of", takes: paged(), gives: []string{}},
		{route: "POST /api/v1/domain_blocks", scope: "write:blocks", run: a.blockDomain(true),
			does: "See nothing more of a server; its people follow you no longer", takes: in{"domain! text its name"}, gives: empty{}},
		{route: "DELETE /api/v1/domain_blocks", scope: "write:blocks", run: a.blockDomain(false),
			does: "See it again", takes: in{"domain! text its name"}, gives: empty{}},
	}
}

func (a *API) removeFollower(c *call, id social.ID) (any, error) {
	return related(a.Social.RemoveFollower(c.Context(), c.reader, id))
}

func (a *API) note(c *call, id social.ID) (any, error) {
	return related(a.Social.SetNote(c.Context(), c.reader, id, c.in.Get("comment")))
}

func (a *API) endorse(c *call, id social.ID, on bool) (any, error) {
	return related(a.Social.Endorse(c.Context(), c.reader, id, on))
}

func (a *API) ownEndorsements(c *call) (any, error) { return a.endorsements(c, c.reader.AccountID()) }

func (a *API) endorsements(c *call, id social.ID) (any, error) {
	return c.people(a.Social.Endorsements(c.Context(), c.reader, id, c.part()))
}

// featuredTag counts the posts that its reader may see, as a text: so apps read it.
type featuredTag struct {
	ID            string  `json:"id"`
	LastStatusAt  *string `json:"last_status_at" format:"date"`
	Name          string  `json:"name"`
	StatusesCount string  `json:"statuses_count"`
	URL           string  `json:"url"`
}

func (c *call) featuredTag(f *social.FeaturedTag) featuredTag {
	out := featuredTag{ID: f.ID.String(), Name: f.Tag, URL: c.api.Links.Tag(f.Tag), StatusesCount: strconv.Itoa(f.Posts)}
	if !f.LastAt.IsZero() {
		out.LastStatusAt = ptr(f.LastAt.UTC().Format("2006-01-02"))
	}
	return out
}

func (a *API) ownFeaturedTags(c *call) (any, error) { return a.featuredTags(c, c.reader.AccountID()) }

func (a *API) featuredTags(c *call, id social.ID) (any, error) {
	tags, err := a.Social.FeaturedTags(c.Context(), c.reader, id)
	out := []featuredTag{}
	for _, f := range tags {
		out = append(out, c.featuredTag(f))
	}
	return out, err
}

func (a *API) featureTag(c *call) (any, error) {
	f, err := a.Social.FeatureTag(c.Context(), c.reader, c.in.Get("name"))
	if err != nil {
		return nil, err
	}
	return c.featuredTag(f), nil
}

func (a *API) unfeatureTag(c *call, id social.ID) (any, error) {
	return empty{}, a.Social.UnfeatureTag(c.Context(), c.reader, id)
}

func (a *API) suggestTags(c *call) (any, error) {
	tags, err := a.Social.SuggestTags(c.Context(), c.reader)
	out := []foundTag{}
	for _, t := range tags {
		out = append(out, foundTag{Name: t, URL: a.Links.Tag(t), History: []empty{}})
	}
	return out, err
}

func (a *API) domainBlocks(c *call) (any, error) {
	list, err := a.Social.DomainBlocks(c.Context(), c.reader, c.part())
	out := []string{}
	for _, b := range list {
		out = append(out, b.Domain)
	}
	return c.paged(out, err)
}

func (a *API) blockDomain(on bool) endpoint {
	return func(c *call) (any, error) {
		domain, err := activitypub.HostPort(c.in.Get("domain"))
		if err != nil {
			return nil, social.Errorf(social.Invalid, "domain is the name of a server, such as b.example")
		}
		return empty{}, a.Social.BlockDomain(c.Context(), c.reader, domain, on)
	}
}
