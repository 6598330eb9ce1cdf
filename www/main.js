// Starts the viewer. Everything else is in Rust (viewer/src/web).
const versioned = (file) => new URL(file + new URL(import.meta.url).search, import.meta.url).href;

try {
  const { default: init, Viewer } = await import(versioned("viewer.js"));
  await init({ module_or_path: versioned("viewer_bg.wasm") });
  // A worker that starts from a blob inherits the page's Content Security Policy.
  const script = `import ${JSON.stringify(versioned("worker.js"))};`;
  const blob = new Blob([script], { type: "text/javascript" });
  const url = trusted.createScriptURL(URL.createObjectURL(blob));
  // The inspector is a separate module. It is loaded when the first packet is inspected.
  let inspector;
  let attempts = 0;
  const loadInspector = async () => {
    // Browsers remember by its address that a module failed to load: each attempt has another fragment.
    attempts += 1;
    const { default: init, Inspector } = await import(`${versioned("inspector.js")}#${attempts}`);
    await init({ module_or_path: versioned("inspector_bg.wasm") });
    return new Inspector(document.getElementById("inspector"));
  };
  const inspect = async (...packet) => {
    try {
      inspector ??= loadInspector();
      (await inspector).show(...packet);
    } catch (error) {
      inspector = undefined;
      document.getElementById("inspector").textContent =
        `The inspector could not be loaded. Check the connection, then select the packet again. Details: ${error.message ?? error}`;
    }
  };
  window.viewer = new Viewer(() => new Worker(url, { type: "module" }), inspect);
  // ?src=NAME opens a capture from the same server.
  const source = new URLSearchParams(location.search).get("src");
  if (source) window.viewer.openUrl(source);
} catch (error) {
  self.showStartError(error.message ?? error);
}
