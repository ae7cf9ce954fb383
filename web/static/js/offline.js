// Starts the service worker of this version in the page's language. Another version or
// language is another address, so that the browser takes the new one at once.
import { workerAddress } from "./part.js";

if ("serviceWorker" in navigator) {
  const version = new URL(import.meta.url).pathname.split("/")[2];
  addEventListener("load", () => {
    navigator.serviceWorker.register(workerAddress(version, document.documentElement.lang)).catch(() => {
      // The browser forbids it, for example in a private window: all works without.
    });
  });
}
