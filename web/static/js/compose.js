// Writing: says who will see it while it is chosen, takes files by drop and paste, keeps
// what is typed, and sends without another page.
import { Problem, send } from "./part.js";
import { arrived } from "./live.js";
import { close, show, tell } from "./tell.js";

const pause = 2500; // of the typing, before a draft is saved, in milliseconds
const untouched = new WeakMap(); // form -> what it was when the page came
const timers = new WeakMap();
const under = new WeakMap(); // form -> what is on its way to the server for it: whether all of it arrives
const missed = new WeakMap(); // form -> files that are for it and wait for a connection
const pressed = new WeakMap(); // form -> by which button and when it was to be sent, while there is no connection
const known = 50 * 60 * 1000; // the server knows for an hour what was sent already; in milliseconds, with some to spare

function begin(form) {
  form.classList.add("scripted");
  form.querySelectorAll(".scripted[hidden]").forEach((one) => { one.hidden = false; });
  if (!untouched.has(form)) {
    untouched.set(form, form.cloneNode(true));
  }
  form.dataset.typed = state(form);
  meaning(form);
}

const forms = () => document.querySelectorAll("form.composer");
const composerOf = (event) => event.target.closest?.("form.composer");
const text = (form) => form.querySelector("[name=text]");

// state is all that was written, to find out whether something changed.
function state(form) {
  const data = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "once" && name !== "draft");
  return JSON.stringify(data);
}

// meaning shows what the chosen readers mean.
function meaning(form) {
  const chosen = form.querySelector("[name=audience]")?.value;
  for (const one of form.querySelectorAll("[data-choice]")) {
    one.hidden = one.dataset.choice !== chosen;
  }
}

// What is typed is kept in this tab at once, and on the server in a moment. What is
// in the tab is for a lost connection, or for whoever is signed out meanwhile; and for
// nobody else who signs in here after them.
const own = "parley-text " + document.querySelector("main").dataset.me + " ";
const place = (form) => own + location.pathname + " " + (form.querySelector("[name=reply_to]")?.value ?? "");

function keep(form) {
  try {
    sessionStorage.setItem(place(form), JSON.stringify({ text: text(form).value, audience: form.querySelector("[name=audience]").value, draft: form.querySelector("[name=draft]")?.value }));
  } catch {
    // The browser keeps nothing; the server does.
  }
  clearTimeout(timers.get(form));
  timers.set(form, setTimeout(() => save(form), pause));
}

function forget(form) {
  clearTimeout(timers.get(form));
  sessionStorage.removeItem(place(form));
}

function recall(form) {
  let kept = null;
  try {
    kept = JSON.parse(sessionStorage.getItem(place(form)));
  } catch {
    return;
  }
  const field = text(form);
  if (!kept || field.value || form.querySelector(".wrong, [name=draft]")) {
    return;
  }
  field.value = kept.text;
  if ([...form.querySelectorAll("[name=audience] option")].some((one) => one.value === kept.audience)) {
    form.querySelector("[name=audience]").value = kept.audience;
  }
  if (kept.draft) {
    draftIs(form, kept.draft);
  }
  meaning(form);
}

function draftIs(form, id) {
  let field = form.querySelector("[name=draft]");
  if (!field) {
    field = document.createElement("input");
    field.type = "hidden";
    field.name = "draft";
    form.prepend(field);
  }
  field.value = id;
}

// behind does something for a form when all that was begun for it is done.
function behind(form, act) {
  const all = (under.get(form) ?? Promise.resolve(true)).then(async (well) => (await act()) && well);
  under.set(form, all);
  all.then(() => under.get(form) === all && under.delete(form));
}

const save = (form) => behind(form, () => saved(form).then(() => true));

// saved keeps a draft on the server. That it cannot is no trouble now: it is tried again.
async function saved(form) {
  const now = state(form);
  if (!form.isConnected || form.dataset.busy || form.dataset.typed === now || text(form).value.trim() === "") {
    return;
  }
  try {
    const answer = await send(form, null, new FormData(form, form.querySelector("[value=save]")));
    draftIs(form, answer.querySelector("[name=draft]").value);
    form.dataset.typed = now;
    form.querySelector(".kept-note").textContent = form.dataset.kept;
  } catch (problem) {
    if (!(problem instanceof Problem)) {
      timers.set(form, setTimeout(() => save(form), 4 * pause));
    }
  }
}

document.addEventListener("input", (event) => {
  const form = composerOf(event);
  if (form) {
    form.querySelector(".kept-note").textContent = pressed.delete(form) ? form.dataset.lost : "";
    keep(form);
  }
});

