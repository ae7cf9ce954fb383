package web

import (
	"encoding/base64"
	"net/http"
	"slices"

	"parley/social"
)

// noticesSettings is about what this browser tells of while no page is open.
type noticesSettings struct {
	*frame
	On    bool
	Key   string // the server's, which the browser subscribes with
	Kinds []option
}

func (noticesSettings) file() string { return "notices.html" }

func (w *Web) noticesForm(p *page) error {
	return w.showNotices(p, http.StatusOK)
}

func (w *Web) showNotices(p *page, status int) error {
	d := noticesSettings{frame: p.titled("set_notices"), Key: w.PushKey}
	s, err := w.Social.PushSubscription(p.ctx(), p.reader, p.session, 0)
	if err != nil && social.KindOf(err) != social.NotFound {
		return err
	}
	d.On = err == nil
	for _, k := range social.PushKinds() {
		if k == social.NotifyReport && p.Me.Role == social.RoleMember {
			continue
		}
		o := option{Value: string(k), Label: p.noticeWord(k), Selected: k != social.NotifyFavourite && k != social.NotifyReblog}
		if d.On {
			o.Selected = slices.Contains(s.Kinds, k)
		}
		d.Kinds = append(d.Kinds, o)
	}
	return w.show(p, status, d)
}

// noticeWord says when a notification of a kind is told.
func (p *page) noticeWord(k social.NotificationKind) string {
	switch k {
	case social.NotifyMention:
		return p.T("notice_mention")
	case social.NotifyFollow:
		return p.T("notice_follow")
	case social.NotifyFollowRequest:
		return p.T("notice_follow_request")
	case social.NotifyFavourite:
		return p.T("notice_favourite")
	case social.NotifyReblog:
		return p.T("notice_reblog")
	case social.NotifyPoll:
		return p.T("notice_poll")
	case social.NotifyUpdate:
		return p.T("notice_update")
	case social.NotifyReport:
		return p.T("notice_report")
	case social.NotifyReminder:
		return p.T("notice_reminder")
	}
	return p.T("notice_unsent")
}

// changeNotices subscribes this browser, says anew what it tells of, or ends it.
func (w *Web) changeNotices(p *page) error {
	form := p.r.PostForm
	var kinds []social.NotificationKind
	for _, k := range form["kind"] {
		kinds = append(kinds, social.NotificationKind(k))
	}
	var err error
	done := "saved"
	switch form.Get("do") {
	case "off":
		err, done = w.Social.EndPush(p.ctx(), p.reader, p.session, 0), "notices_are_off"
	case "on":
		s := &social.PushSubscription{SessionID: p.session, Endpoint: form.Get("endpoint"), Kinds: kinds, Senders: social.PushAll}
		s.PublicKey, _ = base64.RawURLEncoding.DecodeString(form.Get("key")) // what is none is refused with the rest
		s.Secret, _ = base64.RawURLEncoding.DecodeString(form.Get("secret"))
		err, done = w.Social.SubscribePush(p.ctx(), p.reader, s, true), "notices_are_on"
	default:
		_, err = w.Social.ChangePush(p.ctx(), p.reader, p.session, 0, kinds, social.PushAll)
	}
	if mistake(err) {
		p.Problem = p.say(err)
		return w.showNotices(p, status(err))
	}
	if err != nil {
		return err
	}
	return w.redirect(p, "/settings/notices", done)
}
