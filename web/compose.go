package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"parley/social"
)

// composer is the form for a new post or a reply, with what was typed.
type composer struct {
	*frame
	ReplyTo  social.ID
	To       string    // whom a reply answers
	Draft    social.ID // what the server keeps of it; zero for nothing
	Text     field
	Audience field
	Meant    []meaning // what each choice of Audience means
	File     field
	Describe field
	Files    []keptFile // uploaded already
	Poll     field
	Open     field // how long the poll is
	Multiple field
	Question field // that it is one; not of a reply
	Warning  field
	Tongue   field
	When     field
	Once     string   // the same form sent twice makes one post
	More     bool     // the rarer fields are open
	Ask      question // what is asked once more before it is sent
	Answered []string // questions that were answered with yes before
	MaxFile  int64    // bytes
}

// meaning says in words and by a colour who an audience is.
type meaning struct {
	Choice, Label string
	Reach, Text   string
	Chosen        bool
}

// question is asked before something is sent that may not be meant so.
type question struct{ Name, Yes string }

// keptFile is one that was uploaded for the post.
type keptFile struct {
	*frame
	*social.Media
	Describe field
}

// Picture says that the file can be shown small.
func (k keptFile) Picture() bool { return k.Attachment.Kind == "image" }

func (p *page) kept(m *social.Media) keptFile {
	return keptFile{p.frame, m, described(p, m.ID, m.Attachment)}
}

// composePage is the composer alone: on its own, and after a mistake.
type composePage struct {
	*frame
	Composer *composer
}

func (composePage) file() string { return "compose.html" }

// languageNames are those that a post can be written in, in their own words.
var languageNames = []option{{Value: "de", Label: "Deutsch"}, {Value: "en", Label: "English"}, {Value: "cs", Label: "Čeština"}, {Value: "es", Label: "Español"}, {Value: "fr", Label: "Français"},
	{Value: "it", Label: "Italiano"}, {Value: "nl", Label: "Nederlands"}, {Value: "pl", Label: "Polski"}, {Value: "pt", Label: "Português"}, {Value: "tr", Label: "Türkçe"}}

// composer offers the audiences that fit; parent is what is answered, nil for none.
func (w *Web) composer(p *page, parent *social.PostView) (*composer, error) {
	c := &composer{frame: p.frame, Once: social.NewID(p.now).String(), MaxFile: w.Social.Limits.UploadBytes}
	label, hint := "write", ""
	if parent != nil {
		c.ReplyTo, c.To, label, hint = parent.Post.ID, parent.Author.Name(), "your_reply", p.T("reply_reach")
		if parent.Post.Question {
			label = "your_answer"
		}
	}
	choices, err := w.Social.Audiences(p.ctx(), p.reader, c.ReplyTo)
	if err != nil {
		return nil, err
	}
	c.Text = field{Name: "text", Label: p.T(label), Kind: "textarea", Rows: 3, Language: p.Language}
	c.Audience = field{Name: "audience", Label: p.T("who_sees"), Hint: hint, Kind: "select"}
	for _, one := range choices {
		c.Audience.Options = append(c.Audience.Options, option{Value: one.Label, Label: p.Choice(one), Selected: one.Default})
		c.Meant = append(c.Meant, meaning{Choice: one.Label, Label: p.Choice(one), Reach: p.reach(one.Kind, one.Group), Text: p.Meaning(one)})
	}
	c.File = field{Name: "file", Label: p.T("files"), Kind: "file", Multiple: true}
	c.Describe = field{Name: "description", Label: p.T("description"), Hint: p.T("description_hint"), Kind: "text", MaxLength: 1500}
	c.Poll = field{Name: "poll", Label: p.T("poll"), Hint: p.T("poll_hint"), Kind: "textarea", Rows: 3}
	c.Open = field{Name: "open", Label: p.T("poll_open"), Kind: "select", Options: []option{
		{Value: "1", Label: p.N("days", 1)}, {Value: "3", Label: p.N("days", 3), Selected: true}, {Value: "7", Label: p.N("days", 7)}, {Value: "14", Label: p.N("days", 14)}}}
	c.Multiple = field{Name: "multiple", Label: p.T("poll_multiple"), Kind: "checkbox"}
	c.Question = field{Name: "question", Label: p.T("is_question"), Hint: p.T("is_question_hint"), Kind: "checkbox"}
	c.Warning = field{Name: "summary", Label: p.T("warning"), Hint: p.T("warning_hint"), Kind: "text", MaxLength: 500}
	c.Tongue = tongue(p, p.Language)
	c.When = field{Name: "at", Label: p.T("send_at"), Hint: p.T("send_at_hint"), Kind: "datetime-local"}
	return c, nil
}

