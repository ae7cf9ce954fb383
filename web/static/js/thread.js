// Marks in a conversation what was not there when its reader left it last. Only how far
// it was read is kept in the browser, and leaving is what counts as reading.
const name = "parley-read " + document.querySelector("main").dataset.me;
const threads = 200; // that are remembered
const list = document.querySelector("[data-unread]");

if (list) {
  const posts = () => [...list.querySelectorAll("article.post[id]")];
  const number = (post) => BigInt(post.id.slice(1));
  const root = posts()[0]?.id;
  const known = read();
  const until = known[root] && BigInt(known[root]);
  const fresh = until ? posts().filter((post) => number(post) > until && !post.querySelector("footer a[href$='/edit']")) : [];
  for (const post of fresh) {
    const mark = document.createElement("span");
    mark.className = "count";
    mark.textContent = list.dataset.unread;
    post.querySelector(".facts").prepend(mark);
  }
  if (fresh.length > 0) {
    const way = document.createElement("a");
    way.className = "button";
    way.href = "#" + fresh[0].id;
    way.textContent = list.dataset.jump;
    list.before(way);
  }
  addEventListener("pagehide", () => {
    const newest = posts().map(number).reduce((a, b) => (a > b ? a : b), 0n);
    const others = Object.entries(read()).filter(([id]) => id !== root).slice(-threads);
    try {
      localStorage.setItem(name, JSON.stringify(Object.fromEntries([...others, [root, String(newest)]])));
    } catch {
      // The browser keeps nothing; then nothing is marked.
    }
  });
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? {};
  } catch {
    return {};
  }
}
