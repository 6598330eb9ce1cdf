// Keeps the site for times without a network. Its files carry the version of all of them together in
// their addresses, as this script does: what a page asks for is never of another version than the page.
const VERSION = new URL(self.location).search;
const NAME = "viewer" + VERSION;
// How long the network may take to give the page, where one is kept.
const PATIENCE_MS = 3000;
const FILES = ["style.css", "start.js", "main.js", "worker.js", "viewer.js", "viewer_bg.wasm"];
const scope = new URL(self.registration.scope);

self.addEventListener("install", (event) => {
  const urls = ["./", ...FILES.map((file) => file + VERSION)];
  const requests = urls.map((url) => new Request(url, { cache: "reload" }));
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(requests)));
});

// A new version waits until no page of the one before is open.
self.addEventListener("activate", (event) => {
  const isOld = (name) => name.startsWith("viewer") && name !== NAME;
  event.waitUntil((async () => {
    const names = (await caches.keys()).filter(isOld);
    await Promise.all(names.map((name) => caches.delete(name)));
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== scope.origin) return;
  const isPage = ["", "index.html"].some((name) => scope.pathname + name === url.pathname);
  if (isPage) event.respondWith(page(event.request));
  else if (url.search === VERSION && FILES.some((file) => scope.pathname + file === url.pathname)) {
    event.respondWith(kept(url.pathname + url.search).then((known) => known ?? fetch(event.request)));
  }
});

async function kept(url) {
  return (await caches.open(NAME)).match(url);
}

// The newest page that the network has in time, or the one that is kept.
async function page(request) {
  const known = await kept("./");
  try {
    const signal = known ? AbortSignal.timeout(PATIENCE_MS) : undefined;
    return await fetch(request.url, { cache: "no-cache", signal });
  } catch (error) {
    if (known) return known;
    throw error;
  }
}
