// A small server written with Fedify, for interop tests. It speaks one signature
// dialect only (PEER_DIALECT: cavage or rfc9421): what comes in the other one is
// answered with 401, and what goes out begins with it.
//
// It is driven over a plain HTTP port of its own: POST /<verb> with JSON runs one of
// `verbs` below; GET /log answers what was seen on the wire and what it meant. The
// first line of stdout is JSON with both addresses. It ends when stdin does.
import { AsyncLocalStorage } from "node:async_hooks";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import {
  createFederation, generateCryptoKeyPair, getDocumentLoader, MemoryKvStore, signRequest, verifyObject, verifyRequestDetailed,
} from "@fedify/fedify";
import {
  Accept, Activity, Announce, Create, Delete, Endpoints, Follow, Like, Mention, Note, Person, PUBLIC_COLLECTION,
  Tombstone, Undo, Update,
} from "@fedify/fedify/vocab";
import { Temporal } from "@js-temporal/polyfill";

const specs = { cavage: "draft-cavage-http-signatures-12", rfc9421: "rfc9421" };
const dialect = process.env.PEER_DIALECT;
if (!(dialect in specs)) throw new Error("PEER_DIALECT is cavage or rfc9421");

// --- what it knows -------------------------------------------------------------

const people = { bob: "Bob of the peer", mallory: "Mallory, whom nobody follows" };
const keys = {};
const followers = { bob: new Map(), mallory: new Map() }; // actor id -> recipient
let written = 0;
const notes = new Map(); // id -> {author, text, audience, replyTo, mention, published, updated}
const wire = { in: [], out: [] };
const effects = [];

for (const who of Object.keys(people)) {
  keys[who] = [
    await crypto.subtle.generateKey(
      { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" },
      true, ["sign", "verify"]),
    await generateCryptoKeyPair("Ed25519"),
  ];
}

const dialectOf = (headers) =>
  headers.has("Signature-Input") ? "rfc9421" : headers.has("Signature") ? "cavage" : "none";

// Everything that Fedify sends passes here, so the wire itself is recorded.
const send = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const request = input instanceof Request ? input : new Request(input, init);
  const seen = { method: request.method, url: request.url, dialect: dialectOf(request.headers), status: 0 };
  wire.out.push(seen);
  const response = await send(input, init);
  seen.status = response.status;
  return response;
};

// --- the server ----------------------------------------------------------------

const server = https.createServer({ cert: readFileSync(process.env.PEER_CERT), key: readFileSync(process.env.PEER_KEY) });
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const origin = `https://127.0.0.1:${server.address().port}`;

// Fedify 2.3.6 signs the fragment of a key's address as a part of @target-uri, which
// never reaches the server that should verify it, and would learn from that refusal
// to speak cavage for ever. So this peer does not learn: each request begins with
// its own dialect.
const kv = new MemoryKvStore();
const learnt = ["learnt dialects"];
const keep = kv.set.bind(kv);
kv.set = async (key, ...rest) => { if (key[0] !== learnt[0]) await keep(key, ...rest); };

const federation = createFederation({
  kv, // and no queue: what is sent has arrived, or throws
  kvPrefixes: { httpMessageSignaturesSpec: learnt },
  origin,
  allowPrivateAddress: true,
  firstKnock: specs[dialect],
  inboxChallengePolicy: { enabled: dialect === "rfc9421" },
});
const context = () => federation.createContext(new URL(origin), undefined);

federation
  .setActorDispatcher("/users/{identifier}", async (ctx, who) => {
    if (!(who in people)) return null;
    const pairs = await ctx.getActorKeyPairs(who);
    return new Person({
      id: ctx.getActorUri(who), preferredUsername: who, name: people[who], url: ctx.getActorUri(who),
      inbox: ctx.getInboxUri(who), endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
      outbox: ctx.getOutboxUri(who), followers: ctx.getFollowersUri(who),
      publicKey: pairs[0].cryptographicKey, assertionMethods: pairs.map((p) => p.multikey),
    });
  })
  .setKeyPairsDispatcher((_, who) => keys[who] ?? []);

