package api

import (
	"strconv"

	"parley/social"
)

func (a *API) noticePolicyRoutes() []route {
	const v1, v2, requests = "/api/v1/notifications/policy", "/api/v2/notifications/policy", "/api/v1/notifications/requests"
	each := in{"for_not_following text of whom you do not follow: accept, filter or drop", "for_not_followers text of who does not follow you", "for_new_accounts text of who is new",
		"for_private_mentions text of who writes to you unasked", "for_limited_accounts text of whom a moderator limits; nobody is limited here"}
	older := in{"filter_not_following bool whom you do not follow", "filter_not_followers bool who does not follow you", "filter_new_accounts bool who is new", "filter_private_mentions bool who writes to you unasked"}
	return []route{
		{route: "GET " + v2, scope: "read:notifications", run: a.noticePolicy,
			does: "Whose doings you are told of", gives: noticePolicy{}},
		{route: "PATCH " + v2, scope: "write:notifications", run: a.setNoticePolicy,
			does: "Say whose doings you are told of, from now on", takes: each, gives: noticePolicy{}},
		{route: "GET " + v1, scope: "read:notifications", run: a.noticePolicyV1,
			does: "Whose doings you are told of, as older apps ask", gives: noticePolicyV1{}},
		{route: "PUT " + v1, scope: "write:notifications", run: a.setNoticePolicyV1,
			does: "Say whose doings are held back, as older apps do", takes: older, gives: noticePolicyV1{}},
		{route: "PATCH " + v1, scope: "write:notifications", run: a.setNoticePolicyV1,
			does: "The same", takes: older, gives: noticePolicyV1{}},
		{route: "GET " + requests, scope: "read:notifications", run: a.notificationRequests,
			does: "Of whom something is held back", takes: paged(), gives: []notificationRequest{}},
		{route: "GET " + requests + "/merged", scope: "read:notifications", run: func(*call) (any, error) { return merged{true}, nil },
			does: "Whether all that was accepted stands among the others: it does at once", gives: merged{}},
		{route: "POST " + requests + "/accept", scope: "write:notifications", run: a.answerNotificationRequests(true),
			does: "Be told of some, now and from now on", takes: in{"id! ids requests"}, gives: empty{}},
		{route: "POST " + requests + "/dismiss", scope: "write:notifications", run: a.answerNotificationRequests(false),
			does: "Put away what is held back of some", takes: in{"id! ids requests"}, gives: empty{}},
		{route: "GET " + requests + "/{id:[0-9]+}", scope: "read:notifications", run: withID(a.notificationRequest),
			does: "One of them", gives: notificationRequest{}},
		{route: "POST " + requests + "/{id}/accept", scope: "write:notifications", run: turned(a.answerNotificationRequest, true),
			does: "Be told of one, now and from now on", gives: empty{}},
		{route: "POST " + requests + "/{id}/dismiss", scope: "write:notifications", run: turned(a.answerNotificationRequest, false),
			does: "Put away what is held back of one", gives: empty{}},
	}
}

type noticeSummary struct {
	Notifications int `json:"pending_notifications_count"`
	Requests      int `json:"pending_requests_count"`
}

type noticePolicy struct {
	LimitedAccounts string        `json:"for_limited_accounts" enum:"accept,filter,drop"`
	NewAccounts     string        `json:"for_new_accounts" enum:"accept,filter,drop"`
	NotFollowers    string        `json:"for_not_followers" enum:"accept,filter,drop"`
	NotFollowing    string        `json:"for_not_following" enum:"accept,filter,drop"`
	PrivateMentions string        `json:"for_private_mentions" enum:"accept,filter,drop"`
	Summary         noticeSummary `json:"summary"`
}

// noticePolicyV1 does not tell what is held back from what is dropped.
type noticePolicyV1 struct {
	NewAccounts     bool          `json:"filter_new_accounts"`
	NotFollowers    bool          `json:"filter_not_followers"`
	NotFollowing    bool          `json:"filter_not_following"`
	PrivateMentions bool          `json:"filter_private_mentions"`
	Summary         noticeSummary `json:"summary"`
}

type notificationRequest struct {
	Account    *account `json:"account" null:"never"`
	CreatedAt  string   `json:"created_at" format:"date-time"`
	ID         string   `json:"id"`
	LastStatus *status  `json:"last_status"`
	Count      string   `json:"notifications_count"`
	UpdatedAt  string   `json:"updated_at" format:"date-time"`
}

type merged struct {
	Merged bool `json:"merged"`
}

