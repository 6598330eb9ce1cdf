// Starts a worker. It runs the same WebAssembly module as the page.
const versioned = (file) => new URL(file + new URL(import.meta.url).search, import.meta.url).href;

// Messages that arrive before the module is ready.
const queue = [];
self.onmessage = (event) => queue.push(event);
try {
  const { default: init, serve } = await import(versioned("viewer.js"));
  await init({ module_or_path: versioned("viewer_bg.wasm") });
  serve(); // replaces self.onmessage
  for (const event of queue) self.onmessage(event);
} catch (error) {
  // Rethrown outside the promise: the page gets no error event for a rejected one.
  setTimeout(() => { throw error; });
}
