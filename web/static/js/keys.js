// Keyboard shortcuts and the command menu. None works in a field or with another key held,
// and a member can switch them off.
import { parse } from "./part.js";
import { newest } from "./live.js";

const posts = () => [...document.querySelectorAll("main article.post")].filter((one) => one.checkVisibility());
const current = () => document.activeElement?.closest("article.post");

// step goes to the next post in a direction; at first to the first that is in sight.
function step(way) {
  const all = posts();
  const here = all.indexOf(current());
  const next = here < 0 ? all.find((one) => one.getBoundingClientRect().bottom > 80) : all[here + way];
  if (next) {
    next.focus({ preventScroll: true, focusVisible: true });
    next.scrollIntoView({ block: "nearest" });
  }
}

const press = (selector) => () => current()?.querySelector(selector)?.click();
const go = (address) => () => { location.href = address; };

const keys = {
  j: () => step(1),
  k: () => step(-1),
  o: press(".facts a"),
  r: press("footer a[href$='#f-text']"),
  f: press("form[action$='like'] button"),
  b: press("form[action$='bookmark'] button, a[href^='/bookmarks/']"),
  n: () => document.querySelector("a.write").click(),
  "/": () => document.querySelector("#seek").focus(),
  ".": newest,
  "?": help,
};

const places = {
  h: go("/"),
  n: go("/notifications"),
  p: () => document.querySelector(".ways a[href^='/@']").click(),
  g: go("/groups"),
};

let going = -Infinity; // when g was pressed, in milliseconds

document.addEventListener("keydown", (event) => {
  if (event.isComposing || document.documentElement.dataset.keys === "off") {
    return;
  }
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    command();
    return;
  }
  const field = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog");
  if (field || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  const gone = event.timeStamp - going < 1500;
  going = !gone && event.key === "g" ? event.timeStamp : -Infinity;
  const act = gone ? places[event.key] : keys[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

// open shows a dialog, which goes when it is closed.
function open(name, ...content) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", name);
  dialog.append(...content);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// help shows the page that lists the keys.
async function help() {
  if (document.querySelector("dialog")) {
    return;
  }
  const answer = await fetch("/keys", { headers: { Accept: "text/html" } }).catch(() => null);
  const page = answer?.ok && parse(await answer.text());
  if (page) {
    open(page.querySelector("h1").textContent, page.querySelector("h1"), page.querySelector("table"), page.querySelector("template").content);
  }
}

// command finds a page by a part of its name; what it does not find is searched for.
function command() {
  if (document.querySelector("dialog")) {
    return;
  }
  const seek = document.querySelector("#seek");
  const input = document.createElement("input");
  const list = document.createElement("ul");
  const ways = [...document.querySelectorAll(".ways > a[href], a.write")].filter((a) => a.getAttribute("href") !== "/menu");
  let chosen = 0;
  input.type = "search";
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-label", seek.placeholder);
  input.setAttribute("aria-expanded", "true");
  input.setAttribute("aria-controls", "commands");
  input.setAttribute("aria-autocomplete", "list");
  input.placeholder = seek.placeholder;
  list.id = "commands";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", seek.placeholder);

  const name = (way) => way.querySelector("span").textContent.trim();
  const draw = () => {
    const sought = input.value.trim();
    const found = ways.filter((way) => name(way).toLowerCase().includes(sought.toLowerCase())).map((way) => [name(way), way.href]);
    if (sought) {
      found.push([seek.placeholder + ": " + sought, "/find?q=" + encodeURIComponent(sought)]);
    }
    chosen = Math.max(0, Math.min(chosen, found.length - 1));
    list.replaceChildren(...found.map(([text, href], i) => {
      const one = document.createElement("li");
      one.id = "command-" + i;
      one.setAttribute("role", "option");
      one.setAttribute("aria-selected", i === chosen);
      one.dataset.href = href;
      one.textContent = text;
      return one;
    }));
    input.setAttribute("aria-activedescendant", "command-" + chosen);
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  };
  input.addEventListener("input", () => { chosen = 0; draw(); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      chosen += event.key === "ArrowDown" ? 1 : -1;
      draw();
    } else if (event.key === "Enter") {
      event.preventDefault();
      location.href = list.children[chosen].dataset.href;
    }
  });
  list.addEventListener("click", (event) => {
    const one = event.target.closest("li");
    if (one) {
      location.href = one.dataset.href;
    }
  });
  open(seek.placeholder, input, list).classList.add("commands");
  draw();
  input.focus();
}