// tongue asks for the language of a text; one that is not in the list stays what it is.
func tongue(p *page, now string) field {
	f := field{Name: "language", Label: p.T("written_in"), Kind: "select"}
	for _, one := range languageNames {
		one.Selected = one.Value == now
		f.Options = append(f.Options, one)
	}
	if !slices.ContainsFunc(f.Options, func(o option) bool { return o.Selected }) {
		f.Options = append(f.Options, option{Value: now, Label: now, Selected: true})
	}
	return f
}

// Meanings lists what the choices mean, with the one that is chosen.
func (c *composer) Meanings() []meaning {
	for i, one := range c.Meant {
		for _, o := range c.Audience.Options {
			if o.Value == one.Choice {
				c.Meant[i].Chosen = o.Selected
			}
		}
	}
	return c.Meant
}

// remembersAudience says that the last choice is offered again: what stays inside, whoever
// belongs there. What leaves the company is chosen each time, and so is a community, into
// which an app that names no readers would write else.
func remembersAudience(label string) bool {
	switch social.AudienceKind(label) {
	case social.AudienceInstance, social.AudienceCompany, social.AudienceFollowers:
		return true
	}
	return false
}

// remember keeps for whom a new post is, to offer it for the next one.
func (w *Web) remember(p *page, d social.Draft) error {
	if !remembersAudience(d.Audience) || d.InReplyTo != 0 || d.Audience == p.Me.DefaultAudience {
		return nil
	}
	_, err := w.Social.UpdateProfile(p.ctx(), p.reader, social.ProfileChange{DefaultAudience: &d.Audience})
	return err
}

// compose shows the composer alone.
func (w *Web) compose(p *page) error {
	c, err := w.composer(p, nil)
	if err != nil {
		return err
	}
	c.Text.Value = shared(p.r)
	c.address(p.r.URL.Query().Get("to"))
	return w.show(p, http.StatusOK, composePage{p.titled("new_post"), c})
}

// fields lists the composer's, in their order on the page; the rarer ones come last.
func (c *composer) fields() []*field {
	return []*field{&c.Text, &c.Audience, &c.File, &c.Describe, &c.Poll, &c.Open, &c.Multiple, &c.Question, &c.Warning, &c.Tongue, &c.When}
}

// rare is the first of the fields that stand folded up.
const rare = 2

// written reads the form.
func (p *page) written() (social.Draft, error) {
	r := p.r
	d := social.Draft{Text: strings.ReplaceAll(r.PostFormValue("text"), "\r\n", "\n"), Summary: r.PostFormValue("summary"),
		Audience: r.PostFormValue("audience"), Language: r.PostFormValue("language"), IdempotencyKey: r.PostFormValue("once")}
	asks := r.PostFormValue("question") != ""
	d.Question = &asks
	var err error
	if s := r.PostFormValue("reply_to"); s != "" {
		if d.InReplyTo, err = social.ParseID(s); err != nil {
			return d, err
		}
	}
	if s := r.PostFormValue("draft"); s != "" {
		if d.UnsentID, err = social.ParseID(s); err != nil {
			return d, err
		}
	}
	for _, o := range strings.Split(r.PostFormValue("poll"), "\n") {
		if o = strings.TrimSpace(o); o != "" {
			if d.Poll == nil {
				d.Poll = &social.PollDraft{ExpiresIn: days(r.PostFormValue("open")), Multiple: r.PostFormValue("multiple") != ""}
			}
			d.Poll.Options = append(d.Poll.Options, o)
		}
	}
	return d, nil
}

