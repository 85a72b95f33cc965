/**
 * The frame's only way out: a port that the portal hands over once, to the frame it made, in answer to a greeting
 * with the frame's nonce. Without a portal around it (a preview) the page works all the same.
 */
const PORTAL = new URL(window.location.href).origin;

/** @type {Promise<MessagePort | null>} */
const port = new Promise((resolve) => {
  if (window.parent === window) {
    resolve(null);
    return;
  }
  window.addEventListener("message", function listen(event) {
    const fromPortal = event.source === window.parent && event.origin === PORTAL;
    if (!fromPortal || event.data?.truthmill !== "begin" || event.data.nonce !== window.name) return;
    window.removeEventListener("message", listen);
    resolve(event.ports[0]);
  });
});

export const framed = window.parent !== window;

/** @param {Record<string, any>} message */
export async function send(message) {
  (await port)?.postMessage(message);
}

/** Greet the portal, and hear it from now on. @param {(message: Record<string, any>) => void} listener */
export async function listen(listener) {
  if (framed) window.parent.postMessage({ truthmill: "hello", nonce: window.name }, PORTAL);
  const found = await port;
  if (found) found.onmessage = (event) => listener(event.data);
}
