package web

import (
	"net/http"
	"slices"

	"parley/social"
)

// heardPage says of whom the reader hears, and who is held back until the reader answers.
type heardPage struct {
	*frame
	Form   *form // whom
	Kinds  *form // what
	Asking []held
	Older  string
}

func (heardPage) file() string { return "heard.html" }

// held is somebody of whom something is held back.
type held struct {
	person
	Count   int
	Excerpt string
}

// heardRules are the fields of the form, each with what it changes.
func (p *page) heardRules(n *social.NoticePolicy) ([]field, []*social.NoticeVerdict) {
	fields := []field{{Name: "not_following", Label: p.T("heard_not_following")}, {Name: "not_followers", Label: p.T("heard_not_followers")},
		{Name: "new", Label: p.T("heard_new")}, {Name: "unasked", Label: p.T("heard_unasked")}}
	set := []*social.NoticeVerdict{&n.NotFollowing, &n.NotFollowers, &n.NewAccounts, &n.PrivateMentions}
	for i := range fields {
		fields[i].Kind = "select"
		for _, v := range []option{{Value: string(social.NoticeAccept), Label: p.T("heard_told")}, {Value: string(social.NoticeFilter), Label: p.T("heard_held")}, {Value: string(social.NoticeDrop), Label: p.T("heard_dropped")}} {
			v.Selected = v.Value == string(*set[i])
			fields[i].Options = append(fields[i].Options, v)
		}
	}
	return fields, set
}

func (w *Web) heard(p *page) error {
	policy, _, _, err := w.Social.NoticePolicy(p.ctx(), p.reader)
	if err != nil {
		return err
	}
	list, err := w.Social.NotificationRequests(p.ctx(), p.reader, p.cursor())
	if err != nil {
		return err
	}
	fields, _ := p.heardRules(&policy)
	d := heardPage{frame: p.titled("heard"), Form: &form{Action: "/settings/heard", Submit: p.T("save"), Fields: fields}}
	d.Kinds = &form{Action: "/settings/heard", Hidden: map[string]string{"do": "kinds"}, Submit: p.T("save")}
	for _, k := range social.OptionalKinds() {
		d.Kinds.Fields = append(d.Kinds.Fields, field{Name: "kind", Of: string(k), Is: string(k), Label: p.T("told_" + string(k)), Kind: "checkbox", Checked: !slices.Contains(p.Me.Unwanted, k)})
	}
	for _, q := range list {
		h := held{person: person{frame: p.frame, Account: q.From}, Count: q.Count}
		if q.Post != nil {
			h.Excerpt = clipped(firstOf(card{frame: p.frame, V: q.Post}.Covered(), w.Social.Text.ToPlain(q.Post.Post.Content)), excerptLength)
		}
		d.Asking = append(d.Asking, h)
	}
	if len(list) == pageSize {
		d.Older = "/settings/heard?older=" + list[len(list)-1].Newest.String()
	}
	return w.show(p, http.StatusOK, d)
}

// changeHeard keeps the rules, or answers of whom something is held back.
func (w *Web) changeHeard(p *page) error {
	do := p.r.PostFormValue("do")
	if do == "kinds" {
		unwanted := slices.DeleteFunc(social.OptionalKinds(), func(k social.NotificationKind) bool { return slices.Contains(p.r.PostForm["kind"], string(k)) })
		if err := w.Social.SetUnwanted(p.ctx(), p.reader, unwanted); err != nil {
			return err
		}
		return w.redirect(p, "/settings/heard", "saved")
	}
	if do == "accept" || do == "dismiss" {
		id, err := social.ParseID(p.r.PostFormValue("from"))
		if err != nil {
			return err
		}
		if _, err := w.Social.AnswerNotificationRequests(p.ctx(), p.reader, []social.ID{id}, do == "accept"); err != nil {
			return err
		}
		return w.redirect(p, "/settings/heard", "saved")
	}
	err := w.Social.SetNoticePolicy(p.ctx(), p.reader, func(n *social.NoticePolicy) {
		fields, set := p.heardRules(n)
		for i, f := range fields {
			switch v := social.NoticeVerdict(p.r.PostFormValue(f.Name)); v {
			case social.NoticeAccept, social.NoticeFilter, social.NoticeDrop:
				*set[i] = v
			}
		}
	})
	if err != nil {
		return err
	}
	return w.redirect(p, "/settings/heard", "saved")
}
