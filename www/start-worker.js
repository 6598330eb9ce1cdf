// Starts a worker.

// Messages that arrive before the module is ready.
const queue = [];
self.onmessage = (event) => queue.push(event);
try {
  const { load } = await import(`./modules.js${new URL(import.meta.url).search}`);
  const { serve } = await load("worker");
  serve(load); // replaces self.onmessage
  for (const event of queue) self.onmessage(event);
} catch (error) {
  // Rethrown outside the promise: the page gets no error event for a rejected one.
  setTimeout(() => { throw error; });
}
