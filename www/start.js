// Runs before the module does, and where modules cannot run at all.
if (location.protocol === "file:") {
  // Browsers load neither modules nor wasm from files.
  addEventListener("DOMContentLoaded", () => {
    document.documentElement.dataset.phase = "error";
    document.getElementById("error").textContent =
      "A browser cannot run the viewer from a file. Serve this directory instead, for example with: python3 -m http.server";
  });
} else if ("serviceWorker" in navigator) {
  // Keeps the page for times without a network. Where it is not allowed, the page needs the network.
  navigator.serviceWorker.register("service-worker.js").catch(() => {});
}
