package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/social"
)

// checkTime bounds the whole tour.
const checkTime = 2 * time.Minute

// Check runs the tour without a browser: each step as its person would do it, and
// what must be seen afterwards on the other servers.
func (d *Demo) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	if err := d.follow(ctx, 0, "anna", 1, "ben"); err != nil {
		return err
	}
	anna, hq, err := d.as(ctx, 0, "anna")
	if err != nil {
		return err
	}
	ben, sub, err := d.as(ctx, 1, "ben")
	if err != nil {
		return err
	}
	pia, partner, err := d.as(ctx, 2, "pia")
	if err != nil {
		return err
	}
	if err := d.until(ctx, "Anna follows Ben of the other company and sees his earlier posts", func() bool {
		return d.has(ctx, hq, anna, "Elektro-Lkw") != nil
	}); err != nil {
		return err
	}
	text := "For the whole group: the tour works, " + time.Now().Format(time.TimeOnly+".000") // a kept demo may run it again
	v, err := d.post(ctx, 0, "anna", social.Draft{Text: text, Audience: "company"})
	if err != nil {
		return err
	}
	if err := d.until(ctx, "Ben sees what Anna writes for the whole group", func() bool { return d.has(ctx, sub, ben, text) != nil }); err != nil {
		return err
	}
	there := d.has(ctx, sub, ben, text)
	if _, err := d.post(ctx, 1, "ben", social.Draft{Text: "@" + there.Author.Acct() + " Got it", InReplyTo: there.Post.ID}); err != nil {
		return err
	}
	if err := d.until(ctx, "Anna sees Ben's answer below it", func() bool {
		_, below, err := hq.Social.Thread(ctx, anna, v.Post.ID)
		return err == nil && len(below) == 1
	}); err != nil {
		return err
	}
	if err := d.vote(ctx); err != nil {
		return err
	}
	if _, err := partner.Social.PostByURI(ctx, pia, v.Post.URI); !errors.Is(err, social.ErrNotFound) {
		return fmt.Errorf("the partner has what was said inside the group: %v", err)
	}
	if d.has(ctx, partner, pia, "Lieferplan") == nil {
		return errors.New("the partner does not see what is meant for it")
	}
	if _, err = fmt.Fprintln(d.out, "ok   Pia at the partner sees the supply plan, and nothing of the group's talk"); err != nil {
		return err
	}
	return d.outage(ctx)
}

// outage stops the subsidiary, writes for the group and starts it again: the post
// arrives, once, and the partner's server is sent nothing.
func (d *Demo) outage(ctx context.Context) error {
	if err := d.halt(ctx); err != nil {
		return err
	}
	text := "While Logistik was away, " + time.Now().Format(time.TimeOnly+".000")
	if _, err := d.tell(ctx, "company", text); err != nil {
		return err
	}
	if err := d.resume(ctx); err != nil {
		return err
	}
	ben, sub, err := d.as(ctx, subsidiary, "ben")
	if err != nil {
		return err
	}
	if err := d.until(ctx, "The subsidiary was stopped; what was written meanwhile arrives after its start", func() bool {
		return d.has(ctx, sub, ben, text) != nil
	}); err != nil {
		return err
	}
	views, err := sub.Social.Home(ctx, ben, social.Page{Limit: 40})
	n := 0
	for _, v := range views {
		if strings.Contains(v.Post.Content, text) {
			n++
		}
	}
	if err != nil || n != 1 {
		return fmt.Errorf("it arrived %d times: %v", n, err)
	}
	if sent := d.places[partner].wire.since(d.marked); len(sent) > 0 {
		return fmt.Errorf("the partner's server was sent %v", sent)
	}
	_, err = fmt.Fprintln(d.out, "ok   Once; and the partner's server was sent nothing of it")
	return err
}

// vote lets Ben vote in Anna's poll, unless he did so in a kept demo.
func (d *Demo) vote(ctx context.Context) error {
	anna, hq, err := d.as(ctx, 0, "anna")
	if err != nil {
		return err
	}
	ben, sub, err := d.as(ctx, 1, "ben")
	if err != nil {
		return err
	}
	poll := d.has(ctx, sub, ben, "Wissensrunde")
	if poll == nil {
		return errors.New("the poll has not reached Ben")
	}
	if !poll.Voted {
		if _, err := sub.Social.Vote(ctx, ben, poll.Post.ID, []int{2}); err != nil {
			return err
		}
	}
	return d.until(ctx, "Ben's vote counts in Anna's poll", func() bool {
		v, err := hq.Social.PostByURI(ctx, anna, poll.Post.URI)
		return err == nil && v.Post.Poll.Options[2].Votes == 1
	})
}

// until waits for a step of the tour and reports it.
func (d *Demo) until(ctx context.Context, what string, done func() bool) error {
	if err := d.await(ctx, what, done); err != nil {
		return err
	}
	_, err := fmt.Fprintln(d.out, "ok   "+what)
	return err
}

// await waits for something that another of the servers does.
func (d *Demo) await(ctx context.Context, what string, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("did not happen: %s", what)
		case <-tick.C:
		}
	}
	return nil
}
