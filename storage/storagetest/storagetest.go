// Package storagetest is the one conformance suite of storage: what social, queue
// and auth rely on, run on each database that there is. It knows no SQL.
//
//	storagetest.Run(t, func(t *testing.T) *storage.DB { return open(t, url) })
package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/queue"
	"parley/social"
	"parley/storage"
)

// Run runs the suite; open makes an empty database for each part.
func Run(t *testing.T, open func(t *testing.T) *storage.DB) {
	for name, part := range parts() {
		t.Run(name, func(t *testing.T) { part(t, open(t)) })
	}
}

func parts() map[string]func(t *testing.T, db *storage.DB) {
	return map[string]func(t *testing.T, db *storage.DB){
		"OneFailureTakesNobodyAlong":           oneFailureTakesNobodyAlong,
		"ConcurrentReadThenWrite":              concurrentReadThenWrite,
		"PostsTimelinesAndTombstones":          postsTimelinesAndTombstones,
		"NamesAreNeverGivenTwice":              namesAreNeverGivenTwice,
		"JobsAreClaimedOnceFairlyAndParked":    jobsAreClaimedOnceFairlyAndParked,
		"PeerBlocksCoverSubdomainsGrantsDoNot": peerBlocksCoverSubdomainsGrantsDoNot,
		"TouchingAPeerKeepsWhatWasLearnt":      touchingAPeerKeepsWhatWasLearnt,
		"ChangeLogIsInOrder":                   changeLogIsInOrder,
		"LogPages":                             logPages,
		"FactsOfPages":                         factsOfPages,
		"CatchUpsAreDue":                       catchUpsAreDue,
		"OneOfSixteenWins":                     oneOfSixteenWins,
		"SixteenAddUp":                         sixteenAddUp,
		"Access":                               access,
		"ActivityIsKnownByWhicheverInbox":      activityIsKnownByWhicheverInbox,
		"ChainsKeepOrder":                      chainsKeepOrder,
		"ChainsWaitForTheirHost":               chainsWaitForTheirHost,
		"ChainsBehindAParkedHost":              chainsBehindAParkedHost,
		"LastWritten":                          lastWritten,
		"Contents":                             contents,
		"ThreadPage":                           threadPage,
		"CountPosts":                           countPosts,
		"BlockedAmong":                         blockedAmong,
		"RemoteMedia":                          remoteMedia,
		"AccountsAreFound":                     accountsAreFound,
		"FollowsBlocksAndMutes":                followsBlocksAndMutes,
		"NotificationsAndReports":              notificationsAndReports,
		"HeldNotificationsWait":                heldNotificationsWait,
		"NotificationsStandTogether":           notificationsStandTogether,
		"PeersAndZones":                        peersAndZones,
		"PostsAreFoundAndEdited":               postsAreFoundAndEdited,
		"MarksAndMedia":                        marksAndMedia,
		"BookmarksKeep":                        bookmarksKeep,
		"GroupsAndTheirPosts":                  groupsAndTheirPosts,
		"ListsArePartsOfHome":                  listsArePartsOfHome,
		"RegardsAreKept":                       regardsAreKept,
		"PushesEndWithTheirSession":            pushesEndWithTheirSession,
		"ReadingIsKept":                        readingIsKept,
		"SnapshotKeepsAccounts":                snapshotKeepsAccounts,
		"MutedThreadsStayMuted":                mutedThreadsStayMuted,
		"AppsAreLetIn":                         appsAreLetIn,
		"UnsentIsKept":                         unsentIsKept,
		"PostsAreSought":                       postsAreSought,
		"PollsEnd":                             pollsEnd,
		"OutboxReceiptsAndRefusals":            outboxReceiptsAndRefusals,
		"TakenBackComesAgain":                  takenBackComesAgain,
		"SeenIsForgotten":                      seenIsForgotten,
		"HostsAreHeldHeardAndDropped":          hostsAreHeldHeardAndDropped,
		"FailingJobsAreSeen":                   failingJobsAreSeen,
		"PeopleAreFound":                       peopleAreFound,
		"PairingsAreKept":                      pairingsAreKept,
		"AForgottenPostComesAgain":             aForgottenPostComesAgain,
		"PeersComeWithTheirPairing":            peersComeWithTheirPairing,
		"InvitationsAreKept":                   invitationsAreKept,
		"ReceiptsAreTakenBack":                 receiptsAreTakenBack,
		"AuditRowsFromSixteen":                 auditRowsFromSixteen,
		"AuditTextsAreCleaned":                 auditTextsAreCleaned,
	}
}