document.addEventListener("change", (event) => {
  const form = composerOf(event);
  if (form && event.target.name === "audience") {
    meaning(form);
  }
  if (form && event.target.type === "file") {
    take(form, [...event.target.files]);
    event.target.value = "";
  }
  if (form && event.target.name === "drop") {
    event.target.closest(".kept").remove();
    keep(form);
  }
});

for (const kind of ["dragover", "dragleave", "drop", "paste"]) {
  document.addEventListener(kind, (event) => {
    const form = composerOf(event);
    const files = [...(event.dataTransfer ?? event.clipboardData)?.files ?? []];
    if (!form || (kind === "paste" ? files.length === 0 : !event.dataTransfer.types.includes("Files"))) {
      return;
    }
    event.preventDefault();
    form.classList.toggle("over", kind === "dragover");
    take(form, files);
  });
}

function take(form, files) {
  if (files.length > 0) {
    pressed.delete(form);
    behind(form, () => upload(form, files));
  }
}

function retake(form) {
  const files = missed.get(form) ?? [];
  missed.delete(form);
  take(form, files);
}

// upload takes files one after the other; each gets a field for what it shows. It says
// whether all are there.
async function upload(form, files) {
  const note = form.querySelector(".uploads");
  let well = true;
  for (const file of files) {
    if (file.size > Number(form.dataset.max)) {
      tell(form.dataset.large);
      well = false;
      continue;
    }
    note.textContent = form.dataset.uploading + " " + file.name;
    const off = !navigator.onLine;
    const data = new FormData();
    data.append("file", file);
    try {
      const part = (await send({ action: "/files", enctype: "multipart/form-data" }, null, data)).querySelector(".kept");
      form.querySelector(".kept-files").append(part);
      part.querySelector("input[type=text]").focus();
      keep(form);
    } catch (problem) {
      const wait = !(problem instanceof Problem) && (off || !navigator.onLine);
      if (wait) {
        missed.set(form, [...missed.get(form) ?? [], file]);
        if (navigator.onLine) { // the connection came back during this very try
          setTimeout(() => retake(form));
        }
      }
      tell(problem instanceof Problem ? problem.message : wait ? form.dataset.held : form.dataset.failed);
      well = false;
    }
  }
  note.textContent = "";
  return well;
}

document.addEventListener("keydown", (event) => {
  const form = composerOf(event);
  if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit(form.querySelector("button.main"));
  }
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const button = event.submitter;
  if (!form.matches("form.composer")) {
    return;
  }
  if (form.dataset.busy) {
    event.preventDefault();
  } else if (under.has(form) || missed.has(form)) {
    event.preventDefault();
    if (await settled(form, button)) {
      form.requestSubmit(button);
    }
  } else if (button?.value === "save") {
    forget(form);
  } else {
    event.preventDefault();
    publish(form, button);
  }
});

// settled waits for the files and the draft that are on their way, and says whether they
// arrived.
async function settled(form, button) {
  form.dataset.busy = "yes";
  button?.setAttribute("aria-busy", "true");
  retake(form);
  const well = await under.get(form);
  delete form.dataset.busy;
  button?.removeAttribute("aria-busy");
  keep(form);
  return well;
}

// publish sends a post; again: by itself, since its author wanted it.
async function publish(form, button, again = false) {
  let answer;
  if (form.dataset.busy) {
    return;
  }
  form.dataset.busy = "yes";
  clearTimeout(timers.get(form));
  await under.get(form);
  try {
    answer = await send(form, button);
  } catch (problem) {
    if (problem instanceof Problem) {
      pressed.delete(form);
      refused(form, problem);
    } else {
      later(form, button, again);
    }
    return;
  } finally {
    delete form.dataset.busy;
  }
  pressed.delete(form);
  done(form, answer, again);
}

// inside says that a post stays in the company whomever it names.
function inside(form) {
  const readers = form.querySelector("[name=audience]").value;
  return readers !== "direct" && Boolean(form.querySelector(`[data-choice="${CSS.escape(readers)}"]`)?.matches(".inside"));
}

// later keeps in mind that a post is to be sent when there is a connection again.
function later(form, button, again) {
  pressed.set(form, { at: Date.now(), ...pressed.get(form), button });
  if (inside(form)) {
    timers.set(form, setTimeout(() => resume(form), 4 * pause));
  }
  if (!again) {
    tell(inside(form) ? form.dataset.later : form.dataset.lost);
  }
}

// resume sends what its author wanted to be sent. What may leave the company is asked
// about, and so is what the server might take for another post by now.
function resume(form, back = false) {
  const { at, button } = pressed.get(form) ?? {};
  if (!at || !form.isConnected) {
    return;
  }
  if (inside(form) && Date.now() - at < known) {
    publish(form, button, true);
  } else if (back) {
    pressed.delete(form);
    save(form);
    const yes = document.createElement("button");
    yes.textContent = button.textContent;
    yes.addEventListener("click", () => {
      close();
      form.requestSubmit(button);
    });
    tell(form.dataset.ask, [yes]);
  }
}

