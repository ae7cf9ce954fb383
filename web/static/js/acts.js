// The small forms under a post: like, share, bookmark and votes change at once, and back
// if the server refuses.
import { send } from "./part.js";
import { tell } from "./tell.js";

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const article = form.closest("article.post");
  if (!article || !/^\/posts\/\d+\/(un)?(like|share|bookmark|vote)$/.test(new URL(form.action).pathname)) {
    return;
  }
  event.preventDefault();
  const button = event.submitter ?? form.querySelector("button");
  const pressed = button.getAttribute("aria-pressed");
  if (pressed) {
    button.setAttribute("aria-pressed", String(pressed !== "true"));
  }
  try {
    const fresh = (await send(form, button)).querySelector("article.post");
    replace(article, fresh, new URL(form.action).pathname);
  } catch (problem) {
    if (pressed) {
      button.setAttribute("aria-pressed", pressed);
    }
    tell(problem.message);
  }
});

// replace puts the post as it is now in its place and keeps the focus on what was pressed.
function replace(article, fresh, action) {
  fresh.id = article.id;
  fresh.className = article.className;
  const kind = action.replace(/\/un(?=\w+$)/, "/");
  const open = article.querySelector("details")?.open;
  article.replaceWith(fresh);
  if (open && fresh.querySelector("details")) {
    fresh.querySelector("details").open = true;
  }
  for (const form of fresh.querySelectorAll("form")) {
    if (new URL(form.action).pathname.replace(/\/un(?=\w+$)/, "/") === kind) {
      form.querySelector("button").focus({ focusVisible: true });
      return;
    }
  }
}
