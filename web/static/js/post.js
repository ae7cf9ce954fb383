// A post on the page, as the server shows it now.

// renew puts a fresh one in the place of an old one. What was open stays open, what was
// chosen stays chosen, and the focus stays on what had it. The old one may have got a
// successor already while its own answer was under way.
export function renew(old, fresh) {
  old = old.isConnected ? old : document.getElementById(old.id);
  if (!old) {
    return;
  }
  const held = old.contains(document.activeElement) ? document.activeElement : null;
  const by = old.querySelector(":scope > .by");
  const open = [...old.querySelectorAll("details")].map((one) => one.open);
  fresh.id = old.id;
  fresh.className = old.className;
  for (const name of ["aria-posinset", "aria-setsize"]) {
    if (old.hasAttribute(name)) {
      fresh.setAttribute(name, old.getAttribute(name));
    }
  }
  if (by && !fresh.querySelector(":scope > .by")) {
    fresh.prepend(by);
  }
  const pin = old.querySelector('form[action*="pin"]');
  if (pin) { // only the page knows whether its reader may put the post on top of it
    fresh.querySelector('form[action*="pin"]')?.remove();
    [...fresh.querySelectorAll("footer > form")].at(-1)?.after(pin);
  }
  fresh.querySelectorAll("details").forEach((one, i) => { one.open = open[i] ?? one.open; });
  for (const one of old.querySelectorAll("input:checked")) {
    const same = fresh.querySelector(`input[name="${one.name}"][value="${one.value}"]`);
    if (same) {
      same.checked = true;
    }
  }
  old.replaceWith(fresh);
  if (held) {
    (like(fresh, held) ?? fresh).focus({ focusVisible: true });
  }
}

// like finds what does in the fresh post what had the focus in the old one: the link to
// the same address, the same choice, or the button of the same or the opposite action.
function like(fresh, held) {
  const what = (one) => (one.form?.getAttribute("action") ?? one.getAttribute("href") ?? "").replace(/\/un(?=\w+$)/, "/") +
    (one.localName === "input" ? " " + one.value : "");
  return [...fresh.querySelectorAll(held.localName)].find((one) => what(one) === what(held));
}
