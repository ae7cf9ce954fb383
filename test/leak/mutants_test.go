package leak_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// mutant switches one guard off: in a file, a text that stands there once is replaced.
// A test of a package has to notice.
type mutant struct {
	guard         string
	file          string
	old, replaced string
	pkg, test     string
}

func mutants() []mutant {
	const audience, visible, egress, verify = "social/audience.go", "social/visible.go", "federation/egress.go", "federation/verify.go"
	const fed, net, here = "federation", "social", "test/leak"
	return []mutant{
		// Who may see it.
		{"a blocked server sees nothing", audience, "if r.Zone.Kind == ZoneBlocked {", "if false {", net, "TestAdmits"},
		{"direct is for the people named", audience, "return r.Known() && (f.Author || f.Mentioned || f.Named)", "return r.Known()", net, "TestAdmits"},
		{"followers are followers", audience, "return r.Known() && (f.Author || f.Mentioned || f.Follows)", "return r.Known()", net, "TestAdmits"},
		{"a group's posts are for its members", audience, "return r.Known() && (f.Author || f.Member)", "return r.Known()", net, "TestAdmits"},
		{"instance means this instance", audience, "case AudienceInstance:\n\t\treturn r.Local() || f.Author", "case AudienceInstance:\n\t\treturn true", net, "TestAdmits"},
		{"company is for sisters alone", audience, "case AudienceCompany:\n\t\treturn r.Local()", "case AudienceCompany:\n\t\treturn r.Known()", net, "TestAdmits"},
		{"a partner is the one that is named", audience, "r.Zone.Kind == kind && r.Zone.Name == name", "r.Zone.Kind == kind", net, "TestAdmits"},
		{"only an owner decides who is in its audience", audience, "r.Peer != \"\" && a.Owner == r.Home && r.Zone.Kind == kind", "r.Peer != \"\" && r.Zone.Kind == kind", net, "TestAdmits"},
		{"what is deleted is gone", audience, "if p.Deleted() && !r.System {", "if false {", "api", "TestAStatusLives"},
		{"a reply stays within its thread", audience, "return p.Ceiling.IsZero() || p.Ceiling.Admits(r, ceiling)", "return true", net, "TestCeilingBounds"},
		{"naming somebody lets nobody into another's thread", visible, "ceiling.Mentioned = ceiling.Mentioned && answers(r, p)", "", here, "TestNamingInAnothersThreadLetsNobodyIn"},
		{"blocks between people hide", visible, "t.blocked[id] = t.blocked[id] || b.Blocking || b.BlockedBy", "_, _ = id, b", here, "TestBlockedPeopleFetchNothing"},
		{"a suspended author is out of view", visible, "|| !author.Shown() && !r.System {", "{", fed, "TestSuspendedMemberSendsNothing"},
		{"who left may not act", "social/account.go", "bool { return a.Shown() && a.ClosedAt.IsZero() }", "bool { return a.Shown() }", "web", "TestAdministratorsLetPeopleLeave"},
		{"a report names what its author may see", "social/notify.go", "if named, err = s.Visible(ctx, tx, r, named); err != nil {", "if err != nil {", "web", "TestReportsShowNoMoreThanTheirReader"},
		{"a server that somebody hides is out of their view", visible, "t.blocked[id] = t.blocked[id] || on", "_, _ = id, on", "api", "TestDomainBlocks"},
		{"an open community is asked about like everybody", "social/group.go", "case g.Everybody(), zone", "case false, zone", net, "TestHowFarACommunityGoes"},
		{"a choice that does not fit is clamped", "social/choose.go", "within, narrowed := wanted.within(parent.Bound())", "within, narrowed := wanted, false", here, "TestEditsAndRepliesNeverWiden"},
		{"an edit never widens", "social/publish.go", "if !a.narrows(p.Audience) {", "if false {", here, "TestEditsAndRepliesNeverWiden"},
		{"an app publishes as far as it was granted", "social/choose.go", "if r.Grant == \"\" || r.only() != nil {", "if true || r.only() != nil {", "api", "TestTheRulesOfClients/5_visibility"},
		{"hidden is missing for who replies", "social/publish.go", "\tif !ok {\n\t\treturn nil, NotFoundError()\n\t}\n\treturn p, nil", "\tif ok = true; !ok {\n\t\treturn nil, NotFoundError()\n\t}\n\treturn p, nil", "api", "TestHiddenIsMissing"},
		{"what was not sent is its author's alone", "social/unsent.go", "if err == nil && u.AuthorID != me.ID {", "if false && u.AuthorID != me.ID {", "instance", "TestDraftsAreKept"},
		{"what waited is seen by those it was meant for", "social/scheduled.go", "if label != now.Audience {", "if label != now.Audience && false {", "instance", "TestWhatIsDueKeepsTheRulesOfThatMoment"},
		{"who was suspended sends nothing that waited", "social/scheduled.go", "if _, err := s.member(r); err != nil {", "if _, err := s.member(r); err != nil && false {", "instance", "TestWhatIsDueKeepsTheRulesOfThatMoment"},
		{"an app's bound holds when its post is due", "social/scheduled.go", "r.Grant = u.Grant", "", "instance", "TestWhatIsDueKeepsTheRulesOfThatMoment"},
		{"an app that may publish for a few audiences publishes for no other", "social/choose.go", "if slices.Contains(only, label) {", "if true || slices.Contains(only, label) {", "api", "TestTokensForAFewAudiences"},
		{"a code is sent to where its app is registered", "auth/oauth.go", "if !slices.Contains(app.RedirectURIs, a.RedirectURI) {", "if false {", "auth", "TestRedirectURIs"},
		{"a code works once", "auth/oauth.go", "if c.TokenID != 0 {", "if false {", "auth", "TestCodes"},
		{"who is addressed blind is told to nobody", "social/post.go", "return m.Blind })", "return false })", fed, "TestClientToServer"},
		{"an outbox is its member's alone", "federation/client.go", "if me == nil || me.ID != pathID(r, \"id\") {", "if me == nil {", fed, "TestClientToServerRefusals"},
		{"a filter is its owner's alone", "storage/reading.go", "FROM content_filter WHERE account_id = $1 ORDER BY id`", "FROM content_filter WHERE account_id = $1 OR true ORDER BY id`", "api", "TestTheRulesOfClients/19_limits"},
		{"what is asked for by many ids is asked too", "social/read.go", "if posts, err = s.Visible(ctx, tx, r, posts); err != nil {\n\t\t\treturn err\n\t\t}\n\t\tviews, err = s.views(ctx, tx, r, posts)", "views, err = s.views(ctx, tx, r, posts)", "api", "TestByIDs"},
		{"nobody moves to an account that does not name theirs", "social/move.go", "case !slices.Contains(target.AlsoKnownAs, r.Account.URI):", "case false:", "instance", "TestMovingTakesFollowersAlong"},
		{"nobody but moderators takes posts of others down", "social/take_down.go", "if me.Role != RoleModerator && me.Role != RoleAdmin {", "if false {", "web", "TestModeratorsTakePostsDown"},
		{"a push asks what may still be seen", "social/push.go", "v, err := s.Notification(ctx, Member(due.Member, s.home), ID(j.Ref))\n\tif err != nil {", "v, err := s.Notification(ctx, Member(due.Member, s.home), ID(j.Ref))\n\tif v == nil {\n\t\tv, err = &NotificationView{Notification: &Notification{Kind: NotifyMention, CreatedAt: s.Now()}}, nil\n\t}\n\tif err != nil {", "notify", "TestPushAsksAgain"},
		{"a push ends with its session", "social/push.go", "if !due.Member.Active() || !slices.ContainsFunc(", "if !due.Member.Active() || false && !slices.ContainsFunc(", "notify", "TestPushAsksAgain"},
		{"a push subscription is its member's alone", "social/push.go", "if err == nil && p.AccountID != me.ID {", "if false && p.AccountID != me.ID {", "notify", "TestPushTellsWhatIsWanted"},
		{"a list is its owner's alone", "social/list.go", "if err == nil && l.OwnerID != me.ID {", "if false && l.OwnerID != me.ID {", "api", "TestLists"},
		{"communities that one may not know of are not found", "social/group_find.go", "if shown, err := s.Shows(ctx, tx, r, g); err != nil || !shown {", "if _, err := s.Shows(ctx, tx, r, g); err != nil {", "web", "TestGroupsByMembers"},
		{"who keeps one away is not suggested", "social/welcome.go", "|| blocks[p.AccountID] != Blocks{})", "|| false && blocks[p.AccountID] != Blocks{})", "web", "TestFirstSteps"},
		{"who is signed out finds no posts by words", "social/find.go", "if !r.Local() {", "if false {", "api", "TestSearchByWords"},
		{"what is found by words is asked too", "social/find.go", "views, err = s.collect(ctx, tx, r, p, func(p Page) ([]*Post, error) { return tx.SearchPosts(ctx, query, p) })", "var all []*Post\n\t\tif all, err = tx.SearchPosts(ctx, query, p); err == nil {\n\t\t\tviews, err = s.views(ctx, tx, r, all)\n\t\t}", here, "TestSearchFindsWhatItsReaderMaySee"},
		{"what is boosted or quoted is asked too", "social/read.go", "if posts, err = s.Visible(ctx, tx, r, list); err != nil {", "if posts = list; err != nil {", here, "TestQuotesAndBoostsShowNothingHidden"},

		// What leaves.
		{"nothing is sent to a blocked server", egress, "case d.zone.Kind == social.ZoneBlocked:", "case false:", fed, "TestABlockedServerIsToldNothing"},
		{"the audience is asked at the last moment", egress, "\tif !ok {\n\t\td.refused = \"the audience", "\tif false {\n\t\td.refused = \"the audience", here, "TestDemotedSisterGetsNothingThatWaits"},
		{"a direct post goes to the inboxes of those named", egress, "if ok && p.Audience.Kind == social.AudienceDirect {", "if false {", here, "TestDirectPostsGoToPersonalInboxes"},
		{"only who has it is told that it is gone", egress, "if len(receipts) == 0 {", "if len(receipts) < 0 {", here, "TestRetractionsGoToWhoeverHasThePost"},
		{"a retraction goes whatever the zone is", egress, "\tcase d.activity.Retraction:\n", "\tcase d.activity.Retraction && d.zone.Kind != social.ZoneBlocked:\n", here, "TestRetractionsGoToWhoeverHasThePost"},
		{"a suspended member sends nothing", egress, "if err == nil && !actor.SuspendedAt.IsZero() && actor.DeletedAt.IsZero() {", "if false {", fed, "TestSuspendedMemberSendsNothing"},
		{"a late delivery has the present text", egress, "if p.EditedAt.After(d.activity.CreatedAt) {", "if false {", fed, "TestALateCreationCarriesThePresentState"},
		{"a receipt is written before sending", egress, "return tx.PutReceipt(ctx, social.Receipt{ObjectURI: d.activity.ObjectURI", "return func(context.Context, social.Receipt) error { return nil }(ctx, social.Receipt{ObjectURI: d.activity.ObjectURI", here, "TestRetractionsGoToWhoeverHasThePost"},
		{"what is fetched leaves a receipt", "federation/document.go", "case err == nil && (len(q.served) > 0 || rules != \"\"):", "case false:", fed, "TestWhatWasFetchedIsTakenBack"},
		{"a delivery follows no redirect", "outbound/outbound.go", "return c.send(req, Deliver, sign)", "res, err := c.send(req, Deliver, sign)\n\tif err == nil && res.Status/100 == 3 {\n\t\treturn c.Post(ctx, res.Header.Get(\"Location\"), body, sign)\n\t}\n\treturn res, err", "outbound", "TestDeliveryFollowsNoRedirect"},

		// What is shown.
		{"a document is for its readers", "federation/document.go", "if !ok || !p.Local ||", "if ok && !p.Local ||", fed, "TestHiddenIsMissing"},
		{"what is elsewhere has no address here", "federation/document.go", "if !ok || !p.Local ||", "if !ok ||", fed, "TestHiddenIsMissingOnEveryRoute"},
		{"a closed group is not shown", "federation/document.go", "\t\tif !shown {\n", "\t\tif false && !shown {\n", here, "TestHiddenIsMissingOnEveryRoute"},
		{"a name that is not for all is not found", "federation/wellknown.go", "return a, s.mayFind(r, a)", "return a, nil", here, "TestHiddenIsMissingOnEveryRoute"},
		{"an outbox counts what everybody may see", "federation/collection.go", "return []social.AudienceKind{social.AudiencePublic, social.AudienceUnlisted}", "return []social.AudienceKind{social.AudiencePublic, social.AudienceUnlisted, social.AudienceCompany}", fed, "TestOutboxTellsNothingOfHiddenPosts"},
		{"pins are asked for too", "federation/collection.go", "posts, err = s.social.Visible(q.Context(), tx, q.reader, posts)", "", fed, "TestFeaturedAsksTheAudience"},
		{"who follows whom is for the company", "social/collection.go", "return r.Local() || r.Zone.Kind == ZoneCompany || r.Zone.Kind == ZonePartner", "return true", fed, "TestCirclesNamePeopleToTheCompanyOnly"},
		{"an audience is named to its members", "federation/collection.go", "if !a.Admits(q.reader, social.Facts{}) {", "if false {", fed, "TestAudiencesAreNamedToTheirMembers"},
		{"the change log is for sisters and partners", "federation/changelog.go", "return whole, r.Zone.Kind == social.ZoneCompany || r.Zone.Kind == social.ZonePartner", "return whole, true", fed, "TestChangeLogIsForSistersAndPartners"},
		{"files are for the readers of their post", "social/media_service.go", "_, err := s.readable(ctx, tx, r, m.PostID)", "_, err := tx.Post(ctx, m.PostID)", "instance", "TestFilesAreForReadersOfThePost"},
		{"an upload is its owner's until it is posted", "social/media_service.go", "if r.AccountID() != owner.ID {", "if false {", here, "TestUploadsWithoutAPostAreTheirOwners"},
		{"the address of a file is bound to its reader", "social/media_link.go", "!hmac.Equal([]byte(s.mediaTicket(subject, reader, until)), []byte(ticket))", "false", "api", "TestMediaAddressesAreBoundToTheReader"},
		{"a feed holds what everybody may see", "web/feed.go", "nobody, a.ID, social.Page{Limit: feedEntries}, social.PostFilter{Everybody: true, ", "social.Reader{Peer: \"b.test\", Home: w.Links.Home(), Zone: social.Zone{Kind: social.ZoneCompany}}, a.ID, social.Page{Limit: feedEntries}, social.PostFilter{", "web", "TestAFeedHoldsOnlyWhatEverybodyMaySee"},
		{"a page names no address it has nothing at", "web/page.go", "p.Path = \"/\" // a page that says nothing", "// a page that says nothing", here, "TestHiddenIsMissingOnEveryRoute"},
		{"an app does what its scopes say", "api/api.go", "if e.scope != anybody && !c.token.Allows(e.scope) {", "if false {", "api", "TestEveryRouteHasItsRule"},
		{"who has no token is nobody", "api/api.go", "if e.scope != anybody && c.token == nil {", "if false {", "api", "TestEveryRouteHasItsRule"},

		// Who speaks.
		{"unknown servers are not admitted", verify, "\tif zone.Kind != social.ZoneBlocked {\n\t\treturn nil\n\t}\n\tvar stored", "\tif zone.Kind != \"\" {\n\t\treturn nil\n\t}\n\tvar stored", fed, "TestUnknownHostsAreRefusedAndListed"},
		{"a signer speaks for itself alone", verify, "case p == nil || !own && !s.inTime(p):", "case false:", fed, "TestA1T1SignerIsTheActor"},
		{"the body is what was signed", verify, "if err := sig.VerifyBody(body); err != nil {", "if err := sig.VerifyBody(body); false {", fed, "TestInboxRefuses"},
		{"a signature is an hour old at most", "activitypub/httpsig/httpsig.go", "if t.Before(now.Add(-Window)) || t.After(now.Add(Window)) {", "if false {", "activitypub/httpsig", "TestRefusals"},
		{"a request is for this host", "activitypub/httpsig/httpsig.go", "if !sameHost(req.Host, u) {", "if false {", "activitypub/httpsig", "TestRefusals"},
		{"an activity has the id of its server", "federation/inbox.go", "case o.ID() != \"\" && !activitypub.SameAuthority(o.ID(), actor):", "case false:", fed, "TestInboxRefuses"},
		{"nobody else speaks as this server", "federation/inbox.go", "case o.ID() != \"\" && s.Links.Owns(o.ID()), s.Links.Owns(actor):", "case false:", fed, "TestOwnWordsComeBackUnheard"},
		{"what is embedded is the author's own", "federation/process.go", "if ok && activitypub.SameAuthority(e.ID(), actor.URI) && e.Ref(\"attributedTo\") == actor.URI {", "if ok {", fed, "TestOnlyTheOwnerChangesAnything"},
		{"only its author changes a post", "federation/apply_post.go", "if note.Ref(\"attributedTo\") != actor.URI {\n\t\treturn social.Errorf(social.Invalid, \"only its author", "if false {\n\t\treturn social.Errorf(social.Invalid, \"only its author", fed, "TestOnlyTheOwnerChangesAnything"},
		{"a block counts for what waits", "federation/process.go", "if zone.Kind == social.ZoneBlocked {", "if zone.Kind == \"\" {", fed, "TestBlockCountsForWhatWaits"},
		{"addresses inside are not reached", "outbound/address.go", "if inside || c.guard.SafeAddrPort(ap) == nil && a != azureHost() {", "if true {", "outbound", "TestInnerAddressesAreRefused"},
		{"answers have a size", "outbound/answer.go", "case int64(len(body)) > most || raw.N <= 0:", "case false:", "outbound", "TestSizesAreCapped"},
		{"what a sister says in clear is not heard", verify, "if err == nil && b != nil {\n\t\terr = unauthenticated", "if false && b != nil {\n\t\terr = unauthenticated", fed, "TestASisterSpeaksSealedAndSigned"},
		{"what a sister says is signed by her instance", "federation/paired.go", "if len(k) == ed25519.PublicKeySize && sig.Verify(k) == nil {", "if len(k) > 0 {", fed, "TestASisterSpeaksSealedAndSigned"},
		{"for whom a sister asks is signed", "federation/sealed_answer.go", "len(named) == 1 && !sig.Covers", "false && !sig.Covers", fed, "TestASisterAsksForHerPeople"},
		{"nobody vouches for a paired instance", "federation/passed.go", "|| paired || blocked[third]", "|| paired && false || blocked[third]", fed, "TestNobodyVouchesForAPairedInstance"},
		{"nobody vouches against the origin", "federation/passed.go", "case vouched == nil && (social.KindOf(err) == social.Forbidden ||", "case vouched == nil && (true || social.KindOf(err) == social.Forbidden ||", fed, "TestNobodyVouchesAgainstTheOrigin"},
		{"a take-back proves no deletion", "federation/process.go", "if o[takenBackWord] != true {", "if true {", "instance", "TestTakingBackProvesNoDeletion"},
		{"a narrowed community is silent", egress, "if err == nil && !shown {", "if false && !shown {", "instance", "TestANarrowedCommunityIsSilent"},
		{"who is hidden is gone for those who knew them", "federation/people.go", "p.Gone && !known[entryURI(uri)] {", "p.Gone && false {", "instance", "TestHiddenPeopleAreGoneForWhoKnewThem"},
		{"a pairing without posts carries none", "social/pairing.go", "!slices.Contains(p.DataClasses, DataPosts) {", "false {", "instance", "TestAPairingWithoutPosts"},
		{"a delivery to a sister has arrived when her key says so", egress, "&& !token.Acknowledged(res.Body, d.activity.URI) {", "&& false && !token.Acknowledged(res.Body, d.activity.URI) {", fed, "TestAnImpostorGetsNothing"},
		{"a parked peer is sent nothing", egress, "d.bond != nil && d.bond.parked() {\n\t\treturn queue", "false {\n\t\treturn queue", fed, "TestAnImpostorGetsNothing"},
		{"a bare status gives up nothing that is for a sister", egress, "res.Status == http.StatusGone && d.bond == nil || giveUp", "res.Status == http.StatusGone || giveUp", fed, "TestNothingGoesBackToClear"},
		{"an answer by other keys is none", "federation/park.go", "if res.Body, err = h.unseal(res.Body); err == nil {", "if body, err := h.unseal(res.Body); err == nil || true {\n\t\tif err == nil {\n\t\t\tres.Body = body\n\t\t}", fed, "TestAnImpostorCannotSpeak"},
		{"a paired server leads nowhere else", "federation/paired.go", "if before != nil && before.Authority != peer {", "if false {", fed, "TestAnImpostorCannotSpeak"},
		{"keys from before a pairing are read again", "federation/proof.go", "return b != nil && k.FetchedAt.Before(b.Since), err", "return b != nil && false, err", fed, "TestKeysFromBeforeAPairingAreReadAgain"},
		{"a pairing counts while it holds", "social/peer.go", "if z.Kind == ZoneCompany && !holds ||", "if false && !holds ||", "instance", "TestAWordAloneMakesNoSister"},
		{"a pairing counts until its end", "social/peer.go", "z.Kind == ZonePartner && !holds &&", "false &&", "instance", "TestPartnersArePairedUntilTheEnd"},
		{"what is older is not for who joins", "social/audience.go", "&& (f.At.IsZero() || !f.At.Before(r.From))", "", "instance", "TestHistoryIsADecision"},
		{"who pairs knows the code", "federation/pair.go", "if !hmac.Equal(m.MAC,", "if false && !hmac.Equal(m.MAC,", fed, "TestWrongCodesAreRefusedAlike"},
		{"who pairs shows the same keys", "federation/pair.go", "if !bytes.Equal(shown.signing, theirs.SigningKey) || !bytes.Equal(shown.sealing, theirs.SealingKey) {", "if len(shown.signing) == 0 {", fed, "TestWrongCodesAreRefusedAlike"},
		{"the fingerprint of the code decides", "federation/pair.go", "if !bytes.Equal(social.Fingerprint(inviter.signing), c.Fingerprint) {", "if false {", fed, "TestAnAccepterChecksTheInviter"},
		{"a roster is its keeper's", "federation/roster.go", "if err := s.provenByKey(b, s.Links.Of(r.Keeper).InstanceActor(), keys...); err != nil {", "if false {\n\t\t\t\tvar err error", fed, "TestOnlyTheKeepersRosterCounts"},
		{"new keys are signed by the present one", "federation/new_keys.go", "if err := s.provenByKey(b, c.Actor, p.SigningKey); err != nil {", "if false {\n\t\t\tvar err error", fed, "TestNewKeysAreSignedByThePresentOne"},
		{"what is sealed opens for its place alone", "activitypub/seal/seal.go", "for _, part := range [][]byte{[]byte(infoContext), []byte(a.From), []byte(a.To), []byte(a.Purpose), []byte(a.Target), request[:]} {", "for _, part := range [][]byte{[]byte(infoContext), []byte(a.From), []byte(a.To), []byte(a.Purpose), request[:]} {", "activitypub/seal", "TestASealedBodyOpensInItsPlaceAlone"},

		// Groups, and what is handed on in them and in threads.
		{"what a group hands on goes to its members", egress, "if ok && d.activity.Verb == social.VerbPass {", "if false {", fed, "TestAPublicGroupIsSentToMembersAlone"},
		{"a member's server is within the widest zone", "social/group.go", "!r.Local() && !(allowed && s.reaches(g, r)) {", "false && !(allowed && s.reaches(g, r)) {", fed, "TestWhoIsNoMemberAnyMoreGetsNothing"},
		{"only members write into a group", "social/hand_on.go", "case inside && !may:", "case false:", fed, "TestOnlyMembersWriteIntoAGroup"},
		{"a group announces what stands in it", "federation/passed.go", "if err := s.belongs(ctx, p, post); err != nil {", "if err := s.belongs(ctx, p, post); false {", fed, "TestWhatAGroupMayVouchFor"},
		{"only sisters vouch in a thread", "federation/passed.go", "!sister && (p.group == nil ||", "false && !sister && (p.group == nil ||", fed, "TestOnlyItsOwnerAddsToAThread"},
		{"only its owner adds to a thread", "federation/passed.go", "p.bound.Owner != actor.Authority || actor.Kind", "false || actor.Kind", fed, "TestOnlyItsOwnerAddsToAThread"},
		{"the owner of a thread names its own audiences", "federation/passed.go", "\t\ta = social.Audience{}\n", "", fed, "TestOnlyItsOwnerAddsToAThread"},
		{"who did not hand it on takes nothing back", "social/apply.go", "p.AuthorID != actor.ID && !p.handedOnBy(actor)", "false && !p.handedOnBy(actor)", fed, "TestOnlyWhoHandedItOnTakesItBack"},
		{"a group takes back what stands in it", "social/hand_on.go", "return p.GroupID == actor.ID && bound.Kind", "return bound.Kind", fed, "TestOnlyItsGroupTakesAPostBack"},
		{"who cannot read a thread has no place in it", "social/hand_on.go", "s.remoteReader(ctx, tx, author), parent); err != nil || !ok {", "s.remoteReader(ctx, tx, author), parent); err != nil || ok && false {", fed, "TestAStrangersReplyIsNotHandedOn"},
		{"the policy bounds communities", "social/group_service.go", "if far > policy.GroupWidest.farther() ||", "if false ||", "instance", "TestPolicyBoundsCommunities"},

		// What the organisation says, and what is written down.
		{"the policy says who gets what is for followers", visible, "return !policy.follower(a, r.Zone)", "return false && !policy.follower(a, r.Zone)", "instance", "TestPolicyKeepsFollowersOutside"},
		{"the policy says who may follow", "social/apply_follow.go", "\t\tif !may {\n\t\t\treturn s.turnAway", "\t\tif false && !may {\n\t\t\treturn s.turnAway", "instance", "TestPolicyKeepsFollowersOutside"},
		{"the policy bounds what a role names", "social/choose.go", "if d.Audience != \"\" && !policy.allows(me.Role, wanted) {", "if false {", "instance", "TestRoleBoundsHowFarOnePublishes"},
		{"the policy bounds what an app means", "social/policy.go", "\tif p.allows(role, a) {\n\t\treturn a, false", "\tif true || p.allows(role, a) {\n\t\treturn a, false", "instance", "TestRoleBoundsHowFarOnePublishes"},
		{"the policy bounds edits", "social/publish.go", "if !policy.allows(me.Role, p.Audience) {", "if false && !policy.allows(me.Role, p.Audience) {", "instance", "TestRoleBoundsHowFarOnePublishes"},
		{"administrators answer who knocks", "social/request.go", "if me.Role != RoleAdmin || ", "if ", "instance", "TestCustomerKnocksAndIsAdmitted"},
		{"pages for administrators are for them", "web/admin.go", "if p.Me.Role != social.RoleAdmin {", "if false {", "web", "TestServersThatWantToConnect"},
		{"routes for administrators are for them", "api/admin.go", "if c.reader.Account == nil || c.reader.Account.Role != social.RoleAdmin {", "if false {", "api", "TestEveryRouteHasItsRule"},
		{"a list of followers is the one that was announced", "federation/followers.go", "case err == nil && digestOf(listed) != digest:", "case false:", fed, "TestHostileFollowersHeader"},
		{"a list of followers is on its owner's server", "federation/followers.go", "activitypub.SameAuthority(list, actor.URI) && ", "", fed, "TestHostileFollowersHeader"},
		{"a part of the followers is for its server", "federation/followers.go", "if q.reader.Peer == \"\" || q.reader.Account == nil {\n\t\treturn nil, social.NotFoundError()", "if false {\n\t\treturn nil, social.NotFoundError()", fed, "TestPartOfFollowersIsForItsServer"},
		{"audit: what egress decides is written down", egress, "return s.auditSend(ctx, tx, j, &d)", "return nil", fed, "TestEgressDecisionsAreAudited"},
		{"audit: a file leaves after its row", "federation/audit.go", "if err != nil || rules == \"\" {", "if true || rules == \"\" {", fed, "TestFilesAreAudited"},
		{"audit: strangers fill no disk", "federation/audit.go", "if b.stranger.take(registrable(peer), now) && b.strangers.take(\"\", now) {", "if true {", fed, "TestRefusalsOfStrangersFillNoDisk"},
		{"audit: rows that follow hide no cut", "storage/audit_link.go", "if !bytes.Equal(hash, kept.hash) {", "if false && !bytes.Equal(hash, kept.hash) {", "storage", "TestLaterAuditRowsDoNotHideACut"},
		{"audit: a row is what its hash says", "storage/audit_verify.go", "return r.Seq == last.seq+1 && bytes.Equal(r.Hash(last.hash), r.hash)", "return r.Seq == last.seq+1", "storage", "TestVerifyNamesTheFirstBadAuditRow"},
		{"audit: the end is the one that was kept", "storage/audit_verify.go", "case kept.seq > last.seq:", "case false:", "storage", "TestVerifyNamesTheFirstBadAuditRow"},
	}
}