// days reads how long a poll is open; three days if nothing else was chosen.
func days(s string) time.Duration {
	n, ok := map[string]int{"1": 1, "7": 7, "14": 14}[s]
	if !ok {
		n = 3
	}
	return time.Duration(n) * 24 * time.Hour
}

// atForm is how browsers write a local time in a form.
const atForm = "2006-01-02T15:04"

// sendAt reads when a post is to be sent, in the time zone of the page; zero for now.
func (p *page) sendAt() (time.Time, error) {
	s := p.r.PostFormValue("at")
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(atForm, s, p.now.Location())
	if err != nil {
		return t, social.Errorf(social.Invalid, "write the day and the time, such as %s", "2026-03-31T09:00")
	}
	return t, nil
}

// publish sends what was written, keeps it as a draft, or sets the time when it is sent.
func (w *Web) publish(p *page) error {
	if p.Me == nil {
		return w.signedOutWriting(p)
	}
	d, err := p.written()
	if err != nil {
		return err
	}
	files, err := w.files(p)
	for _, m := range files {
		d.MediaIDs = append(d.MediaIDs, m.ID)
	}
	if mistake(err) {
		return w.composeAgain(p, d, files, "file", question{}, err)
	}
	if err != nil {
		return err
	}
	if d.At, err = p.sendAt(); err != nil {
		return w.composeAgain(p, d, files, "at", question{}, err)
	}
	if p.r.PostFormValue("do") == "save" {
		return w.save(p, d, files)
	}
	if at, ask, why, err := w.doubts(p, d, files); err != nil {
		return err
	} else if why != nil {
		return w.composeAgain(p, d, files, at, ask, why)
	}
	return w.send(p, d, files)
}

// save keeps a draft.
func (w *Web) save(p *page, d social.Draft, files []*social.Media) error {
	v, err := w.Social.SaveDraft(p.ctx(), p.reader, d)
	if social.KindOf(err) == social.NotFound && d.UnsentID != 0 { // sent or deleted elsewhere meanwhile
		d.UnsentID = 0
		v, err = w.Social.SaveDraft(p.ctx(), p.reader, d)
	}
	if mistake(err) || mendable(err) {
		return w.composeAgain(p, d, files, faultyField(d, err), question{}, err)
	}
	if err != nil {
		return err
	}
	if p.wantsPart() {
		return w.showPart(p, "saved", v.ID)
	}
	return w.redirect(p, "/drafts", "draft_saved")
}

// mendable says that a refusal leaves a choice to the author: a narrower circle, or, where
// what was answered is gone, a post of its own.
func mendable(err error) bool {
	k := social.KindOf(err)
	return k == social.Forbidden || k == social.NotFound
}

