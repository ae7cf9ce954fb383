// Marks in a conversation what was not there when its reader left it last. Only how far
// it was read is kept in the browser, and leaving is what counts as reading.
const name = "parley-read " + document.querySelector("main").dataset.me;
const threads = 200; // that are remembered
const list = document.querySelector("[data-unread]");

if (list) {
  const posts = () => [...list.querySelectorAll("article.post[id]")];
  const number = (post) => BigInt(post.id.slice(1));
  const ways = () => [...list.querySelectorAll("a[data-posts]")]; // to what stands on other pages
  const behind = (way) => way.dataset.posts.split(" ").map(BigInt);
  const root = posts()[0]?.id;
  // How far it was read, and what was read beyond that: the ways may lead to older ones.
  const [until, ...seen] = (read()[root] ?? "").split(" ").filter(Boolean).map(BigInt);
  const unread = (id) => until !== undefined && id > until && !seen.includes(id);
  const fresh = [
    ...posts().filter((post) => unread(number(post)) && !post.querySelector("footer a[href$='/edit']")),
    ...ways().filter((way) => way.hash && behind(way).some(unread)),
  ];
  for (const one of fresh) {
    const mark = document.createElement("span");
    mark.className = "count";
    mark.textContent = list.dataset.unread;
    (one.querySelector(".facts") ?? one.parentElement).prepend(mark, " ");
  }
  if (fresh.length > 0) {
    const way = document.createElement("a");
    way.className = "button";
    way.href = fresh[0].id ? "#" + fresh[0].id : fresh[0].href;
    way.textContent = list.dataset.jump;
    list.before(way);
  }
  addEventListener("pagehide", () => {
    const known = [...new Set([until ?? 0n, ...seen, ...posts().map(number)])].sort((a, b) => (a < b ? -1 : 1));
    const missing = ways().flatMap(behind).filter((id) => id > (until ?? 0n) && !known.includes(id));
    const gap = missing.reduce((a, b) => (a < b ? a : b), known.at(-1) + 1n);
    const beyond = known.filter((id) => id > gap);
    const kept = [known[known.length - beyond.length - 1], ...beyond].join(" ");
    const others = Object.entries(read()).filter(([id]) => id !== root).slice(-threads);
    try {
      localStorage.setItem(name, JSON.stringify(Object.fromEntries([...others, [root, kept]])));
    } catch {
      // The browser keeps nothing; then nothing is marked.
    }
  });
  if (/^#p\d+$/.test(location.hash) && !document.querySelector(location.hash) && ways().some((way) => behind(way).includes(BigInt(location.hash.slice(2))))) {
    const to = new URL(location.href);
    to.searchParams.set("from", to.hash.slice(2));
    location.replace(to);
  }
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? {};
  } catch {
    return {};
  }
}
