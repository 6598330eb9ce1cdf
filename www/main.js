// Starts the viewer. Everything else is in Rust (viewer/src/web).
import init, { Viewer } from "./viewer.js";

try {
  await init({ module_or_path: new URL("viewer_bg.wasm", import.meta.url) });
  window.viewer = new Viewer("./worker.js");
  // ?src=NAME opens a capture that lies beside the page.
  const source = new URLSearchParams(location.search).get("src");
  if (source) window.viewer.openUrl(source);
} catch (error) {
  document.documentElement.dataset.phase = "error";
  document.getElementById("error").textContent =
    `This browser cannot run the viewer: ${error.message ?? error}`;
}