// send publishes, after the time in which the author may think again, or when it is due.
func (w *Web) send(p *page, d social.Draft, files []*social.Media) error {
	wrong := func(err error) error {
		switch {
		case social.KindOf(err) == social.Gone: // the draft was sent from elsewhere: from here it is a new post
			d.UnsentID = 0
		case !mistake(err) && !mendable(err):
			return err
		}
		return w.composeAgain(p, d, files, faultyField(d, err), question{}, err)
	}
	if err := w.remember(p, d); err != nil {
		return err
	}
	switch {
	case !d.At.IsZero():
		v, err := w.Social.Schedule(p.ctx(), p.reader, d)
		if err != nil {
			return wrong(err)
		}
		if p.wantsPart() {
			said := told{"/drafts?done=scheduled", p.T("scheduled")}
			if u := p.held(v); u.Narrower() {
				said.Text += " " + p.T("narrowed", u.Reader())
			}
			return w.showPart(p, "done", said)
		}
		return w.redirect(p, "/drafts", "scheduled")
	case p.Me.UndoTime() > 0:
		v, err := w.Social.Hold(p.ctx(), p.reader, d)
		if err != nil {
			return wrong(err)
		}
		if p.wantsPart() {
			return w.showPart(p, "held", p.held(v))
		}
		to := url.URL{Path: "/", RawQuery: "held=" + v.ID.String()}
		if v.Parent != nil {
			to.Path = p.Card(v.Parent).Link()
		}
		return w.redirect(p, to.String(), "")
	}
	v, err := w.Social.Publish(p.ctx(), p.reader, d)
	if err != nil {
		return wrong(err)
	}
	done, to := "published", "/"
	if v.Clamped {
		done = "clamped"
	}
	if d.InReplyTo != 0 {
		to = "/@" + v.Author.Username + "/" + v.Post.ID.String()
	}
	switch {
	case p.wantsPart() && v.Clamped:
		return w.showPart(p, "done", told{to + "?done=" + done, p.T(done)})
	case p.wantsPart():
		return w.showPost(p, v.Post.ID)
	}
	return w.redirect(p, to, done)
}

// told is what a script shows of what was done, and where it leads where there is no list.
type told struct{ To, Text string }

// carried are the fields of a composer that go through the page for signing in, and back.
var carried = []string{"text", "audience", "reply_to", "draft", "summary", "poll", "open", "multiple", "question", "language", "at"}

// goOn marks a sign-in after which there is a draft to go on with.
const goOn = "go_on"

// signedOutWriting lets whoever was signed out while writing sign in and go on: what was
// typed, and for whom, travels in the form and nowhere else.
func (w *Web) signedOutWriting(p *page) error {
	p.r.PostForm.Set(goOn, "post")
	f := w.signInPage(p, "/drafts")
	f.Problem = p.T("signed_out_writing")
	return w.show(p, http.StatusUnauthorized, f)
}

// carry puts what was being written into the form for signing in.
func (p *page) carry(f *formPage) {
	if p.r.PostFormValue(goOn) != "post" {
		return
	}
	f.Form.Hidden[goOn] = "post"
	for _, name := range carried {
		if v := p.r.PostFormValue(name); v != "" {
			f.Form.Hidden[name] = v
		}
	}
	f.Form.Hidden["media"] = strings.Join(p.r.PostForm["media"], ",")
	f.Kept = p.r.PostFormValue("text")
}

// keepWriting saves what came through the sign-in as a draft of whoever signed in, and
// opens it: nothing is sent that its author did not see once more.
func (w *Web) keepWriting(p *page, who *social.Account) error {
	d, err := p.written()
	d.IdempotencyKey = ""
	if err == nil {
		d.At, err = p.sendAt()
	}
	for id := range strings.SplitSeq(p.r.PostFormValue("media"), ",") {
		if m, wrong := social.ParseID(id); wrong == nil {
			d.MediaIDs = append(d.MediaIDs, m)
		}
	}
	r := social.Member(who, w.Links.Home())
	var v *social.UnsentView
	if err == nil {
		v, err = w.Social.SaveDraft(p.ctx(), r, d)
	}
	if err != nil && social.KindOf(err) != social.Internal { // at least the words, for nobody yet
		v, err = w.Social.SaveDraft(p.ctx(), r, social.Draft{Text: d.Text, Summary: d.Summary, Audience: string(social.AudienceDirect)})
	}
	if err != nil {
		return err
	}
	return w.redirect(p, "/drafts/"+v.ID.String(), "draft_saved")
}

