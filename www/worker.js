// A worker: reads the same wasm file as the page, and serves its parts of the captures.
const here = (file) => new URL(file + new URL(import.meta.url).search, import.meta.url).href;

// Messages that arrive before the module is ready are kept for it.
const early = [];
self.onmessage = (event) => early.push(event);
try {
  const { default: init, serve } = await import(here("viewer.js"));
  await init({ module_or_path: here("viewer_bg.wasm") });
  serve();
  for (const event of early) self.onmessage(event);
} catch (error) {
  // Thrown where the page hears it: a rejection here would be nobody's.
  setTimeout(() => { throw error; });
}
