// Completes the names of people after an @ while one writes.
import { parse } from "./part.js";

const begun = (area) => area.value.slice(0, area.selectionStart).match(/(?:^|[\s(])@([\p{L}\p{N}._-]{1,40})$/u);
const pause = 120; // ms without a key
let area = null;
let list = null;
let asked = 0;
let waiting;

document.addEventListener("input", (event) => {
  if (event.target.matches("form.composer textarea[name=text]")) {
    clearTimeout(waiting);
    const mine = ++asked;
    const found = begun(event.target);
    if (found) {
      waiting = setTimeout(() => look(event.target, found[1], mine), pause);
    } else {
      close();
    }
  }
});

async function look(one, name, mine) {
  try {
    const answer = await fetch("/compose/names?q=" + encodeURIComponent(name), { headers: { Accept: "text/html" } });
    const found = answer.ok && parse(await answer.text()).querySelector("[role=listbox]");
    if (mine !== asked) {
      return; // more was typed meanwhile
    }
    close();
    if (found?.firstElementChild) {
      [area, list] = [one, found];
      [...list.children].forEach((option, i) => { option.id = "names-" + i; });
      area.after(list);
      area.setAttribute("aria-controls", list.id);
      choose(0);
    }
  } catch {
    // Without a connection names are typed in full.
  }
}

function choose(i) {
  [...list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === i)));
  area.setAttribute("aria-activedescendant", list.children[i].id);
}

function close() {
  list?.remove();
  area?.removeAttribute("aria-activedescendant");
  area?.removeAttribute("aria-controls");
  area = list = null;
}

function take(option) {
  const [one, found] = [area, begun(area)];
  close();
  if (found) {
    one.setRangeText(option.dataset.name + " ", one.selectionStart - found[1].length - 1, one.selectionStart, "end");
    one.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

document.addEventListener("keydown", (event) => {
  if (!list || event.target !== area || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) {
    return;
  }
  const options = [...list.children];
  const at = options.findIndex((one) => one.getAttribute("aria-selected") === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    choose((at + step + options.length) % options.length);
  } else if (event.key === "Enter" || event.key === "Tab" && !event.shiftKey) {
    take(options[at]);
  } else if (event.key === "Escape") {
    close();
  } else {
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

document.addEventListener("pointerdown", (event) => {
  const option = list && event.target.closest?.("[role=option]");
  if (option && list.contains(option)) {
    event.preventDefault(); // the text keeps the focus
    take(option);
  }
});

document.addEventListener("focusout", (event) => {
  if (event.target === area) {
    close();
  }
});
