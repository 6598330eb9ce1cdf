// Measures the viewer from outside: the time to the first chart, until the file is read, and until all
// charts are final; then of zoom and brush steps, each until the visible canvases are redrawn, and the
// longest task of the page's thread during them.
(() => {
  const frame = () => new Promise(requestAnimationFrame);
  const drawn = async () => { await frame(); await frame(); };
  const TICK_MS = 4;

  async function steps(count, act) {
    const times = [], busy = [];
    for (let step = 0; step < count; step++) {
      let last = performance.now(), longest = 0, is_on = true;
      const tick = () => {
        const now = performance.now();
        longest = Math.max(longest, now - last - TICK_MS);
        last = now;
        if (is_on) setTimeout(tick, TICK_MS);
      };
      setTimeout(tick, TICK_MS);
      const start = performance.now();
      await act(step);
      times.push(performance.now() - start);
      await drawn();
      is_on = false;
      busy.push(longest);
    }
    return { times, busy };
  }

  /// Drags over the throughput chart, one step to the right each time.
  async function drag(count) {
    const canvas = document.getElementById("throughput");
    canvas.scrollIntoView({ block: "start" });
    await drawn();
    const rect = canvas.getBoundingClientRect();
    const send = (name, share) => canvas.dispatchEvent(new PointerEvent(name, {
      bubbles: true, pointerId: 1, button: 0, buttons: 1,
      clientX: rect.left + 76 + share * (rect.width - 94), clientY: rect.top + rect.height / 2,
    }));
    send("pointermove", 0.3);
    send("pointerdown", 0.3);
    const result = await steps(count, async (step) => {
      send("pointermove", 0.35 + 0.3 * step / count);
      await viewer.drawn();
    });
    send("pointerup", 0.65);
    await viewer.settled();
    return result;
  }

  let loaded;
  /// Milliseconds until the charts of the whole file are complete.
  window.loaded = new Promise((resolve) => { loaded = resolve; });

  window.measured = new Promise((resolve) => document.querySelector("input[type=file]").addEventListener("change", async () => {
    const start = performance.now();
    while (document.getElementById("views").hidden) await frame();
    const first_ms = performance.now() - start;
    while (viewer.state().phase !== "ready") await frame();
    const read_ms = performance.now() - start;
    await viewer.settled();
    const final_ms = performance.now() - start;
    loaded(final_ms);
    const { packets, memory_bytes } = viewer.state();
    const zoom = await steps(20, (step) => viewer.zoom("scatter", { x: [(packets * step) / 40, (packets * (step + 8)) / 40], y: [0, 1600] }));
    await viewer.reset();
    await viewer.settled();
    // Over the sizes that most packets have, too: some steps change a quarter of all.
    const brush = await steps(20, async (step) => {
      await viewer.select("size", [40 + 60 * step, 700 + 60 * step]);
    });
    await viewer.clear();
    await viewer.settled();
    const dragged = await drag(20);
    await viewer.clear();
    await viewer.settled();
    resolve({ first_ms, read_ms, final_ms, packet_bytes: memory_bytes / packets, zoom, brush, drag: dragged });
  }, { capture: true, once: true }));

  /// Milliseconds from cancelling until loading has stopped.
  window.cancelled = async (after_ms) => {
    while (viewer.state().phase !== "loading" || viewer.state().packets === 0) await frame();
    await new Promise((done) => setTimeout(done, after_ms));
    const start = performance.now();
    viewer.cancel();
    while (viewer.state().phase === "loading") await new Promise((done) => setTimeout(done, 1));
    return performance.now() - start;
  };
})()