// Account adds a person of a host, "" for a member.
func Account(t *testing.T, db *storage.DB, name, host string) *social.Account {
	t.Helper()
	a := &social.Account{ID: social.NewID(time.Now()), Username: name, Host: host, Authority: host, Kind: social.KindPerson,
		URI: "https://" + host + "/users/" + name, InboxURI: "https://" + host + "/inbox/" + name, CreatedAt: time.Now()}
	if host != "" {
		a.SharedInboxURI = "https://" + host + "/inbox"
	}
	must(t, db.Tx(context.Background(), func(tx social.Tx) error { return tx.InsertAccount(context.Background(), a) }))
	return a
}

// Post adds a public post, after change has had its way with it.
func Post(t *testing.T, db *storage.DB, author *social.Account, change func(p *social.Post)) *social.Post {
	t.Helper()
	now := later()
	p := &social.Post{ID: social.NewID(now), AuthorID: author.ID, Kind: social.PostNote, Content: "<p>x</p>", Version: 1, Local: author.Local(),
		Audience: social.Audience{Kind: social.AudiencePublic, Owner: "a.test"}, PublishedAt: now, ArrivedAt: now}
	p.URI = author.URI + "/" + p.ID.String()
	p.ThreadID = p.ID
	if change != nil {
		change(p)
	}
	must(t, db.Tx(context.Background(), func(tx social.Tx) error { return tx.InsertPost(context.Background(), p) }))
	return p
}

// latest is the millisecond of the post that was made last.
var latest atomic.Int64

// later is now, or the millisecond after the last post: ids of one millisecond come in
// any order, and what a test writes one after the other stands in that order.
func later() time.Time {
	for {
		was := latest.Load()
		if now := max(time.Now().UnixMilli(), was+1); latest.CompareAndSwap(was, now) {
			return time.UnixMilli(now)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func oneFailureTakesNobodyAlong(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	var wg sync.WaitGroup
	var failed, committed atomic.Int64
	for i := range 64 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			err := db.Tx(ctx, func(tx social.Tx) error {
				tx.AfterCommit(func() { committed.Add(1) })
				if err := tx.PutSetting(ctx, fmt.Sprintf("k%d", i), "v"); err != nil {
					return err
				}
				if i%4 == 0 {
					return errors.New("no")
				}
				return nil
			})
			if err != nil {
				failed.Add(1)
			}
		}()
	}
	wg.Wait()
	if failed.Load() != 16 || committed.Load() != 48 {
		t.Errorf("failed %d, committed %d", failed.Load(), committed.Load())
	}
	must(t, db.View(ctx, func(tx social.Tx) error {
		for i := range 64 {
			v, err := tx.Setting(ctx, fmt.Sprintf("k%d", i))
			if err != nil {
				return err
			}
			if (v == "v") != (i%4 != 0) {
				t.Errorf("k%d = %q", i, v)
			}
		}
		return nil
	}))
}

// Sixteen at once read and then write; the counts must come out right.
func concurrentReadThenWrite(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	alice, bob := Account(t, db, "alice", ""), Account(t, db, "bob", "b.test")
	poll := Post(t, db, alice, func(p *social.Post) {
		p.Kind = social.PostPoll
		p.Poll = &social.Poll{Options: []social.PollOption{{Title: "a"}, {Title: "b"}}}
	})
	var fresh, votes atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			must(t, db.Tx(ctx, func(tx social.Tx) error {
				return tx.PutFollow(ctx, &social.Follow{ID: social.NewID(time.Now()), FollowerID: bob.ID, TargetID: alice.ID, State: social.FollowAccepted, CreatedAt: time.Now()})
			}))
			if err := db.Tx(ctx, func(tx social.Tx) error { return tx.AddVotes(ctx, poll.ID, bob.ID, []int{1}, time.Now()) }); err == nil {
				votes.Add(1)
			}
			var new bool
			must(t, db.Tx(ctx, func(tx social.Tx) (err error) {
				new, err = tx.InsertInbound(ctx, &social.Inbound{ID: social.NewID(time.Now()), URI: "https://b.test/1", Peer: "b.test", Body: []byte("{}"), ReceivedAt: time.Now()})
				return err
			}))
			if new {
				fresh.Add(1)
			}
			must(t, db.Tx(ctx, func(tx social.Tx) error {
				_, err := tx.SetFavourite(ctx, bob.ID, poll.ID, "https://b.test/l", true, time.Now())
				return err
			}))
		}()
	}
	wg.Wait()
	must(t, db.View(ctx, func(tx social.Tx) error {
		a, err := tx.Account(ctx, alice.ID)
		must(t, err)
		p, err := tx.Post(ctx, poll.ID)
		must(t, err)
		if a.FollowersCount != 1 || fresh.Load() != 1 || votes.Load() != 1 || p.Poll.Options[1].Votes != 1 || p.Poll.Voters != 1 || p.FavouritesCount != 1 {
			t.Errorf("followers %d fresh %d votes %d poll %+v favourites %d", a.FollowersCount, fresh.Load(), votes.Load(), p.Poll, p.FavouritesCount)
		}
		if uri, err := tx.FavouriteURI(ctx, bob.ID, poll.ID); err != nil || uri != "https://b.test/l" {
			t.Errorf("liked by %q: %v", uri, err)
		}
		if _, err := tx.FavouriteURI(ctx, alice.ID, poll.ID); social.KindOf(err) != social.NotFound {
			t.Errorf("a like that is not there: %v", err)
		}
		return nil
	}))
}

