// A worker: reads the same wasm file as the page, and serves one part of a capture.
import init, { serve } from "./viewer.js";

// Messages that arrive before the module is ready are kept for it.
const early = [];
self.onmessage = (event) => early.push(event);
try {
  await init({ module_or_path: new URL("viewer_bg.wasm", import.meta.url) });
  serve();
  for (const event of early) self.onmessage(event);
} catch (error) {
  // Thrown where the page hears it: a rejection here would be nobody's.
  setTimeout(() => { throw error; });
}
