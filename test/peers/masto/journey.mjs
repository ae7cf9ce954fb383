// A long way through the client API with masto.js, the library of Elk and Phanpy. The
// environment names the server (HERE), the cookie by which alice is signed in there
// (COOKIE), ben's token on a sister (THERE, BEN), and a push service (PUSH_*). It ends
// with 0 when everything was as the library and its users expect.
import assert from "node:assert/strict";
import { createOAuthAPIClient, createRestAPIClient, createStreamingAPIClient } from "masto";

const { HERE, COOKIE, THERE, BEN, PUSH_ENDPOINT, PUSH_KEY, PUSH_SECRET } = process.env;
const step = (name) => console.log(name);
const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
const plain = (html) => html.replace(/<[^>]*>/g, "");

// until asks again until the answer is true.
async function until(what, ask) {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    const answer = await ask();
    if (answer) {
      return answer;
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.fail(what);
}

step("register an app and sign in by the consent page");
const nobody = createRestAPIClient({ url: HERE });
const redirectUri = "http://127.0.0.1:1/callback";
const app = await nobody.v1.apps.create({ clientName: "Journey", redirectUris: redirectUri, scopes: "read write follow push", website: "https://journey.test" });
assert.ok(app.clientId && app.clientSecret && app.vapidKey);
const asked = new URLSearchParams({ response_type: "code", client_id: app.clientId, redirect_uri: redirectUri, scope: "read write follow push", state: "x" });
const page = await fetch(`${HERE}/oauth/authorize?${asked}`, { headers: { cookie: COOKIE, accept: "text/html" } });
assert.equal(page.status, 200);
assert.match(await page.text(), /Journey/);
asked.set("do", "allow");
asked.set("reach", "all");
const yes = await fetch(`${HERE}/oauth/authorize`, { method: "POST", redirect: "manual", headers: { cookie: COOKIE, accept: "text/html", origin: HERE, "content-type": "application/x-www-form-urlencoded" }, body: asked });
const back = new URL(yes.headers.get("location"));
assert.equal(back.origin + back.pathname, redirectUri);
const oauth = createOAuthAPIClient({ url: HERE });
const token = await oauth.token.create({ clientId: app.clientId, clientSecret: app.clientSecret, redirectUri, code: back.searchParams.get("code"), grantType: "authorization_code", scope: "read write follow push" });
const alice = createRestAPIClient({ url: HERE, accessToken: token.accessToken });
const ben = createRestAPIClient({ url: THERE, accessToken: BEN });

step("who is who");
const me = await alice.v1.accounts.verifyCredentials();
assert.equal(me.username, "alice");
assert.equal((await alice.v1.apps.verifyCredentials()).name, "Journey");
const him = await ben.v1.accounts.verifyCredentials();
const instance = await alice.v2.instance.fetch();
assert.match(instance.version, /^4\.\d+\.\d+\+parley\./);
assert.equal(instance.configuration.vapid.publicKey, app.vapidKey);

step("follow across servers");
const handle = `@${him.username}@${new URL(THERE).host}`;
const found = await alice.v2.search.list({ q: handle, resolve: true, type: "accounts" });
const followed = found.accounts[0].id;
await alice.v1.accounts.$select(followed).follow();
await until("the follow is accepted", async () => (await alice.v1.accounts.relationships.fetch({ id: [followed] }))[0].following);

step("listen");
const streams = createStreamingAPIClient({ streamingApiUrl: instance.configuration.urls.streaming, accessToken: token.accessToken });
const heard = [];
const user = streams.user.subscribe();
const tagged = streams.hashtag.subscribe({ tag: "journey" });
for (const [name, one] of [["user", user], ["tag", tagged]]) {
  (async () => {
    for await (const event of one) {
      heard.push({ name, event: event.event, payload: event.payload });
    }
  })();
}
// The library says nothing when a stream stands: a post is made until one is heard.
await until("the streams stand", async () => {
  await alice.v1.statuses.create({ status: "are you there? #journey", visibility: "public" });
  await new Promise((done) => setTimeout(done, 100));
  return heard.some((e) => e.name === "user") && heard.some((e) => e.name === "tag");
});

step("post with a picture and a poll, and edit");
const media = await alice.v2.media.create({ file: new Blob([PNG], { type: "image/png" }), description: "one dot" });
assert.equal(media.description, "one dot");
const changed = await alice.v1.media.$select(media.id).update({ description: "a single dot" });
assert.equal(changed.description, "a single dot");
const picture = await alice.v1.statuses.create({ status: "a picture #journey", mediaIds: [media.id], visibility: "public", language: "en", spoilerText: "small", sensitive: true });
assert.equal(picture.mediaAttachments[0].description, "a single dot");
assert.equal(picture.spoilerText, "small");
const poll = await alice.v1.statuses.create({ status: "tea or coffee?", poll: { options: ["tea", "coffee"], expiresIn: 3600 }, visibility: "public" });
assert.equal(poll.poll.options.length, 2);
const voted = await until("the poll is there", async () => {
  const seen = await ben.v2.search.list({ q: poll.uri, resolve: true, type: "statuses" });
  return seen.statuses[0];
});
await ben.v1.polls.$select(voted.poll.id).votes.create({ choices: [1] });
await until("the vote arrives", async () => (await alice.v1.polls.$select(poll.poll.id).fetch()).votesCount === 1);
const edited = await alice.v1.statuses.$select(picture.id).update({ status: "the same picture #journey", mediaIds: [media.id], spoilerText: "small" });
assert.ok(edited.editedAt);
assert.equal((await alice.v1.statuses.$select(picture.id).history.list()).length, 2);
assert.equal((await alice.v1.statuses.$select(picture.id).source.fetch()).text, "the same picture #journey");

step("answer, like, share, quote, bookmark, pin");
const question = await ben.v1.statuses.create({ status: `@alice@${new URL(HERE).host} did you hear?`, visibility: "public" });
const heardIt = await until("ben's post is in the home timeline", async () => (await alice.v1.timelines.home.list()).find((s) => s.uri === question.uri));
const one = alice.v1.statuses.$select(heardIt.id);
assert.ok((await one.favourite()).favourited);
assert.ok((await one.bookmark()).bookmarked);
const share = await one.reblog();
assert.equal(share.reblog.id, heardIt.id);
const answer = await alice.v1.statuses.create({ status: `${handle} I did`, inReplyToId: heardIt.id, visibility: "public" });
const context = await one.context.fetch();
assert.equal(context.descendants[0].id, answer.id);
const quote = await alice.v1.statuses.create({ status: "as ben says", quotedStatusId: heardIt.id, visibility: "public" });
assert.equal(quote.quote.quotedStatus.id, heardIt.id);
assert.equal((await alice.v1.bookmarks.list())[0].id, heardIt.id);
assert.equal((await alice.v1.favourites.list())[0].id, heardIt.id);
assert.ok((await alice.v1.statuses.$select(answer.id).pin()).pinned);
assert.equal((await alice.v1.accounts.$select(me.id).statuses.list({ pinned: true }))[0].id, answer.id);
assert.deepEqual((await one.favouritedBy.list()).map((a) => a.id), [me.id]);
await until("ben is told", async () => {
  const kinds = (await ben.v1.notifications.list()).map((n) => n.type);
  return ["mention", "favourite", "reblog"].every((kind) => kinds.includes(kind));
});

step("lists");
const list = await alice.v1.lists.create({ title: "Friends" });
await alice.v1.lists.$select(list.id).accounts.create({ accountIds: [followed] });
assert.deepEqual((await alice.v1.lists.$select(list.id).accounts.list()).map((a) => a.id), [followed]);
assert.ok((await alice.v1.timelines.list.$select(list.id).list()).some((s) => s.id === heardIt.id));

step("push");
const subscription = await alice.v1.push.subscription.create({ subscription: { endpoint: PUSH_ENDPOINT, keys: { p256dh: PUSH_KEY, auth: PUSH_SECRET } }, data: { alerts: { mention: true }, policy: "all" } });
assert.equal(subscription.endpoint, PUSH_ENDPOINT);
assert.equal((await alice.v1.push.subscription.fetch()).alerts.mention, true);
await ben.v1.statuses.create({ status: `@alice@${new URL(HERE).host} for your phone`, visibility: "direct" });
await until("the mention is in the notifications", async () => (await alice.v1.notifications.list({ types: ["mention"] })).some((n) => plain(n.status.content).includes("for your phone")));
assert.ok((await alice.v1.conversations.list()).some((c) => plain(c.lastStatus.content).includes("for your phone")));

step("filters and search");
const filter = await alice.v2.filters.create({ title: "noise", context: ["home", "public"], filterAction: "warn", keywordsAttributes: [{ keyword: "hear", wholeWord: true }] });
assert.equal(filter.keywords[0].keyword, "hear");
const flagged = (await alice.v1.timelines.home.list()).find((s) => s.id === heardIt.id);
assert.equal(flagged.filtered[0].filter.title, "noise");
await alice.v2.filters.$select(filter.id).remove();
await until("posts are found by their words", async () => (await alice.v2.search.list({ q: "picture", type: "statuses" })).statuses.some((s) => s.id === picture.id));

step("a hundred posts, page by page, none twice and none missing");
const made = new Set();
for (let i = 0; i < 100; i++) {
  made.add((await alice.v1.statuses.create({ status: `number ${i}`, visibility: "public" })).id);
}
const seen = [];
for await (const part of alice.v1.accounts.$select(me.id).statuses.list({ limit: 30 })) {
  seen.push(...part.map((s) => s.id));
}
assert.equal(new Set(seen).size, seen.length);
assert.ok([...made].every((id) => seen.includes(id)));

step("delete, and what the streams said");
const words = await alice.v1.statuses.$select(answer.id).remove();
assert.equal(words.text, `${handle} I did`);
await assert.rejects(alice.v1.statuses.$select(answer.id).fetch(), (e) => e.statusCode === 404);
await until("the deletion is heard", async () => heard.some((e) => e.name === "user" && e.event === "delete" && e.payload === answer.id));
assert.ok(heard.some((e) => e.name === "tag" && e.event === "update" && e.payload.id === picture.id));
assert.ok(heard.some((e) => e.name === "user" && e.event === "status.update" && e.payload.id === picture.id));
assert.ok(heard.some((e) => e.name === "user" && e.event === "notification" && e.payload.type === "mention"));
assert.ok(!heard.some((e) => e.name === "tag" && e.payload.id === quote.id));
streams.close();

step("go");
await oauth.revoke({ clientId: app.clientId, clientSecret: app.clientSecret, token: token.accessToken });
await assert.rejects(alice.v1.accounts.verifyCredentials(), (e) => e.statusCode === 401);
process.exit(0);