func postsTimelinesAndTombstones(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	alice, bob := Account(t, db, "alice", ""), Account(t, db, "bob", "b.test")
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		return tx.PutFollow(ctx, &social.Follow{ID: social.NewID(time.Now()), FollowerID: alice.ID, TargetID: bob.ID, State: social.FollowAccepted, ShowBoosts: true, CreatedAt: time.Now()})
	}))
	var ids []social.ID
	for range 5 {
		p := Post(t, db, bob, func(p *social.Post) { p.Tags = []string{"go"} })
		ids = append(ids, p.ID)
		must(t, db.Tx(ctx, func(tx social.Tx) error { _, err := tx.AddToTimelines(ctx, p, nil, time.Now()); return err }))
	}
	boost := Post(t, db, bob, func(p *social.Post) { p.Kind, p.BoostOfID = social.PostBoost, ids[0] })
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		owners, err := tx.AddToTimelines(ctx, boost, nil, time.Now())
		if len(owners) != 0 {
			t.Error("a boost of what the owner has came again")
		}
		return err
	}))
	late := Post(t, db, alice, func(p *social.Post) { p.InReplyToURI = "https://b.test/later" })
	parent := Post(t, db, bob, func(p *social.Post) { p.URI = "https://b.test/later" })
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.ResolveReplies(ctx, parent.URI, parent) }))
	must(t, db.View(ctx, func(tx social.Tx) error {
		items, err := tx.Timeline(ctx, alice.ID, social.Page{Limit: 3})
		must(t, err)
		older, err := tx.Timeline(ctx, alice.ID, social.Page{Limit: 3, Max: items[2].ID})
		must(t, err)
		newer, err := tx.Timeline(ctx, alice.ID, social.Page{Limit: 1, Min: older[1].ID})
		must(t, err)
		if len(items) != 3 || len(older) != 2 || newer[0].ID != older[0].ID {
			t.Errorf("items %v older %v newer %v", items, older, newer)
		}
		got, err := tx.Post(ctx, late.ID)
		must(t, err)
		if got.InReplyToID != parent.ID || got.ThreadID != parent.ThreadID {
			t.Errorf("reply not resolved: %+v", got)
		}
		tagged, err := tx.PublicPosts(ctx, social.Page{Limit: 10}, false, true, social.PostFilter{Tag: "go"})
		must(t, err)
		all, err := tx.TaggedPosts(ctx, social.Page{Limit: 10})
		must(t, err)
		part, err := tx.TaggedPosts(ctx, social.Page{Limit: 1, Max: all[1].ID, Since: all[4].ID})
		must(t, err)
		if len(tagged) != 5 || !slices.Equal(idsOfPosts(all), idsOfPosts(tagged)) || len(part) != 1 || part[0].ID != all[2].ID {
			t.Errorf("tagged %v, with any tag %v, one of them %v", idsOfPosts(tagged), idsOfPosts(all), idsOfPosts(part))
		}
		return nil
	}))
	must(t, db.Tx(ctx, func(tx social.Tx) error { _, err := tx.DeletePost(ctx, ids[0], time.Now()); return err }))
	must(t, db.View(ctx, func(tx social.Tx) error {
		gone, err := tx.Post(ctx, ids[0])
		must(t, err)
		again, err := tx.Post(ctx, boost.ID)
		must(t, err)
		b, err := tx.Account(ctx, bob.ID)
		must(t, err)
		items, err := tx.Timeline(ctx, alice.ID, social.Page{Limit: 10})
		must(t, err)
		if !gone.Deleted() || gone.Content != "" || !again.Deleted() || b.PostsCount != 5 || len(items) != 4 {
			t.Errorf("gone %v boost %v count %d items %d", gone.Deleted(), again.Deleted(), b.PostsCount, len(items))
		}
		return nil
	}))
}

func namesAreNeverGivenTwice(t *testing.T, db *storage.DB) {
	a := Account(t, db, "Alice", "")
	b := *a
	b.ID, b.URI, b.Username = 0, "https://x/2", "aLICE"
	err := db.Tx(context.Background(), func(tx social.Tx) error { return tx.InsertAccount(context.Background(), &b) })
	if !errors.Is(err, social.ErrConflict) {
		t.Errorf("got %v", err)
	}
}

