// What the replays share. Each is a page of another origin than the server: what a browser
// withholds from such a page fails here as it would in the app.

export const server = document.documentElement.dataset.server;

// begin runs a replay and tells on the page how it ended.
export async function begin(replay) {
  const main = document.querySelector("main");
  try {
    await replay();
    main.textContent = "The replay is done.";
  } catch (e) {
    main.textContent = `The replay failed: ${e.stack}`;
  }
}

export function check(ok, what) {
  if (!ok) {
    throw new Error(what);
  }
}

// has checks what an app reads of an answer: by name the type, "date", "array", the values
// that it knows, a pattern, or what is inside. With "?" it may be null.
export function has(value, wanted, where) {
  check(typeof value === "object" && value !== null, `${where} is ${JSON.stringify(value)}`);
  for (const [name, kind] of Object.entries(wanted)) {
    check(fits(value[name], kind, `${where}.${name}`), `${where}.${name} is ${JSON.stringify(value[name])}`);
  }
  return value;
}

function fits(v, kind, where) {
  if (kind instanceof RegExp) {
    return typeof v === "string" && kind.test(v);
  }
  if (Array.isArray(kind)) {
    return kind.includes(v);
  }
  if (typeof kind === "object") {
    return has(v, kind, where) === v;
  }
  if (kind.endsWith("?")) {
    return v === null || fits(v, kind.slice(0, -1), where);
  }
  switch (kind) {
    case "array":
      return Array.isArray(v);
    case "date":
      return typeof v === "string" && v.endsWith("Z") && !Number.isNaN(Date.parse(v));
    default:
      return typeof v === kind && v !== null;
  }
}

const web = /^https?:\/\//;

// What is read of an account and a post wherever one is shown.
const account = {
  id: /^\d+$/, acct: "string", username: "string", display_name: "string", note: "string", url: web, avatar: web, avatar_static: web, header: "string",
  emojis: "array", fields: "array", bot: "boolean", locked: "boolean", created_at: "date", followers_count: "number", following_count: "number", statuses_count: "number",
};
const status = {
  id: /^\d+$/, uri: web, url: web, account, content: "string", created_at: "date", spoiler_text: "string", sensitive: "boolean",
  visibility: ["public", "unlisted", "private", "direct"], media_attachments: "array", mentions: "array", tags: "array", emojis: "array",
  in_reply_to_id: "string?", in_reply_to_account_id: "string?", reblog: "object?", poll: "object?", card: "object?", edited_at: "date?", language: "string?",
  favourited: "boolean", reblogged: "boolean", bookmarked: "boolean", favourites_count: "number", reblogs_count: "number", replies_count: "number",
};

export const isAccount = (a) => has(a, account, "account");
export const isStatus = (s) => has(s, status, "status");

// ask calls the server. An answer that is not JSON breaks the apps, errors too.
export async function ask(method, path, { token, json, form, body, headers = {}, status = 200 } = {}) {
  if (token) {
    headers = { ...headers, Authorization: `Bearer ${token}` };
  }
  if (json) {
    headers = { ...headers, "Content-Type": "application/json" };
    body = JSON.stringify(json);
  }
  if (form) {
    headers = { ...headers, "Content-Type": "application/x-www-form-urlencoded" };
    body = new URLSearchParams(form).toString();
  }
  const res = await fetch(server + path, { method, headers, body });
  const text = await res.text();
  check(res.status === status, `${method} ${path}: ${res.status} ${text}`);
  check(/^application\/json\b/.test(res.headers.get("Content-Type")), `${method} ${path} is ${res.headers.get("Content-Type")}`);
  return { data: JSON.parse(text), headers: res.headers };
}

// whole reads a list to its end by the header Link, as masto.js does.
export async function whole(path, token) {
  const out = [];
  for (let next = path; next;) {
    const { data, headers } = await ask("GET", next, { token });
    out.push(...data);
    const link = /<([^>]+)>; rel="next"/.exec(headers.get("Link") ?? "");
    check(!link || link[1].startsWith(`${server}/`), `next is ${link}`);
    next = link?.[1].slice(server.length);
  }
  check(new Set(out.map((one) => one.id)).size === out.length, `${path} has something twice`);
  return out;
}

// listen opens a WebSocket; heard waits for an event that a test accepts.
export async function listen(address, protocols) {
  const socket = protocols === undefined ? new WebSocket(address) : new WebSocket(address, protocols);
  const events = [];
  const waiting = new Set();
  socket.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    check(typeof event.payload === "string" && Array.isArray(event.stream), `the stream said ${data}`);
    events.push({ ...event, payload: event.event === "delete" ? event.payload : JSON.parse(event.payload) });
    for (const look of waiting) {
      look();
    }
  };
  const closed = new Promise((done) => { socket.onclose = done; });
  const opened = new Promise((done) => { socket.onopen = () => done(true); });
  check(await Promise.race([opened, closed.then(() => false)]), "the WebSocket does not open");
  const heard = (what, test) => within(what, new Promise((done) => {
    const look = () => {
      const found = events.find(test);
      if (found) {
        waiting.delete(look);
        done(found);
      }
    };
    waiting.add(look);
    look();
  }));
  return { socket, closed, heard };
}

// within waits for something for some seconds.
export function within(what, promise) {
  return Promise.race([promise, new Promise((_, fail) => setTimeout(() => fail(new Error(`never: ${what}`)), 50_000))]);
}

// colleague lets ben answer a post; he is not part of the app.
export async function colleague(to) {
  const res = await fetch(`/colleague?to=${to}`, { method: "POST" });
  check(res.ok, await res.text());
}
