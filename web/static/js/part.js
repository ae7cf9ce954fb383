// Parts of pages that come from our own server. This is the one place where text
// becomes HTML or the address of a script; everything else goes by the DOM.

const policy = window.trustedTypes?.createPolicy("parley", {
  createHTML: (text) => text,
  createScriptURL: (address) => (/^\/sw\.js\?[\w=&]+$/.test(address) ? address : ""),
});

// workerAddress is that of the one script that is started by its address.
export function workerAddress(version, language) {
  const address = "/sw.js?version=" + version + "&language=" + language;
  return policy ? policy.createScriptURL(address) : address;
}

// parse makes a document of a page or a part that our server answered.
export function parse(text) {
  return new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, "text/html");
}

// send posts a form as the browser would and asks for the part of the page that it
// changes. It answers the document, or throws what the server said. The button is busy
// meanwhile.
export async function send(form, button, data = new FormData(form, button)) {
  const plain = form.enctype !== "multipart/form-data";
  button?.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: plain ? new URLSearchParams(data) : data,
      headers: { Accept: "text/html", "Parley-Part": "yes" },
      credentials: "same-origin",
    });
    const page = parse(await answer.text());
    if (!answer.ok) {
      const said = page.querySelector(".problem, .why, main p");
      throw new Problem(said ? said.textContent.trim() : answer.statusText, answer.status, page);
    }
    return page;
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

// Problem is what the server refused, in the words of its page.
export class Problem extends Error {
  constructor(text, status, page) {
    super(text);
    this.status = status;
    this.page = page;
  }
}
