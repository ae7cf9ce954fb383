// The first session of Phanpy: all of it in the browser, PKCE since the server says so, one
// WebSocket with the token as subprotocol.
import { ask, begin, check, colleague, has, isAccount, isStatus, listen, server, whole, within } from "./ground.mjs";

const scopes = "read write follow push";
const redirect = location.origin + location.pathname;
const code = new URLSearchParams(location.search).get("code");

begin(code ? session : login);

async function login() {
  const meta = await (await fetch(`${server}/.well-known/host-meta`)).text();
  const template = new DOMParser().parseFromString(meta, "text/xml").querySelector("Link[rel=lrdd]").getAttribute("template");
  check(new URL(template).origin === server, template);
  const { data: metadata } = await ask("GET", "/.well-known/oauth-authorization-server");
  check(metadata.code_challenge_methods_supported.includes("S256"), "no PKCE");

  const { data: app } = await ask("POST", "/api/v1/apps", { form: { client_name: "Phanpy", redirect_uris: redirect, scopes, website: "https://phanpy.social" } });
  has(app, { client_id: /./, client_secret: /./, vapid_key: /./ }, "app");
  const verifier = Array.from(crypto.getRandomValues(new Uint8Array(28)), (b) => b.toString(16).padStart(2, "0")).join("");
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  const challenge = btoa(String.fromCharCode(...hash)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  sessionStorage.setItem("login", JSON.stringify({ app, verifier }));
  location.href = `${server}/oauth/authorize?${new URLSearchParams({ client_id: app.client_id, code_challenge_method: "S256", code_challenge: challenge, redirect_uri: redirect, response_type: "code", scope: scopes })}`;
  await new Promise(() => {}); // the page goes
}

async function session() {
  const { app, verifier } = JSON.parse(sessionStorage.getItem("login"));
  const { data: granted } = await ask("POST", "/oauth/token", { form: { client_id: app.client_id, redirect_uri: redirect, grant_type: "authorization_code", code, scope: scopes, client_secret: app.client_secret, code_verifier: verifier } });
  const token = has(granted, { access_token: /./, token_type: ["Bearer"] }, "token").access_token;
  const get = async (path) => (await ask("GET", path, { token })).data;

  const [preferences, instance, me] = await Promise.all([get("/api/v1/preferences"), get("/api/v2/instance"), get("/api/v1/accounts/verify_credentials")]);
  has(preferences, { "posting:default:visibility": ["public", "unlisted", "private", "direct"], "posting:default:sensitive": "boolean", "posting:default:language": "string?", "reading:expand:media": ["default", "show_all", "hide_all"], "reading:expand:spoilers": "boolean" }, "preferences");
  has(instance, {
    domain: /\./, title: "string", version: /^\d+\.\d+\.\d+(\+[\w.-]+)?$/, languages: "array", rules: "array", thumbnail: { url: "string" },
    configuration: {
      urls: { streaming: /^wss?:/ }, statuses: { max_characters: "number", max_media_attachments: "number", characters_reserved_per_url: "number" },
      media_attachments: { supported_mime_types: "array", image_size_limit: "number", description_limit: "number" },
      polls: { max_options: "number", max_characters_per_option: "number", min_expiration: "number", max_expiration: "number" },
    },
  }, "instance");
  isAccount(me);
  has(me.source, { privacy: ["public", "unlisted", "private", "direct"], note: "string", fields: "array" }, "me.source");
  const nodes = await (await fetch(`${server}/.well-known/nodeinfo`)).json();
  check(nodes.links.every((l) => l.rel.startsWith("http://nodeinfo.diaspora.software/ns/schema/") && l.href.startsWith(server)), "nodeinfo");

  const streaming = new URL("/api/v1/streaming", instance.configuration.urls.streaming);
  const { socket, closed, heard } = await listen(streaming, [token]);
  check(socket.protocol === token, "the subprotocol is not echoed");
  socket.send(JSON.stringify({ type: "subscribe", stream: "user" }));
  socket.send(JSON.stringify({ type: "subscribe", stream: "user:notification" }));

  const home = await get("/api/v1/timelines/home?limit=20");
  check(home.length === 20, `${home.length} posts at home`);
  home.forEach(isStatus);
  check(home.every((s, i) => i === 0 || Date.parse(s.created_at) <= Date.parse(home[i - 1].created_at)), "home is not newest first");
  const newer = await get(`/api/v1/timelines/home?limit=5&since_id=${home[0].id}`);
  check(newer.length === 0, `home begins with ${home[0].id} of ${home[0].created_at}, but newer is ${newer.map((s) => `${s.id} of ${s.created_at} ${s.content}`)}`);
  const all = await whole("/api/v1/timelines/home?limit=20", token);
  check(all.length > 40, "home ends too soon");
  for (const path of ["followed_tags?limit=200", "lists", "announcements", "custom_emojis", "follow_requests?limit=80", "bookmarks?limit=20", "conversations?limit=20"]) {
    check(Array.isArray(await get(`/api/v1/${path}`)), path);
  }
  const [filter] = await get("/api/v2/filters");
  has(filter, { id: /^\d+$/, title: ["sevens"], context: "array", filter_action: ["warn"], keywords: "array", statuses: "array", expires_at: "date?" }, "filter");
  const marked = all.filter((s) => s.filtered.length > 0);
  check(marked.length === 1, `${marked.length} posts are marked by the filter`);
  has(marked[0].filtered[0], { filter: { id: [filter.id], title: ["sevens"], filter_action: ["warn"], context: "array" }, keyword_matches: "array" }, "filtered");
  has(await get("/api/v1/markers?timeline=notifications"), {}, "markers");
  const { data: none } = await ask("GET", "/api/v1/push/subscription", { token, status: 404 });
  has(none, { error: /not found|unknown/i }, "no subscription"); // any other text is a failure to it

  // A post; what is sent again by the same key is the same post.
  const draft = { status: "written in Phanpy", visibility: "public", sensitive: false, language: "en" };
  const send = () => ask("POST", "/api/v1/statuses", { token, json: draft, headers: { "Idempotency-Key": "phanpy-1" } });
  const { data: post } = await send();
  isStatus(post);
  check((await send()).data.id === post.id, "posted twice");
  await heard("the post", (e) => e.event === "update" && e.stream.includes("user") && e.payload.id === post.id);

  // A like; the button reads it back.
  const { data: liked } = await ask("POST", `/api/v1/statuses/${home[0].id}/favourite`, { token });
  isStatus(liked);
  has(liked, { id: [home[0].id], favourited: [true], favourites_count: [home[0].favourites_count + 1] }, "liked");

  // A reply comes by the stream, and stands in the thread.
  await colleague(post.id);
  const { payload: told } = await heard("the mention", (e) => e.event === "notification" && e.stream.includes("user:notification"));
  has(told, { id: /^\d+$/, type: ["mention"], created_at: "date" }, "notification");
  isAccount(told.account);
  isStatus(told.status);
  const [thread, again] = await Promise.all([get(`/api/v1/statuses/${post.id}/context`), get(`/api/v1/statuses/${post.id}`)]);
  check(thread.ancestors.length === 0 && thread.descendants.length === 1, "the thread");
  isStatus(thread.descendants[0]);
  has(thread.descendants[0], { id: [told.status.id], in_reply_to_id: [post.id], in_reply_to_account_id: [me.id] }, "the reply");
  has(again, { replies_count: [1] }, "the post");

  const notifications = await get("/api/v1/notifications?limit=80&exclude_types[]=follow_request");
  has(notifications[0], { id: [told.id] }, "the newest notification");
  const { data: position } = await ask("POST", "/api/v1/markers", { token, json: { notifications: { last_read_id: told.id } } });
  has(position.notifications, { last_read_id: [told.id], version: "number", updated_at: "date" }, "marker");
  const [relation] = await get(`/api/v1/accounts/relationships?id[]=${told.account.id}`);
  has(relation, { id: [told.account.id], following: [true], requested: "boolean", blocking: "boolean", muting: "boolean", note: "string" }, "relationship");
  const found = await get(`/api/v2/search?q=ben&type=accounts&limit=5&resolve=false`);
  check(found.accounts.some((a) => a.id === told.account.id), "ben is not found");
  isAccount(found.accounts[0]);

  // Signing out ends the token, and what listened by it.
  await ask("POST", "/oauth/revoke", { form: { client_id: app.client_id, client_secret: app.client_secret, token } });
  has((await ask("GET", "/api/v1/accounts/verify_credentials", { token, status: 401 })).data, { error: /./ }, "signed out");
  await within("the WebSocket closes", closed);
}