func (a *API) noticePolicy(c *call) (any, error) {
	p, requests, notifications, err := a.Social.NoticePolicy(c.Context(), c.reader)
	word := func(v social.NoticeVerdict) string { return firstText(string(v), "accept") }
	return noticePolicy{NotFollowing: word(p.NotFollowing), NotFollowers: word(p.NotFollowers), NewAccounts: word(p.NewAccounts), PrivateMentions: word(p.PrivateMentions),
		LimitedAccounts: word(p.LimitedAccounts), Summary: noticeSummary{notifications, requests}}, err
}

func (a *API) setNoticePolicy(c *call) (any, error) {
	words := map[string]social.NoticeVerdict{"accept": social.NoticeAccept, "filter": social.NoticeFilter, "drop": social.NoticeDrop}
	sent := map[string]social.NoticeVerdict{}
	for _, name := range []string{"for_not_following", "for_not_followers", "for_new_accounts", "for_private_mentions", "for_limited_accounts"} {
		if !c.in.Has(name) {
			continue
		}
		verdict, ok := words[c.in.Get(name)]
		if !ok {
			return nil, social.Errorf(social.Invalid, "%s is accept, filter or drop", name)
		}
		sent[name] = verdict
	}
	if err := a.Social.SetNoticePolicy(c.Context(), c.reader, func(p *social.NoticePolicy) {
		for name, to := range map[string]*social.NoticeVerdict{"for_not_following": &p.NotFollowing, "for_not_followers": &p.NotFollowers, "for_new_accounts": &p.NewAccounts,
			"for_private_mentions": &p.PrivateMentions, "for_limited_accounts": &p.LimitedAccounts} {
			if verdict, ok := sent[name]; ok {
				*to = verdict
			}
		}
	}); err != nil {
		return nil, err
	}
	return a.noticePolicy(c)
}

func (a *API) noticePolicyV1(c *call) (any, error) {
	p, requests, notifications, err := a.Social.NoticePolicy(c.Context(), c.reader)
	on := func(v social.NoticeVerdict) bool { return v != social.NoticeAccept }
	return noticePolicyV1{NotFollowing: on(p.NotFollowing), NotFollowers: on(p.NotFollowers), NewAccounts: on(p.NewAccounts), PrivateMentions: on(p.PrivateMentions),
		Summary: noticeSummary{notifications, requests}}, err
}

func (a *API) setNoticePolicyV1(c *call) (any, error) {
	if err := a.Social.SetNoticePolicy(c.Context(), c.reader, func(p *social.NoticePolicy) {
		for name, to := range map[string]*social.NoticeVerdict{"filter_not_following": &p.NotFollowing, "filter_not_followers": &p.NotFollowers,
			"filter_new_accounts": &p.NewAccounts, "filter_private_mentions": &p.PrivateMentions} {
			switch on := c.maybeBool(name); {
			case on == nil:
			case !*on:
				*to = social.NoticeAccept
			case *to == social.NoticeAccept:
				*to = social.NoticeFilter
			}
		}
	}); err != nil {
		return nil, err
	}
	return a.noticePolicyV1(c)
}

// requestShape counts in a text, as the Mastodon API does here.
func (c *call) requestShape(q *social.NotificationRequest) notificationRequest {
	out := notificationRequest{ID: q.From.ID.String(), Account: c.accountShape(q.From), Count: strconv.Itoa(q.Count), CreatedAt: date(q.First.Time()), UpdatedAt: date(q.Newest.Time())}
	if q.Post != nil {
		out.LastStatus = c.statusShape(q.Post)
	}
	return out
}

func (a *API) notificationRequests(c *call) (any, error) {
	list, err := a.Social.NotificationRequests(c.Context(), c.reader, c.part())
	out := []notificationRequest{}
	for _, q := range list {
		out = append(out, c.requestShape(q))
	}
	return c.paged(out, err)
}

func (a *API) notificationRequest(c *call, id social.ID) (any, error) {
	q, err := a.Social.NotificationRequest(c.Context(), c.reader, id)
	if err != nil {
		return nil, err
	}
	return c.requestShape(q), nil
}

func (a *API) answerNotificationRequest(c *call, id social.ID, accept bool) (any, error) {
	n, err := a.Social.AnswerNotificationRequests(c.Context(), c.reader, []social.ID{id}, accept)
	if err == nil && n == 0 {
		err = social.NotFoundError()
	}
	return empty{}, err
}

func (a *API) answerNotificationRequests(accept bool) endpoint {
	return func(c *call) (any, error) {
		ids, err := c.ids("id")
		if err != nil {
			return nil, err
		}
		_, err = a.Social.AnswerNotificationRequests(c.Context(), c.reader, ids, accept)
		return empty{}, err
	}
}
