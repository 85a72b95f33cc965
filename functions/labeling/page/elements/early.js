/** Before any script of a template's: what such a script may change or ask for. */
Object.defineProperty(window, "truthmillFrame", { value: { name: window.name, parent: window.parent } });
// WebRTC goes past any policy of a page's. A frame that is written into the page would have it again: there is none.
for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection"]) Reflect.deleteProperty(window, name);
{
  // As they are now: a template may give the page others.
  const includes = Function.prototype.call.bind(String.prototype.includes);
  const lower = Function.prototype.call.bind(String.prototype.toLowerCase);
  const slice = Function.prototype.call.bind(String.prototype.slice);
  const same = (/** @type {string} */ given) => given;
  let before = ""; // what was written comes in pieces, and goes on in the page
  const createHTML = (/** @type {string} */ html, /** @type {string} */ _, /** @type {string} */ sink) => {
    const pieces = includes(sink, "write");
    const whole = lower(pieces ? before + html : `${html} ${sink}`);
    if (pieces) before = slice(whole, -16);
    return includes(whole, "srcdoc") || (pieces && includes(whole, "<iframe")) ? "" : html;
  };
  Reflect.get(window, "trustedTypes")?.createPolicy("default", { createHTML, createScript: same, createScriptURL: same });
}
// A page without an origin has no storage, and asking for it would end the script: these keep what they are given while the page lasts.
for (const name of ["localStorage", "sessionStorage"]) {
  try {
    Reflect.get(window, name).getItem("");
  } catch {
    const kept = new Map();
    const storage = {
      getItem: (/** @type {any} */ key) => kept.get(String(key)) ?? null,
      setItem: (/** @type {any} */ key, /** @type {any} */ value) => void kept.set(String(key), String(value)),
      removeItem: (/** @type {any} */ key) => void kept.delete(String(key)),
      clear: () => kept.clear(),
      key: (/** @type {number} */ at) => [...kept.keys()][at] ?? null,
      get length() {
        return kept.size;
      },
    };
    Object.defineProperty(window, name, { value: storage });
  }
}