federation.setFollowersDispatcher("/users/{identifier}/followers", (_, who) => ({ items: [...(followers[who]?.values() ?? [])] }));

federation.setOutboxDispatcher("/users/{identifier}/outbox", (ctx, who) => ({
  items: [...notes].filter(([, n]) => n.author === who && n.audience === "public").reverse().map(([id]) => create(ctx, id)),
}));

// A note for followers is shown to whoever signs the request as one of them.
federation
  .setObjectDispatcher(Note, "/users/{identifier}/notes/{number}", (ctx, values) => {
    const id = ctx.getObjectUri(Note, values).href;
    return notes.has(id) ? note(ctx, id) : null;
  })
  .authorize(async (ctx, values) => {
    const n = notes.get(ctx.getObjectUri(Note, values).href);
    if (n == null || n.audience === "public") return true;
    const owner = await ctx.getSignedKeyOwner();
    if (owner != null) delivery.getStore().signer = owner.id.href;
    return owner != null && followers[n.author].has(owner.id.href);
  });

function note(ctx, id) {
  const n = notes.get(id);
  const [to, cc] = [PUBLIC_COLLECTION, ctx.getFollowersUri(n.author)];
  return new Note({
    id: new URL(id), attribution: ctx.getActorUri(n.author), content: n.text, url: new URL(id),
    tos: n.audience === "public" ? [to] : [cc], ccs: [n.audience === "public" ? cc : null, n.mention && new URL(n.mention.id)].filter(Boolean),
    tags: n.mention ? [new Mention({ href: new URL(n.mention.id), name: n.mention.handle })] : [],
    replyTarget: n.replyTo ? new URL(n.replyTo) : null, published: n.published, updated: n.updated,
  });
}

function create(ctx, id) {
  const object = note(ctx, id);
  return new Create({ id: new URL(`${id}#create`), actor: object.attributionId, object, tos: object.toIds, ccs: object.ccIds });
}

// --- what comes in -------------------------------------------------------------

const delivery = new AsyncLocalStorage(); // the request that an activity came with

// effect keeps what Fedify understood of an activity, with how it came.
function effect(type, activity, more = {}) {
  effects.push({ type, id: activity.id?.href, actor: activity.actorId?.href, object: activity.objectId?.href, ...delivery.getStore(), ...more });
}

const described = (n) => ({
  object: n.id.href, content: String(n.content ?? ""), by: n.attributionId?.href, replyTo: n.replyTargetId?.href,
  edited: n.updated != null, to: [...n.toIds, ...n.ccIds].map((u) => u.href),
});

federation
  .setInboxListeners("/users/{identifier}/inbox", "/inbox")
  .on(Follow, async (ctx, follow) => {
    const { identifier } = ctx.parseUri(follow.objectId);
    const follower = await follow.getActor(ctx);
    followers[identifier].set(follower.id.href, follower);
    effect("Follow", follow);
    await ctx.sendActivity({ identifier }, follower,
      new Accept({ id: freshID(), actor: follow.objectId, to: follower.id, object: follow }));
  })
  .on(Accept, (_, a) => { // by the id of what was sent: Fedify does not trust an embedded object of another origin
    const [asked] = done.get(a.objectId.href);
    effect("Accept", a, { object: asked.objectId.href });
  })
  .on(Create, async (ctx, a) => effect("Create", a, described(await a.getObject(ctx))))
  .on(Update, async (ctx, a) => effect("Update", a, described(await a.getObject(ctx))))
  .on(Delete, async (ctx, a) => effect("Delete", a, { tombstone: (await a.getObject(ctx)) instanceof Tombstone }))
  .on(Like, (_, a) => effect("Like", a))
  .on(Announce, (_, a) => effect("Announce", a))
  .on(Undo, async (ctx, a) => {
    const undone = await a.getObject(ctx);
    if (undone.actorId?.href !== a.actorId?.href) throw new Error("somebody else's activity is undone");
    if (undone instanceof Follow) followers[ctx.parseUri(undone.objectId).identifier].delete(a.actorId.href);
    effect("Undo", a, { undone: undone.constructor.name, undoneID: undone.id?.href, object: undone.objectId?.href });
  })
  .onError((_, error) => { if (delivery.getStore()) delivery.getStore().error = String(error.stack); });

