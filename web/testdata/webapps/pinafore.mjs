// The first session of pinafore: the first version of the API, and the token in the address
// of the WebSocket.
import { ask, begin, check, colleague, has, isAccount, isStatus, listen, server } from "./ground.mjs";

const headers = { Accept: "application/json" };
const redirect = `${location.origin}/settings/instances/add`;
const code = new URLSearchParams(location.search).get("code");

begin(code ? session : login);

async function login() {
  const registration = ask("POST", "/api/v1/apps", { headers, json: { client_name: "Pinafore", redirect_uris: redirect, scopes: "read write follow push", website: "https://pinafore.social" } });
  isInstance((await ask("GET", "/api/v1/instance", { headers })).data);
  const { data: app } = await registration;
  has(app, { client_id: /./, client_secret: /./ }, "app");
  sessionStorage.setItem("app", JSON.stringify(app));
  location.href = `${server}/oauth/authorize?client_id=${encodeURIComponent(app.client_id)}&redirect_uri=${encodeURIComponent(redirect)}&response_type=code&scope=read%20write%20follow%20push`;
  await new Promise(() => {}); // the page goes
}

function isInstance(instance) {
  return has(instance, { uri: "string", title: "string", version: "string", urls: { streaming_api: /^wss?:/ }, configuration: { statuses: { max_characters: "number" }, polls: { max_options: "number" } } }, "instance");
}

async function session() {
  const app = JSON.parse(sessionStorage.getItem("app"));
  const { data: granted } = await ask("POST", "/oauth/token", { headers, json: { client_id: app.client_id, client_secret: app.client_secret, redirect_uri: redirect, grant_type: "authorization_code", code } });
  const token = has(granted, { access_token: /./ }, "token").access_token;
  const get = async (path) => (await ask("GET", path, { token, headers })).data;
  const post = async (path, json) => (await ask("POST", path, { token, headers, json })).data;

  const [me, emojis, instance] = await Promise.all([get("/api/v1/accounts/verify_credentials"), ask("GET", "/api/v1/custom_emojis", { headers }), get("/api/v1/instance")]);
  isAccount(me);
  has(me.source, { privacy: ["public", "unlisted", "private", "direct"], sensitive: "boolean" }, "me.source");
  check(Array.isArray(emojis.data), "emoji");
  isInstance(instance);
  for (const path of ["lists", "follow_requests", "bookmarks?limit=20", "conversations?limit=20"]) {
    check(Array.isArray(await get(`/api/v1/${path}`)), path);
  }
  has((await ask("GET", "/api/v1/push/subscription", { token, headers, status: 404 })).data, { error: /./ }, "no subscription");
  const [filter] = await get("/api/v1/filters");
  has(filter, { id: /^\d+$/, phrase: ["number 7"], context: "array", whole_word: [true], irreversible: [false], expires_at: "date?" }, "filter");

  // It hands null as the subprotocol, which a browser takes for the word.
  const { socket, heard } = await listen(`${instance.urls.streaming_api}/api/v1/streaming?stream=user&access_token=${encodeURIComponent(token)}`, null);
  const home = await get("/api/v1/timelines/home?limit=20");
  check(home.length === 20, `${home.length} posts at home`);
  home.forEach(isStatus);
  const older = await ask("GET", `/api/v1/timelines/home?max_id=${home[19].id}&limit=20`, { token, headers });
  check(older.data.length === 20 && BigInt(older.data[0].id) < BigInt(home[19].id), "the second page");
  check(/rel="next"/.test(older.headers.get("Link")), "no header Link");
  const told = await get("/api/v1/notifications?limit=20");
  check(Array.isArray(told), "notifications");

  const written = isStatus(await post("/api/v1/statuses", { status: "written in pinafore", visibility: "public" }));
  await heard("the post", (e) => e.event === "update" && e.payload.id === written.id);
  has(await post(`/api/v1/statuses/${home[2].id}/favourite`), { favourited: [true] }, "liked");
  await colleague(written.id);
  const { payload } = await heard("the mention", (e) => e.event === "notification" && e.payload.type === "mention");
  isStatus(payload.status);
  const [thread, itself] = await Promise.all([get(`/api/v1/statuses/${written.id}/context`), get(`/api/v1/statuses/${written.id}`)]);
  has(thread.descendants[0], { id: [payload.status.id], in_reply_to_id: [written.id] }, "the reply");
  isStatus(itself);
  has(await get(`/api/v2/search?q=ben&resolve=true&limit=40`), { accounts: "array", hashtags: "array", statuses: "array" }, "found");
  socket.close();
}