// files takes the files of the form, those that an earlier try left among them. What
// was taken is answered with an error too.
func (w *Web) files(p *page) (list []*social.Media, err error) {
	for _, s := range p.r.PostForm["media"] {
		id, err := social.ParseID(s)
		if err != nil {
			return list, err
		}
		if slices.Contains(p.r.PostForm["drop"], s) {
			continue
		}
		text := p.r.PostFormValue("description-" + s)
		m, err := w.Social.DescribeMedia(p.ctx(), p.reader, id, &text, nil)
		if err != nil {
			return list, err
		}
		list = append(list, m)
	}
	if p.r.MultipartForm == nil {
		return list, nil
	}
	for _, head := range p.r.MultipartForm.File["file"] {
		if len(list) == w.Social.Limits.Attachments {
			return list, social.Errorf(social.Invalid, "at most %d files with a post", len(list))
		}
		f, err := head.Open()
		if err != nil {
			return list, err
		}
		m, err := w.Social.Upload(p.ctx(), p.reader, social.Upload{Body: f, Name: head.Filename, Description: p.r.PostFormValue("description")})
		if err = errors.Join(err, f.Close()); err != nil {
			return list, err
		}
		list = append(list, m)
	}
	return list, nil
}

// addFile takes one file for a post that is being written, and answers its part of the
// form.
func (w *Web) addFile(p *page) error {
	files, err := w.files(p)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return social.Errorf(social.Invalid, "choose a file")
	}
	return w.showPart(p, "kept", p.kept(files[0]))
}

// faultyField says which field of the composer a refused draft must be mended in.
func faultyField(d social.Draft, err error) string {
	text := strings.ToLower(err.Error())
	switch {
	case social.KindOf(err) == social.Forbidden:
		return "audience"
	case d.Poll != nil && (strings.Contains(text, "poll")):
		return "poll"
	case strings.Contains(text, "audience") || strings.Contains(text, "visibility") || strings.Contains(text, "narrow"):
		return "audience"
	case !d.At.IsZero() && (strings.Contains(text, "time") || strings.Contains(text, "scheduled")):
		return "at"
	case strings.Contains(text, "file"):
		if strings.Contains(text, "empty") {
			return "text"
		}
		return "file"
	}
	return "text"
}

// composeAgain shows the composer with all that was typed, and what is wrong with it or
// is asked.
func (w *Web) composeAgain(p *page, d social.Draft, files []*social.Media, name string, ask question, cause error) error {
	var parent *social.PostView
	if d.InReplyTo != 0 {
		var err error
		parent, err = w.Social.Post(p.ctx(), p.reader, d.InReplyTo)
		switch {
		case social.KindOf(err) == social.NotFound:
			name, cause = "audience", social.Errorf(social.Invalid, "what you answer is not there any more; choose who sees this as a post of its own, or copy your text")
		case err != nil:
			return err
		}
	}
	c, err := w.composer(p, parent)
	if err != nil {
		return err
	}
	all := c.fields()
	list := form{}
	for _, f := range all {
		list.Fields = append(list.Fields, *f)
	}
	list.refill(p.r)
	list.mark(name, p.say(cause))
	for i, f := range all {
		*f = list.Fields[i]
	}
	c.Draft, c.Ask = d.UnsentID, ask
	for _, m := range files {
		c.Files = append(c.Files, p.kept(m))
	}
	if len(files) > 0 {
		c.Describe.Value = ""
	}
	c.More = len(files) > 0 || c.filled()
	for _, one := range []string{"bare", "outside", yesTo(d.Audience), "named", "dead"} {
		if p.r.PostFormValue(one) != "" && one != ask.Name {
			c.Answered = append(c.Answered, one)
		}
	}
	if once := p.r.PostFormValue("once"); once != "" {
		c.Once = once
	}
	if p.Problem = p.T("check_form"); ask.Name != "" {
		p.Problem = p.say(cause)
	}
	return w.show(p, status(cause), composePage{p.titled("new_post"), c})
}

// filled says that one of the rarer fields has something, or is wrong.
func (c *composer) filled() bool {
	for _, f := range c.fields()[rare:] {
		if f.Problem != "" || f.Checked || f.Kind != "select" && f.Value != "" {
			return true
		}
	}
	return false
}