// A proof (FEP-8b32) beside the HTTP signature is checked when there is one.
async function proofOf(ctx, body) {
  if (body?.proof == null) return "none";
  return (await verifyObject(Activity, body, ctx)) == null ? "invalid" : "valid";
}

async function answer(request) {
  const seen = { method: request.method, path: new URL(request.url).pathname, dialect: dialectOf(request.headers), status: 0 };
  wire.in.push(seen);
  const done = (response) => { seen.status = response.status; return response; };
  if (seen.dialect !== "none" && seen.dialect !== dialect) {
    const ask = dialect === "rfc9421" ? { "Accept-Signature": 'sig1=("@method" "@target-uri" "@authority");created;keyid' } : {};
    return done(new Response(`only ${dialect} is spoken here\n`, { status: 401, headers: ask }));
  }
  if (request.method === "POST") {
    // Fedify would take a proof instead of the signature; here the signature counts.
    const ctx = context();
    const result = await verifyRequestDetailed(request.clone(), ctx);
    if (!result.verified) return done(new Response(`not verified: ${JSON.stringify(result.reason)}\n`, { status: 401 }));
    seen.key = result.key.id.href;
    seen.proof = await proofOf(ctx, await request.clone().json());
  }
  return done(await delivery.run(seen, () => federation.fetch(request, { contextData: undefined })));
}

async function bodyOf(incoming) {
  const parts = [];
  for await (const part of incoming) parts.push(part);
  return Buffer.concat(parts);
}

server.on("request", async (incoming, outgoing) => {
  try {
    const body = await bodyOf(incoming);
    const headers = Object.entries(incoming.headers).flatMap(([k, v]) => [v].flat().map((one) => [k, one]));
    const response = await answer(new Request(origin + incoming.url, { method: incoming.method, headers, body: body.length ? body : undefined }));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  } catch (error) {
    outgoing.writeHead(500).end(String(error.stack));
  }
});

// --- what it is told to do -----------------------------------------------------

const freshID = () => new URL(`${origin}/activities/${crypto.randomUUID()}`);
const done = new Map(); // id of an activity -> the activity, to undo it

async function person(id) {
  const ctx = context();
  const found = await ctx.lookupObject(id, { documentLoader: await ctx.getDocumentLoader({ identifier: "bob" }) });
  if (found?.inboxId == null) throw new Error(`${id} is nobody`);
  return found;
}

async function act(Kind, object, to) {
  const ctx = context();
  const activity = new Kind({ id: freshID(), actor: ctx.getActorUri("bob"), object, to: Kind === Announce ? PUBLIC_COLLECTION : to.id, cc: to.id });
  await ctx.sendActivity({ identifier: "bob" }, to, activity);
  done.set(activity.id.href, [activity, to]);
  return { id: activity.id.href };
}

// toReaders sends to followers and whoever is named.
async function toReaders(id, activity) {
  const n = notes.get(id);
  const readers = [...followers.bob.values()];
  if (n.mention) readers.push(await person(n.mention.id));
  await context().sendActivity({ identifier: "bob" }, readers, activity, { preferSharedInbox: n.audience === "public" });
  return { id };
}

// forged is a note of bob's whose request is signed by Fedify and then spoiled.
async function forged({ inbox, kind }) {
  const ctx = context();
  const id = new URL(`${origin}/users/bob/notes/forged-${crypto.randomUUID()}`);
  const object = new Note({ id, attribution: ctx.getActorUri("bob"), content: `this is ${kind}`, to: PUBLIC_COLLECTION });
  const activity = new Create({ id: freshID(), actor: ctx.getActorUri("bob"), object, to: PUBLIC_COLLECTION });
  const body = JSON.stringify(await activity.toJsonLd(ctx));
  const hours = kind === "stale" ? -2 : kind === "early" ? 2 : 0;
  const signed = await signRequest(
    new Request(inbox, { method: "POST", body, headers: { "Content-Type": "application/activity+json" } }),
    keys.bob[0].privateKey, (await ctx.getActorKeyPairs("bob"))[0].keyId,
    { spec: specs[dialect], currentTime: Temporal.Now.instant().add({ hours }) });
  const sent = kind === "tampered" ? body.replace("this is", "this was") : body;
  const response = await send(new Request(inbox, { method: "POST", headers: signed.headers, body: sent }));
  return { id: id.href, status: response.status, asks: response.headers.get("Accept-Signature") ?? "" };
}

