/**
 * What has been drawn: boxes, the selection, and undo without limit. Knows nothing of the screen.
 *
 * @typedef {import("./geometry.js").Box} Box
 * @typedef {Readonly<{id: number, label: string} & Box>} Drawn
 */

export class Drawing {
  /** @type {readonly Drawn[]} */
  boxes = [];
  /** @type {number | null} */
  selected = null;
  /** whether the selected box has only just been drawn, so that choosing a label means the next one */
  fresh = false;
  /** @type {(readonly Drawn[])[]} */
  #past = [];
  /** @type {(readonly Drawn[])[]} */
  #future = [];
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #next = 1;
  /** @type {number | null} the box that the last step changed; the next one may be part of that step */
  #changed = null;

  /** @param {() => void} listener called after every change @returns {() => void} ends it */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {string} label @param {Box} box @returns {number} its id */
  add(label, box) {
    const id = this.#next++;
    this.selected = id;
    this.fresh = true;
    this.#commit([...this.boxes, made(id, label, box)]);
    return id;
  }

  /**
   * @param {number} id @param {Partial<Box & {label: string}>} part
   * @param {boolean} [goesOn] whether it is one step with the change before, as of a key that is held
   */
  change(id, part, goesOn = false) {
    const now = this.get(id);
    if (!now) return;
    const next = made(id, part.label ?? now.label, { ...now, ...part });
    if (same(now, next)) return;
    const before = goesOn && this.#changed === id ? this.#past.pop() : undefined;
    this.#commit(this.boxes.map((box) => (box.id === id ? next : box)), before);
    this.#changed = id;
  }

  /** @param {number} id */
  remove(id) {
    if (!this.get(id)) return;
    if (this.selected === id) this.selected = null;
    this.#commit(this.boxes.filter((box) => box.id !== id));
  }

  /** Add several at once, as one step. @param {({label: string} & Box)[]} boxes */
  addAll(boxes) {
    if (boxes.length === 0) return;
    this.#commit([...this.boxes, ...boxes.map((box) => made(this.#next++, box.label, box))]);
  }

  /** These instead of what is there, as one step. @param {({label: string} & Box)[]} boxes */
  replace(boxes) {
    if (boxes.length === 0 && this.boxes.length === 0) return;
    this.selected = null;
    this.#commit(boxes.map((box) => made(this.#next++, box.label, box)));
  }

  /** Begin with these; there is nothing to undo. @param {({label: string} & Box)[]} boxes */
  begin(boxes) {
    this.#past = [];
    this.#future = [];
    this.selected = null;
    this.boxes = boxes.map((box) => made(this.#next++, box.label, box));
    this.#tell();
  }

  undo() {
    this.#step(this.#past, this.#future);
  }

  redo() {
    this.#step(this.#future, this.#past);
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /** @param {number | null} id */
  select(id) {
    this.selected = id !== null && this.get(id) ? id : null;
    this.fresh = false;
    this.#tell();
  }

  /** The next or the previous box in the order drawn. @param {1 | -1} by */
  selectNext(by) {
    if (this.boxes.length === 0) return;
    const at = this.boxes.findIndex((box) => box.id === this.selected);
    const start = at < 0 && by < 0 ? 0 : at;
    this.select(this.boxes[(start + by + this.boxes.length) % this.boxes.length].id);
  }

  /** @param {number | null} id */
  get(id) {
    return this.boxes.find((box) => box.id === id) ?? null;
  }

  /** As an answer has them. @returns {({label: string} & Box)[]} */
  plain() {
    return this.boxes.map(({ label, left, top, width, height }) => ({ height, label, left, top, width }));
  }

  /** @param {readonly Drawn[]} boxes @param {readonly Drawn[]} [before] what undoing brings back */
  #commit(boxes, before = this.boxes) {
    this.#past.push(before);
    this.#future = [];
    this.#changed = null;
    this.boxes = boxes;
    this.#tell();
  }

  /** @param {(readonly Drawn[])[]} from @param {(readonly Drawn[])[]} to */
  #step(from, to) {
    const boxes = from.pop();
    if (!boxes) return;
    to.push(this.boxes);
    this.#changed = null;
    const changed = boxes.filter((box) => !this.boxes.includes(box));
    this.boxes = boxes;
    if (changed.length === 1) this.selected = changed[0].id;
    if (!this.get(this.selected)) this.selected = null;
    this.#tell();
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }
}

/** @param {number} id @param {string} label @param {Box} box @returns {Drawn} */
function made(id, label, { left, top, width, height }) {
  return Object.freeze({ id, label, left, top, width, height });
}

/** @param {Drawn} a @param {Drawn} b */
function same(a, b) {
  return a.label === b.label && a.left === b.left && a.top === b.top && a.width === b.width && a.height === b.height;
}
