// Keeps the page for times without a network: what the network has goes first, so that page and wasm
// are always of one version, and what was kept is shown where there is none.
const NAME = "viewer";
// How long the network may take to answer where something is kept.
const PATIENCE_MS = 3000;
const FILES = ["./", "style.css", "start.js", "main.js", "worker.js", "viewer.js", "viewer_bg.wasm"];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const scope = new URL(self.registration.scope);
  const isOurs = url.origin === scope.origin && FILES.some((file) => new URL(file, scope).pathname === url.pathname);
  if (event.request.method !== "GET" || !isOurs) return;
  const known = () => caches.match(url.origin + url.pathname);
  event.respondWith((async () => {
    try {
      const signal = (await known()) ? AbortSignal.timeout(PATIENCE_MS) : undefined;
      const response = await fetch(event.request, { cache: "no-cache", signal });
      if (response.ok) await (await caches.open(NAME)).put(url.origin + url.pathname, response.clone());
      return response;
    } catch (error) {
      const kept = await known();
      if (kept) return kept;
      throw error;
    }
  })());
});
