/** Before any script of a template's: what such a script may change or ask for. */
Object.defineProperty(window, "truthmillFrame", { value: { name: window.name, parent: window.parent } });
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
