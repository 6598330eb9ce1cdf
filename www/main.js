// Starts the viewer. Everything else is in Rust (viewer/src/web).
const here = (file) => new URL(file + new URL(import.meta.url).search, import.meta.url).href;

try {
  const { default: init, Viewer } = await import(here("viewer.js"));
  await init({ module_or_path: here("viewer_bg.wasm") });
  // Of a script within the page a worker has the page's rules: it cannot ask anybody for anything.
  const script = new Blob([`import ${JSON.stringify(here("worker.js"))};`], { type: "text/javascript" });
  window.viewer = new Viewer(URL.createObjectURL(script));
  // ?src=NAME opens a capture that lies beside the page.
  const source = new URLSearchParams(location.search).get("src");
  if (source) window.viewer.openUrl(source);
} catch (error) {
  self.refuse(error.message ?? error);
}
