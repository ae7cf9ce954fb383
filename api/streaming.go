package api

import (
	"encoding/json"
	"net/http"
	"strings"

	"parley/live"
	"parley/serve"
	"parley/social"
)

// streamed is the value of an endpoint that has written its answer.
var streamed = any(&struct{ streamed bool }{})

func (a *API) streamRoutes() []route {
	return []route{
		{route: "GET /api/v1/streaming/user", scope: "read:statuses", run: a.stream(live.User)},
		{route: "GET /api/v1/streaming/public", scope: "read:statuses", run: a.stream(live.Public)},
		{route: "GET /api/v1/streaming/public/local", scope: "read:statuses", run: a.stream(live.Local)},
		{route: "GET /api/v1/streaming/hashtag", scope: "read:statuses", run: a.stream(live.Hashtag)},
		{route: "GET /api/v1/streaming/direct", scope: "read:statuses", run: a.stream(live.Direct)},
		{route: "GET /api/parley/v1/streaming/company", scope: "read:statuses", run: a.stream(live.Company)},
	}
}

// stream shows events as they happen, as server-sent events (Mastodon API,
// streaming). It ends within seconds of its token.
func (a *API) stream(name live.Name) endpoint {
	return func(c *call) (any, error) {
		st := live.Stream{Name: name, Tag: a.Social.Text.FoldTag(c.in.Get("tag"))}
		if name == live.Hashtag && st.Tag == "" {
			return nil, social.Errorf(social.Invalid, "name the hashtag: ?tag=")
		}
		if c.Method == http.MethodHead {
			c.w.Header().Set("Content-Type", "text/event-stream")
			return streamed, nil
		}
		out := serve.NewEvents(c.w)
		who := func() (social.Reader, error) {
			_, text, _ := strings.Cut(c.Header.Get("Authorization"), " ")
			member, _, err := a.Auth.Bearer(c.Context(), strings.TrimSpace(text))
			if err == nil && member == nil {
				err = errToken()
			}
			if err != nil {
				return social.Reader{}, err
			}
			return social.Member(member, a.Links.Home()), nil
		}
		err := a.Live.Follow(c.Context(), st, who, func(m live.Message) error {
			event, data, err := c.event(m)
			if err != nil {
				return err
			}
			return out.Send(0, event, string(data))
		}, out.Beat)
		if !out.Begun() {
			return nil, err
		}
		return streamed, nil // nobody is left to tell how it ended
	}
}

// event gives a message the name and shape that apps know.
func (c *call) event(m live.Message) (event string, data []byte, err error) {
	switch m.Kind {
	case social.EventDeleted:
		return "delete", []byte(m.Deleted.String()), nil
	case social.EventNotified:
		data, err = json.Marshal(c.notificationShape(m.Notification))
		return "notification", data, err
	case social.EventEdited:
		event = "status.update"
	default:
		event = "update"
	}
	data, err = json.Marshal(c.statusShape(m.Post))
	return event, data, err
}
