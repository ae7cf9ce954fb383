// The small forms under a post: like, share, bookmark and votes change at once, and back
// if the server refuses.
import { send } from "./part.js";
import { renew } from "./post.js";
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
    renew(article, (await send(form, button)).querySelector("article.post"));
  } catch (problem) {
    if (pressed) {
      button.setAttribute("aria-pressed", pressed);
    }
    tell(problem.message);
  }
});
