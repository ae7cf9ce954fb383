// The first session of Elk: its own server registers it and exchanges the code, the browser
// does the rest; no PKCE, and pictures by the older address.
import { ask, begin, check, colleague, has, isAccount, isStatus, listen, server, whole } from "./ground.mjs";

const host = new URL(server).host;
const token = new URLSearchParams(location.search).get("token");

begin(token ? session : login);

async function login() {
  const body = JSON.stringify({ origin: location.origin, force_login: false, lang: "en-US" });
  const res = await fetch(`/api/${host}/login`, { method: "POST", body });
  const address = await res.text();
  check(res.ok, address);
  location.href = address;
  await new Promise(() => {}); // the page goes
}

async function session() {
  const get = async (path) => (await ask("GET", path, { token })).data;
  const node = await (await fetch(`${server}/nodeinfo/2.0`)).json(); // guessed; an error is read too
  check(typeof node === "object", "nodeinfo");
  const [instance, me, preferences, none] = await Promise.all([
    get("/api/v2/instance"), get("/api/v1/accounts/verify_credentials"), get("/api/v1/preferences"),
    ask("GET", "/api/v1/push/subscription", { token, status: 404 }),
  ]);
  has(instance, {
    domain: /./, title: "string", description: "string", version: "string", rules: "array", contact: { email: "string", account: "object?" }, thumbnail: { url: "string" },
    configuration: {
      urls: { streaming: /^wss?:/ }, vapid: { public_key: [new URLSearchParams(location.search).get("vapid_key")] },
      statuses: { max_characters: "number", max_media_attachments: "number" }, polls: { max_options: "number", max_characters_per_option: "number" },
      media_attachments: { supported_mime_types: "array", image_size_limit: "number", image_matrix_limit: "number" },
    },
  }, "instance");
  isAccount(me);
  has(me.source, { language: "string?", privacy: "string" }, "me.source");
  has(preferences, { "reading:expand:spoilers": "boolean", "reading:expand:media": "string" }, "preferences");
  has(none.data, { error: /./ }, "no subscription");

  const { socket, heard } = await listen(new URL("/api/v1/streaming", instance.configuration.urls.streaming), [token]);
  check(socket.protocol === token, "the subprotocol is not echoed");
  socket.send(JSON.stringify({ type: "subscribe", stream: "user" }));

  const home = await get("/api/v1/timelines/home?limit=30");
  check(home.length === 30, `${home.length} posts at home`);
  home.forEach(isStatus);
  check((await whole("/api/v1/timelines/home?limit=30", token)).length > 40, "home ends too soon");
  const position = await get("/api/v1/markers?timeline[]=notifications");
  has(position.notifications, { last_read_id: "string" }, "marker");
  const notifications = await get("/api/v1/notifications?limit=30");
  check(notifications.some((n) => n.id === position.notifications.last_read_id), "what was read last is not in the list");
  for (const path of ["custom_emojis", "followed_tags", "lists", "bookmarks", "conversations"]) {
    check(Array.isArray(await get(`/api/v1/${path}`)), path);
  }

  // A post with a picture, described afterwards.
  const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 30 });
  const file = new FormData();
  file.set("file", await new Promise((done) => canvas.toBlob(done, "image/png")), "dot.png");
  const { data: media } = await ask("POST", "/api/v1/media", { token, body: file });
  has(media, { id: /^\d+$/, type: ["image"], url: /^http/, preview_url: /^http/, description: "string?", blurhash: "string?", meta: { original: { width: [40], height: [30], aspect: "number" } } }, "media");
  has((await ask("PUT", `/api/v1/media/${media.id}`, { token, json: { description: "nothing" } })).data, { description: ["nothing"] }, "described");
  const draft = { status: "written in Elk", visibility: "public", sensitive: false, spoiler_text: "", language: "en", media_ids: [media.id] };
  const { data: post } = await ask("POST", "/api/v1/statuses", { token, json: draft });
  isStatus(post);
  check(post.visibility === "private", `for the company it is ${post.visibility}`); // as far as the app may publish
  has(post.media_attachments[0], { id: [media.id], type: ["image"], description: ["nothing"] }, "the picture");
  await heard("the post", (e) => e.event === "update" && e.payload.id === post.id);
  check((await fetch(post.media_attachments[0].preview_url)).ok, "the picture cannot be read");

  const { data: liked } = await ask("POST", `/api/v1/statuses/${home[1].id}/favourite`, { token });
  isStatus(liked);
  has(liked, { favourited: [true], favourites_count: [home[1].favourites_count + 1] }, "liked");

  await colleague(post.id);
  const { payload: told } = await heard("the mention", (e) => e.event === "notification" && e.stream.includes("user"));
  has(told, { type: ["mention"] }, "notification");
  isStatus(told.status);
  const thread = await get(`/api/v1/statuses/${post.id}/context`);
  has(thread.descendants[0], { id: [told.status.id], in_reply_to_id: [post.id] }, "the reply");
  const ben = await get(`/api/v1/accounts/lookup?acct=${told.account.acct}`);
  isAccount(ben);
  has((await get(`/api/v1/accounts/relationships?id[]=${ben.id}`))[0], { following: [true] }, "relationship");
  const posts = await get(`/api/v1/accounts/${ben.id}/statuses?limit=30&exclude_replies=true`);
  check(posts.length === 30 && !posts.some((s) => s.in_reply_to_id), "ben's posts");
  const found = await get(`/api/v2/search?q=${encodeURIComponent("@ben")}&type=accounts&resolve=true`);
  check(found.accounts.some((a) => a.id === ben.id), "ben is not found");

  // An address that is not there is told as JSON, not as a page.
  has((await ask("GET", "/api/v1/collections", { token, status: 404 })).data, { error: /./ }, "a missing address");
  socket.close();
}
