// Runs before the module, and also in browsers that do not support modules.
const serviceWorker = "service-worker.js" + new URL(document.currentScript.src).search;

// The page's only Trusted Types policy. It accepts the URL of the service worker, and the blob URL of
// the workers, which main.js creates. Browsers without Trusted Types use it as a plain object.
const policy = {
  createScriptURL(url) {
    if (url === serviceWorker || url.startsWith(`blob:${location.origin}/`)) return url;
    throw new TypeError(`not a script of the viewer: ${url}`);
  },
};
const trusted = self.trustedTypes ? trustedTypes.createPolicy("viewer", policy) : policy;

// Shows why the viewer cannot start.
self.showStartError = (reason) => {
  const isFile = location.protocol === "file:";
  document.documentElement.dataset.phase = "error";
  document.getElementById("error").textContent = isFile
    ? "The viewer does not work when opened as a local file. Serve its directory over HTTP, for example with: python3 -m http.server"
    : `The viewer could not start: ${reason}`;
};

// The only sign of a script that could not be loaded.
addEventListener("error", (event) => {
  if (event.target instanceof HTMLScriptElement) {
    self.showStartError("a script could not be loaded");
  }
}, true);

// `sniffer --serve` has no service worker: each run has another address.
const isServed = "served" in document.documentElement.dataset;
if ("serviceWorker" in navigator && location.protocol !== "file:" && !isServed) {
  // Makes the page available offline, where the browser allows it.
  navigator.serviceWorker.register(trusted.createScriptURL(serviceWorker)).catch(() => {});
}
