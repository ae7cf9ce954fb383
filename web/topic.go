package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"parley/social"
)

// topicsPage lists the hashtags that the reader follows.
type topicsPage struct {
	*frame
	Tags []string
}

func (topicsPage) file() string { return "topics.html" }

func (w *Web) topics(p *page) error {
	if q := w.Social.Text.FoldTag(strings.TrimPrefix(strings.TrimSpace(p.r.URL.Query().Get("q")), "#")); q != "" {
		return w.redirect(p, "/tags/"+q, "")
	}
	tags, _, err := w.Social.FollowedTags(p.ctx(), p.reader, social.Page{Limit: 200})
	if err != nil {
		return err
	}
	slices.Sort(tags)
	return w.show(p, http.StatusOK, topicsPage{frame: p.titled("topics"), Tags: tags})
}

// followTopic lets posts with a hashtag come home, or no more.
func (w *Web) followTopic(p *page) error {
	tag, err := w.Social.FollowTag(p.ctx(), p.reader, p.part("tag"), mux.Vars(p.r)["act"] == "follow")
	if err != nil {
		return err
	}
	return w.back(p, "/tags/"+tag, "saved")
}

// topic says whether the reader follows a hashtag.
type topic struct {
	Tag string
	On  bool
}

func (w *Web) topicOf(p *page, tag string) (*topic, error) {
	if p.Me == nil || tag == "" {
		return nil, nil
	}
	tags, _, err := w.Social.FollowedTags(p.ctx(), p.reader, social.Page{Limit: 200})
	return &topic{tag, slices.Contains(tags, tag)}, err
}

// allTopicsPage lists the hashtags in use, those that the reader follows first.
type allTopicsPage struct {
	*frame
	Query  field
	Topics []social.Topic
	Next   string // address of the next page; "" at the end
}

func (allTopicsPage) file() string { return "all_topics.html" }

const topicsAtOnce = 40

func (w *Web) allTopics(p *page) error {
	query := p.r.URL.Query()
	q, skip := strings.TrimSpace(query.Get("q")), p.skip("skip")
	topics, more, err := w.Social.Topics(p.ctx(), p.reader, social.TopicQuery{Text: q, Skip: skip, Limit: topicsAtOnce})
	if err != nil {
		return err
	}
	d := allTopicsPage{frame: p.titled("topics_all"), Topics: topics,
		Query: field{Name: "q", Label: p.T("topics_label"), Kind: "search", Value: q, MaxLength: 100}}
	if more {
		d.Next = "/topics?" + url.Values{"q": {q}, "skip": {strconv.Itoa(skip + topicsAtOnce)}}.Encode()
	}
	return w.show(p, http.StatusOK, d)
}

// TopicDays is how far back the use of topics is counted.
func (f *frame) TopicDays() int { return social.TopicDays }
