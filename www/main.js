// Starts the viewer. Everything else is in Rust (viewer/src/web).
try {
  const { load, preload, versioned } = await import(`./modules.js${new URL(import.meta.url).search}`);
  const { Viewer } = await load("viewer");
  // A worker that starts from a blob inherits the page's Content Security Policy.
  const script = `import ${JSON.stringify(versioned("start-worker.js"))};`;
  const blob = new Blob([script], { type: "text/javascript" });
  const url = trusted.createScriptURL(URL.createObjectURL(blob));
  // The inspector is a separate module. It is loaded when the first packet is inspected.
  let inspector;
  const loadInspector = async () => {
    const { Inspector } = await load("inspector");
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
  // The view of a connection is in the same module.
  let connection;
  const loadConnection = async () => {
    const { ConnectionView } = await load("inspector");
    return new ConnectionView(document.getElementById("connection"));
  };
  const connect = async (method, ...args) => {
    try {
      connection ??= loadConnection();
      (await connection)[method](...args);
    } catch (error) {
      connection = undefined;
      document.getElementById("connection").textContent =
        `The connection could not be shown. Check the network, then choose “Follow” again. Details: ${error.message ?? error}`;
    }
  };
  const loadFollow = async () => {
    const module = await load("follow");
    // The server may end with the capture.
    inspector ??= loadInspector();
    inspector.catch(() => { inspector = undefined; });
    ["formats", "flows"].forEach(preload);
    return module;
  };
  window.viewer = new Viewer(() => new Worker(url, { type: "module" }), inspect, connect, loadFollow);
  // ?src=NAME opens a capture from the same server; with &follow, while it grows.
  const query = new URLSearchParams(location.search);
  const source = query.get("src");
  if (source) window.viewer[query.has("follow") ? "follow" : "openUrl"](source);
} catch (error) {
  self.showStartError(error.message ?? error);
}