// done shows what became of a post: it waits for a moment, stands in the list, or is sent
// later.
function done(form, answer, again) {
  forget(form);
  if (!document.querySelector("[data-fresh], [role=feed]")) {
    location.href = onward(form, answer);
    return;
  }
  const held = answer.querySelector(".held");
  const fresh = untouched.get(form).cloneNode(true);
  const here = !again || form.contains(document.activeElement);
  const back = again ? form.dataset.back + " " : "";
  if (inside(form)) { // what leaves the company is chosen each time
    fresh.querySelector("[name=audience]").value = form.querySelector("[name=audience]").value;
  }
  fresh.querySelector("[name=once]").value = crypto.randomUUID?.() ?? String(Date.now());
  form.replaceWith(fresh);
  begin(fresh);
  if (held) {
    offer(held);
    held.firstElementChild.prepend(back);
  } else if (answer.querySelector("article.post")) {
    sent(fresh, answer, back);
  } else {
    tell(back + answer.querySelector("p").textContent);
  }
  if (here) {
    text(fresh).focus();
  }
}

// onward is where the form leads without a script.
function onward(form, answer) {
  const to = answer.querySelector("[data-to]");
  return to ? to.dataset.to : (form.querySelector("[name=reply_to]") ? link(answer) : "/") + "?done=published";
}

// link is the address of the post in an answer.
const link = (answer) => answer.querySelector("article.post .facts a[href]").getAttribute("href");

// sent shows a new post in the list, or says where it is.
function sent(form, part, back = "") {
  if (!arrived(part)) {
    const way = document.createElement("a");
    way.href = link(part);
    way.textContent = form.dataset.way;
    tell(back + form.dataset.sent, [way]);
  } else if (back) {
    tell(back + form.dataset.sent);
  }
}

function refused(form, problem) {
  const again = problem.page.querySelector("form.composer");
  if (problem.status === 401) {
    const way = document.createElement("a");
    way.href = "/sign-in?next=" + encodeURIComponent(location.pathname + location.search);
    way.textContent = problem.page.querySelector("h1").textContent;
    keep(form);
    tell(problem.message, [way]);
  } else if (again) {
    untouched.set(again, untouched.get(form));
    form.replaceWith(again);
    begin(again);
    (again.querySelector("[aria-invalid]") ?? text(again)).focus();
    tell(problem.message);
  } else {
    tell(problem.message);
  }
}

// offer lets the author think again for a moment.
function offer(held) {
  count(held);
  show(held);
}

// count shows the seconds that are left. They are not read out: what is said about them
// when they come is enough.
function count(held) {
  const [said, shown] = [document.createElement("span"), document.createElement("span")];
  const line = held.querySelector("p");
  let left = Number(held.dataset.left);
  said.className = "quiet-text";
  said.textContent = shown.textContent = line.textContent;
  shown.setAttribute("aria-hidden", "true");
  line.replaceChildren(said, shown);
  const timer = setInterval(() => {
    left--;
    if (left < 0 || !held.isConnected) {
      clearInterval(timer);
      held.remove();
      return;
    }
    shown.textContent = left === 1 ? held.dataset.single : held.dataset.several.replace("2", left);
  }, 1000);
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const held = form.closest(".toast .held");
  if (!held) {
    return;
  }
  event.preventDefault();
  try {
    const answer = await send(form, event.submitter);
    close();
    const again = answer.querySelector("form.composer");
    const here = document.querySelector("form.composer");
    if (!again) {
      sent(here, answer);
    } else if (here) {
      untouched.set(again, untouched.get(here));
      here.replaceWith(again);
      begin(again);
      text(again).focus();
    } else {
      location.href = "/drafts/" + again.querySelector("[name=draft]").value;
    }
  } catch (problem) {
    tell(problem instanceof Problem ? problem.message : document.querySelector("form.composer")?.dataset.lost ?? problem.message);
  }
});

Object.keys(sessionStorage).filter((key) => key.startsWith("parley-text ") && !key.startsWith(own)).forEach((key) => sessionStorage.removeItem(key));
for (const form of forms()) {
  begin(form);
  recall(form);
}
document.querySelectorAll("main > .held, .unsent .held").forEach(count);
addEventListener("online", () => forms().forEach((form) => {
  retake(form);
  if (pressed.has(form)) {
    resume(form, true);
  } else {
    save(form);
  }
}));
