// Keeps the page as it would be if it were opened now: new posts in its list, changed and
// deleted ones, and how many notifications are unread. It listens only while the page is
// looked at, since a browser has few connections for all its tabs.
import { parse } from "./part.js";
import { renew } from "./post.js";
import { tell } from "./tell.js";

const address = new URL(document.querySelector("main").dataset.live, location.href);
const list = document.querySelector("[data-fresh]");
const thread = address.searchParams.get("of") === "thread";
const most = 100; // new posts that are put into the list; then the page is opened anew
let source = null;
let added = 0;
let waiting = []; // new posts, the oldest first

function listen() {
  if (source || document.hidden) {
    return;
  }
  address.searchParams.set("at", location.pathname + location.search);
  source = new EventSource(address);
  for (const [name, heed] of Object.entries(heeds)) {
    source.addEventListener(name, (event) => {
      address.searchParams.set("since", event.lastEventId);
      heed(event.data);
    });
  }
  source.addEventListener("error", () => {
    if (source?.readyState === EventSource.CLOSED) { // the server does not want to; a lost connection is tried again by itself
      source = null;
      setTimeout(catchUp, 5000 + 10000 * Math.random());
    }
  });
}

// heeds are what to do when something happens.
const heeds = {
  posted: (text) => post(parse(text)),
  edited: (text) => change(parse(text)),
  deleted: (id) => remove("p" + id),
  told: (text) => {
    for (const way of document.querySelectorAll('a[href="/notifications"]')) {
      counted(way, parseInt(text), text.replace(/^\d+ /, ""));
    }
  },
  missed: () => catchUp(),
};

let leaving;
document.addEventListener("visibilitychange", () => {
  clearTimeout(leaving);
  if (!document.hidden) {
    listen();
    return;
  }
  leaving = setTimeout(() => {
    source?.close();
    source = null;
  }, 20000);
});

// catchUp reads the page again and takes what has changed.
async function catchUp() {
  if (document.hidden) {
    return;
  }
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const now = parse(await answer.text());
    if (answer.redirected && new URL(answer.url).pathname === "/sign-in") {
      const way = document.createElement("a");
      way.href = answer.url;
      way.textContent = now.querySelector("h1").textContent;
      tell("", [way]);
      return;
    }
    if (!answer.ok) {
      throw new Error(answer.statusText);
    }
    address.searchParams.set("since", new URL(now.querySelector("main").dataset.live, location.href).searchParams.get("since"));
    take(now);
    listen();
  } catch {
    setTimeout(catchUp, 15000 + 15000 * Math.random());
  }
}

function take(now) {
  for (const way of now.querySelectorAll(".ways a .count")) {
    const here = document.querySelector(`.ways a[href="${way.closest("a").getAttribute("href")}"]`);
    if (here) {
      counted(here, Number(way.textContent), way.nextElementSibling?.textContent ?? "");
    }
  }
  if (!list) {
    return;
  }
  const posts = [...now.querySelectorAll("[data-fresh] article.post")];
  const ids = new Set(posts.map((one) => one.id));
  for (const one of thread ? list.querySelectorAll("article.post") : []) {
    if (!ids.has(one.id)) {
      one.remove();
    }
  }
  for (const one of thread ? posts : posts.reverse()) {
    const old = one.id && document.getElementById(one.id);
    if (!old) {
      keep(one);
    } else if (!old.contains(document.activeElement) && old.textContent !== one.textContent) {
      renew(old, one);
    }
  }
  for (const way of thread ? now.querySelectorAll("[data-fresh] a[data-posts]") : []) {
    const old = [...list.querySelectorAll("a[data-posts]")].find((one) => one.href === new URL(way.getAttribute("href"), location.href).href);
    old ? old.replaceWith(way) : list.append(way.parentElement);
  }
  show();
}

