// Makes the site available offline. The addresses of its files, and of this script, contain the
// version of the whole site, so that a page never gets a file of another version.
const VERSION = new URL(self.location).search;
const scope = new URL(self.registration.scope);
// All sites of an origin share its caches: the names contain the directory of this site.
const CACHE_PREFIX = `viewer ${scope.pathname} `;
const CACHE = CACHE_PREFIX + VERSION;
// How long to wait for the network if the page is cached, in milliseconds.
const NETWORK_TIMEOUT_MS = 3000;
const FILES = [
  "style.css", "start.js", "main.js", "modules.js", "viewer.js", "viewer_bg.wasm", "start-worker.js",
  "worker.js", "worker_bg.wasm", "inspector.js", "inspector_bg.wasm",
  "formats.js", "formats_bg.wasm", "follow.js", "follow_bg.wasm", "flows.js", "flows_bg.wasm",
];

self.addEventListener("install", (event) => {
  const urls = ["./", ...FILES.map((file) => file + VERSION)];
  const requests = urls.map((url) => new Request(url, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)));
});

// A new version becomes active once no page of the old one is open.
self.addEventListener("activate", (event) => {
  const isOld = (name) => name.startsWith(CACHE_PREFIX) && name !== CACHE;
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
  if (isPage) {
    event.respondWith(fetchPage(event.request));
  } else if (url.search === VERSION && FILES.some((file) => scope.pathname + file === url.pathname)) {
    event.respondWith(fetchFile(event.request));
  }
});

async function cached(url) {
  return (await caches.open(CACHE)).match(url);
}

// A versioned file never changes: the cache comes first.
async function fetchFile(request) {
  return (await cached(request.url)) ?? fetch(request);
}

// The page names the current version: the network comes first.
async function fetchPage(request) {
  const fallback = await cached("./");
  try {
    const signal = fallback ? AbortSignal.timeout(NETWORK_TIMEOUT_MS) : undefined;
    return await fetch(request.url, { cache: "no-cache", signal });
  } catch (error) {
    if (fallback) return fallback;
    throw error;
  }
}
