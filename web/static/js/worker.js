// The service worker: it shows a page of our own while there is no connection, and keeps
// the static files of this version. It never keeps a page or an answer with what people
// wrote: that must not stay in a browser.
const asked = new URL(self.location).searchParams;
const cacheName = "parley-" + asked.get("version") + "-" + asked.get("language");
const shell = "/offline";
const files = "/static/" + asked.get("version") + "/";

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll([shell, files + "parley.css", files + "parley.svg"])));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const former = (await caches.keys()).filter((name) => name !== cacheName);
    await Promise.all(former.map((name) => caches.delete(name)));
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) {
    return;
  }
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(async () => (await caches.match(shell)) ?? Response.error()));
  } else if (address.pathname.startsWith(files)) {
    event.respondWith(kept(request));
  }
});

// kept answers a static file from the cache, and puts it there when it is new.
async function kept(request) {
  const found = await caches.match(request);
  if (found) {
    return found;
  }
  const answer = await fetch(request);
  if (answer.ok) {
    const cache = await caches.open(cacheName);
    await cache.put(request, answer.clone());
  }
  return answer;
}

// What happened is told in general words; who looks at a page already sees it there.
self.addEventListener("push", (event) => {
  const told = event.data.json();
  event.waitUntil((async () => {
    const open = await self.clients.matchAll({ type: "window" });
    if (!open.some((one) => one.focused)) {
      await self.registration.showNotification(told.title, { body: told.body, icon: told.icon, lang: told.preferred_locale, tag: told.notification_type });
    }
  })());
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil((async () => {
    const [open] = await self.clients.matchAll({ type: "window" });
    if (open) {
      await open.focus();
      await open.navigate("/notifications");
    } else {
      await self.clients.openWindow("/notifications");
    }
  })());
});
