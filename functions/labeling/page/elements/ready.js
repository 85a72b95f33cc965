/** Word to a template's own scripts that the crowd elements are there. */

const READY = "all-crowd-elements-ready";

/** Ground Truth's elements arrive long after the page, so that scripts there may begin to listen late: these hear it as well. */
export function tellReady() {
  document.dispatchEvent(new Event(READY, { bubbles: true }));
  hearLate(document);
  hearLate(window);
}

/** @param {Document | Window} target */
function hearLate(target) {
  const add = target.addEventListener;
  target.addEventListener = (/** @type {string} */ kind, /** @type {any} */ listener, /** @type {any} */ options) => {
    add.call(target, kind, listener, options);
    if (kind !== READY || !listener) return;
    const tell = typeof listener === "function" ? listener : listener.handleEvent.bind(listener);
    setTimeout(() => tell.call(target, new Event(READY)));
  };
}