func jobsAreClaimedOnceFairlyAndParked(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	var jobs []queue.Job
	for i := range 100 {
		jobs = append(jobs, queue.Job{Kind: "deliver", Host: fmt.Sprintf("h%d.test", i%4), Ref: int64(i), Target: "x"})
	}
	must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.AddJobs(ctx, append(jobs, jobs...)) }))
	soon := time.Now().Add(time.Second)
	_, err := db.HostFailed(ctx, "h3.test", time.Now(), time.Now().Add(time.Hour), "down")
	must(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	claimed := map[int64]int{}
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			got, err := db.Claim(ctx, "deliver", soon, soon.Add(time.Minute), 10, 3, []string{"h0.test"})
			must(t, err)
			mu.Lock()
			defer mu.Unlock()
			for _, j := range got {
				claimed[j.ID]++
				if j.Host == "h3.test" || j.Host == "h0.test" {
					t.Errorf("claimed from %s", j.Host)
				}
			}
		}()
	}
	wg.Wait()
	for id, n := range claimed {
		if n != 1 {
			t.Errorf("job %d claimed %d times", id, n)
		}
	}
	if len(claimed) < 6 || len(claimed) > 48 {
		t.Errorf("%d claimed", len(claimed))
	}
	must(t, db.HostWorked(ctx, "h3.test", time.Now()))
	got, err := db.Claim(ctx, "deliver", soon, soon.Add(time.Minute), 100, 100, nil)
	must(t, err)
	if len(got)+len(claimed) != 100 {
		t.Errorf("%d left, %d claimed before", len(got), len(claimed))
	}
}

func peerBlocksCoverSubdomainsGrantsDoNot(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	must(t, db.Tx(ctx, func(tx social.Tx) error {
		must(t, tx.SetZone(ctx, "evil.test", social.Zone{Kind: social.ZoneBlocked}, "spam", time.Now()))
		must(t, tx.SetZone(ctx, "ok.test", social.Zone{Kind: social.ZoneCompany}, "ours", time.Now()))
		return tx.SetZone(ctx, "a.evil.test", social.Zone{Kind: social.ZonePublic}, "", time.Now())
	}))
	must(t, db.View(ctx, func(tx social.Tx) error {
		for host, want := range map[string]social.ZoneKind{"evil.test": "blocked", "a.evil.test": "blocked", "b.c.evil.test:8443": "blocked", "sub.ok.test": "", "ok.test": "company", "notevil.test": ""} {
			p, err := tx.Peer(ctx, host)
			must(t, err)
			if p.Zone.Kind != want {
				t.Errorf("%s is %q, want %q", host, p.Zone.Kind, want)
			}
		}
		return nil
	}))
}

func touchingAPeerKeepsWhatWasLearnt(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	in, out := time.UnixMilli(1795528707818).UTC(), time.UnixMilli(1795528709000).UTC()
	for _, touch := range []social.PeerTouch{{Authority: "b.test", InAt: in, SharedInbox: "https://b.test/inbox"}, {Authority: "b.test", Error: "refused"},
		{Authority: "b.test", OutAt: out, Dialect: "rfc9421"}} {
		must(t, db.Tx(ctx, func(tx social.Tx) error { return tx.TouchPeer(ctx, touch) }))
	}
	must(t, db.View(ctx, func(tx social.Tx) error {
		p, err := tx.Peer(ctx, "b.test")
		if !p.LastInAt.Equal(in) || !p.LastOutAt.Equal(out) || p.Dialect != "rfc9421" || p.LastError != "" {
			t.Errorf("%+v", p)
		}
		return err
	}))
}

func changeLogIsInOrder(t *testing.T, db *storage.DB) {
	ctx := context.Background()
	alice := Account(t, db, "alice", "")
	var wg sync.WaitGroup
	for range 16 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			id := social.NewID(time.Now())
			must(t, db.Tx(ctx, func(tx social.Tx) error {
				return tx.InsertActivity(ctx, &social.Activity{ID: id, URI: id.String(), Verb: social.VerbCreate, ActorID: alice.ID, About: id.String(), Body: []byte("{}"), CreatedAt: time.Now()})
			}))
		}()
	}
	wg.Wait()
	must(t, db.View(ctx, func(tx social.Tx) error {
		log, err := tx.LogPage(ctx, "", social.Place{}, social.Place{Epoch: 1, Seq: 99}, 100)
		must(t, err)
		for i, a := range log {
			if a.Seq != int64(16-i) || a.Epoch != 1 {
				t.Errorf("entry %d has seq %d", i, a.Seq)
			}
		}
		if len(log) != 16 {
			t.Errorf("%d entries", len(log))
		}
		return nil
	}))
}