// A mutant whose guard was written anew has to be written anew too: this is cheap and
// runs always.
func TestEveryMutantHasItsGuard(t *testing.T) {
	list := mutants()
	for _, m := range list {
		if _, err := m.apply(); err != nil {
			t.Error(err)
		}
	}
	if len(list) < 30 {
		t.Errorf("%d mutants", len(list))
	}
}

const root = "../.."

func (m mutant) apply() ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		return nil, fmt.Errorf("%s: the guard that %q stands %d times in %s:\n%s", m.pkg, m.guard, n, m.file, m.old)
	}
	return []byte(strings.Replace(string(text), m.old, m.replaced, 1)), nil
}

// Proof (e): with any one of the guards switched off, the test that is named for it
// fails, and without that it passes. PARLEY_MUTANTS says which: all, or a word of
// their guard, file or test. `make mutants` runs all.
func TestMutantsAreNoticed(t *testing.T) {
	which := os.Getenv("PARLEY_MUTANTS")
	if which == "" {
		t.Skip("PARLEY_MUTANTS is not set: run make mutants")
	}
	passed := map[string]bool{}
	for _, m := range mutants() {
		if which != "all" && !strings.Contains(m.guard+m.file+m.test, which) {
			continue
		}
		t.Run(m.guard, func(t *testing.T) {
			key := m.pkg + " " + m.test
			if !passed[key] {
				if out, err := goTest(t, m, ""); err != nil || strings.Contains(out, "no tests to run") {
					t.Fatalf("%s fails with its guard on, or is not there: %v\n%s", key, err, out)
				}
				passed[key] = true
			}
			start := time.Now()
			out, err := goTest(t, m, overlay(t, m))
			switch {
			case err == nil:
				t.Errorf("%s does not notice", key)
			case !strings.Contains(out, "--- FAIL"):
				t.Errorf("%s did not even run:\n%s", key, out)
			default:
				fmt.Printf("| %s | `%s` | `%s` | %.0f s |\n", m.guard, m.file, m.test, time.Since(start).Seconds())
			}
		})
	}
}

// overlay writes the file without its guard, and what tells go to take it.
func overlay(t *testing.T, m mutant) string {
	t.Helper()
	text, err := m.apply()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	changed, list := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	at, err := filepath.Abs(filepath.Join(root, m.file))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := json.Marshal(map[string]map[string]string{"Replace": {at: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{changed: text, list: plan} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func goTest(t *testing.T, m mutant, overlay string) (string, error) {
	t.Helper()
	args := []string{"test", "-count=1", "-vet=off", "-timeout=3m", "-run", "^" + strings.ReplaceAll(m.test, "/", "$/^") + "$"}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	c := exec.CommandContext(t.Context(), "go", append(args, "./"+m.pkg)...)
	c.Dir = root
	c.Env = append(os.Environ(), "PARLEY_MUTANTS=") // none inside of another
	out, err := c.CombinedOutput()
	return string(out), err
}
