/**
 * The frame's only way out: a port that the portal hands over once, to the frame it made, in answer to a greeting
 * with the frame's nonce. Without a portal around it (a preview) the page works all the same.
 */
const PORTAL = new URL(window.location.href).origin;

/** As they were: `var name` or `var parent` in a script of the template's gives the window other ones. */
const { name: NONCE, parent: AROUND } = Reflect.get(window, "truthmillFrame");

/** @type {Promise<MessagePort | null>} */
const port = new Promise((resolve) => {
  if (AROUND === window) {
    resolve(null);
    return;
  }
  window.addEventListener("message", function listen(event) {
    const fromPortal = event.source === AROUND && event.origin === PORTAL;
    if (!fromPortal || event.data?.truthmill !== "begin" || event.data.nonce !== NONCE) return;
    window.removeEventListener("message", listen);
    resolve(event.ports[0]);
  });
});

export const framed = AROUND !== window;

/** @param {Record<string, any>} message */
export async function send(message) {
  (await port)?.postMessage(message);
}

/** Greet the portal, and hear it from now on. @param {(message: Record<string, any>) => void} listener */
export async function listen(listener) {
  if (framed) AROUND.postMessage({ truthmill: "hello", nonce: NONCE }, PORTAL);
  const found = await port;
  if (!found) return;
  found.onmessage = (event) => listener(event.data);
  found.postMessage({ type: "ready" });
}