const verbs = {
  lookup: async ({ handle }) => {
    const found = await person(handle);
    const keys = []; // FEP-521a: proofs (FEP-8b32) are held against these
    for await (const k of found.getAssertionMethods(context())) keys.push(k);
    return {
      id: found.id.href, name: String(found.name), inbox: found.inboxId.href, outbox: found.outboxId.href,
      keys: keys.map((k) => `${k.publicKey.algorithm.name} ${k.id.href}`),
    };
  },
  follow: async ({ who }) => { const to = await person(who); return await act(Follow, to.id, to); },
  like: async ({ object, of }) => await act(Like, new URL(object), await person(of)),
  announce: async ({ object, of }) => await act(Announce, new URL(object), await person(of)),
  undo: async ({ id }) => { const [activity, to] = done.get(id); return await act(Undo, activity, to); },
  // bare: the activity names the note only, so that the other side has to fetch it.
  post: async ({ text, audience = "public", replyTo, mention, bare }) => {
    const ctx = context();
    const id = ctx.getObjectUri(Note, { identifier: "bob", number: String(++written) }).href;
    notes.set(id, { author: "bob", text, audience, replyTo, mention, published: Temporal.Now.instant() });
    const whole = create(ctx, id);
    return await toReaders(id, bare ? whole.clone({ object: new URL(id) }) : whole);
  },
  edit: async ({ id, text }) => {
    Object.assign(notes.get(id), { text, updated: Temporal.Now.instant() });
    const object = note(context(), id);
    return await toReaders(id, new Update({ id: freshID(), actor: object.attributionId, object, tos: object.toIds, ccs: object.ccIds }));
  },
  delete: async ({ id }) => {
    const object = new Tombstone({ id: new URL(id) });
    const sent = await toReaders(id, new Delete({ id: freshID(), actor: context().getActorUri("bob"), object, to: PUBLIC_COLLECTION }));
    notes.delete(id);
    return sent;
  },
  // fetch reads a document with the signature of a person, or without any.
  fetch: async ({ url, as }) => {
    const ctx = context();
    const load = as ? await ctx.getDocumentLoader({ identifier: as }) : getDocumentLoader({ allowPrivateAddress: true }); // neither has a cache
    try {
      return { status: 200, document: (await load(url)).document };
    } catch (error) {
      if (error.response == null) throw error;
      return { status: error.response.status };
    }
  },
  // walk lists what a collection holds for a person.
  walk: async ({ url, as }) => {
    const ctx = context();
    const documentLoader = as ? await ctx.getDocumentLoader({ identifier: as }) : ctx.documentLoader;
    const ids = [];
    for await (const item of ctx.traverseCollection(await ctx.lookupObject(url, { documentLoader }), { documentLoader })) {
      ids.push(item.objectId?.href ?? item.id.href);
    }
    return { ids };
  },
  forged,
};

const control = http.createServer(async (incoming, outgoing) => {
  const reply = (status, value) => outgoing.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
  try {
    if (incoming.url === "/log") return reply(200, { wire, effects });
    reply(200, await verbs[incoming.url.slice(1)](JSON.parse(await bodyOf(incoming))));
  } catch (error) {
    reply(500, { error: String(error.stack) });
  }
});
await new Promise((listening) => control.listen(0, "127.0.0.1", listening));
console.log(JSON.stringify({ origin, control: `http://127.0.0.1:${control.address().port}` }));
process.stdin.resume().on("end", () => process.exit(0));