// arrived puts a post there that somebody just wrote on this page. It says whether there
// is a list that takes new posts.
export function arrived(part) {
  post(part);
  if (waiting.length > 0) {
    newest();
  }
  return list !== null;
}

function post(part) {
  const one = part.querySelector("article.post");
  const old = one && document.getElementById(one.id);
  if (!one || old && one.querySelector(":scope > .by")) {
    return; // somebody shared what stands here already
  }
  if (old) {
    renew(old, one);
  } else {
    keep(one);
    show();
  }
}

function change(part) {
  const one = part.querySelector("article.post");
  const old = one && document.getElementById(one.id);
  if (old) {
    renew(old, one);
  }
  waiting = waiting.map((other) => (one && other.id === one.id ? one : other));
}

function remove(id) {
  waiting = waiting.filter((one) => one.id !== id);
  const old = document.getElementById(id);
  if (old?.matches("article.post")) {
    const next = old.contains(document.activeElement) ? old.nextElementSibling ?? list : null;
    old.remove();
    next?.focus();
  }
}

function keep(one) {
  if (list && waiting.length <= most && !waiting.some((other) => other.id === one.id)) {
    waiting.push(one);
  }
}

// show puts new posts into the list, or says that there are some while somebody reads
// further below or is in the middle of the list.
function show() {
  if (waiting.length === 0) {
    return;
  }
  if (thread || (scrollY < 200 && !list.contains(document.activeElement) && added + waiting.length <= most)) {
    put();
    return;
  }
  if (!bar.isConnected) {
    list.before(bar);
    said.textContent = bar.textContent;
  }
}

const bar = document.createElement("button");
bar.type = "button";
bar.className = "main fresh";
bar.textContent = list?.dataset.fresh ?? "";
bar.addEventListener("click", newest);

const said = document.createElement("p"); // read out once, politely
said.className = "quiet-text";
said.setAttribute("role", "status");
document.body.append(said);

// newest shows what is new and goes there.
export function newest() {
  if (!list) {
    return;
  }
  if (added + waiting.length > most) {
    location.reload();
    return;
  }
  put();
  scrollTo({ top: 0 });
  list.querySelector("article.post")?.focus({ preventScroll: true });
}

function put() {
  bar.remove();
  said.textContent = list.dataset.fresh;
  for (const one of waiting) {
    if (thread) {
      answer(one);
    } else {
      list.prepend(one);
    }
    added++;
  }
  waiting = [];
  if (!thread) {
    list.setAttribute("role", "feed");
    list.setAttribute("aria-label", document.querySelector("h1").textContent);
    list.querySelectorAll(":scope > article.post").forEach((one, i) => {
      one.setAttribute("aria-posinset", i + 1);
      one.setAttribute("aria-setsize", -1);
    });
    document.querySelector("main .empty:not(.end)")?.remove();
  }
}

const depth = (one) => Number(one.className.match(/depth-(\d)/)?.[1] ?? 0);

// answer puts a post below what it answers and the answers that are there.
function answer(one) {
  const parent = document.getElementById(one.dataset.answers);
  if (!parent?.matches("article.post")) {
    list.append(one);
    return;
  }
  let last = parent;
  for (let next = parent; (next = next.nextElementSibling) && (next.matches(".fold") || depth(next) > depth(parent));) {
    last = next; // what is folded up belongs to what stands before it
  }
  one.classList.replace("depth-0", "depth-" + Math.min(depth(parent) + 1, 4));
  last.after(one);
}

// counted says at a way on how much waits there.
function counted(way, count, text) {
  way.querySelectorAll(".count, .quiet-text").forEach((one) => one.remove());
  if (count > 0) {
    const [shown, said] = [document.createElement("span"), document.createElement("span")];
    shown.className = "count";
    shown.setAttribute("aria-hidden", "true");
    shown.textContent = count;
    said.className = "quiet-text";
    said.textContent = text;
    way.append(shown, said);
  }
}

listen();
