// Runs before the module does, and where modules cannot run at all.
const version = new URL(document.currentScript.src).search;

// Says why nothing can be shown.
self.refuse = (reason) => {
  const isFile = location.protocol === "file:";
  document.documentElement.dataset.phase = "error";
  document.getElementById("error").textContent = isFile
    ? "This browser does not run the viewer from a file. Serve this directory instead, for example with: python3 -m http.server"
    : `This browser cannot run the viewer: ${reason}`;
};

// A script that cannot be loaded says so nowhere else.
addEventListener("error", (event) => {
  if (event.target instanceof HTMLScriptElement) self.refuse("a script of it cannot be loaded");
}, true);

if ("serviceWorker" in navigator && location.protocol !== "file:") {
  // Keeps the page for times without a network. Where it is not allowed, the page needs the network.
  navigator.serviceWorker.register("service-worker.js" + version).catch(() => {});
}
