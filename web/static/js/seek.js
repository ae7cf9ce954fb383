// Finds while one types: the form is asked as its button would, and what it finds takes the
// place of what stands there.
import { parse } from "./part.js";

const form = document.querySelector("form[data-seek]");
const places = "[data-found]";
const pause = 120; // ms without a key
let waiting;
let asked = 0;

form?.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(look, pause);
});

async function look() {
  const mine = ++asked;
  busy(true);
  const address = new URL(form.action);
  address.search = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    const found = answer.ok && parse(await answer.text()).querySelectorAll(places);
    const here = document.querySelectorAll(places);
    if (mine !== asked || !found || found.length !== here.length) {
      return; // more was typed meanwhile, or the page is another one: the button shows which
    }
    here.forEach((one, i) => one.replaceChildren(...found[i].childNodes));
    history.replaceState(history.state, "", address);
  } catch {
    // Without a connection the button says so.
  } finally {
    if (mine === asked) {
      busy(false);
    }
  }
}

function busy(is) {
  document.querySelectorAll(places).forEach((one) => (is ? one.setAttribute("aria-busy", "true") : one.removeAttribute("aria-busy")));
}
