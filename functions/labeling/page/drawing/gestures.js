/**
 * What a pointer does: draw, move, resize, select; by pressing and dragging, or by four extreme points. A change
 * reaches the drawing when the pointer is lifted; until then `draft` shows what would come of it.
 *
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./geometry.js").Box} Box
 * @typedef {import("./geometry.js").Handle} Handle
 * @typedef {{kind: "draw", from: Point, moved: boolean} | {kind: "move", id: number, from: Point, moved: boolean}
 *   | {kind: "resize", id: number, handle: Handle, grab: Point, moved: boolean}} Gesture
 */
import { boxAround, contains, handleAt, handlePoint, moved, resized, under } from "./geometry.js";

const REACH = 9; // CSS pixels around a handle
const REACH_OF_TOUCH = 20;
const STILL = 3; // CSS pixels that a click may wander

export class Gestures {
  /** @type {{id: number | null, label: string, box: Box} | null} */
  draft = null;
  /** @type {Point[]} extreme points clicked so far */
  points = [];
  /** @type {"drag" | "extreme"} */
  mode = "drag";
  /** label of the next box; without one none is drawn */
  label = "";
  /** @type {Gesture | null} */
  #now = null;

  /** @param {import("./drawing.js").Drawing} drawing @param {import("./viewport.js").Viewport} viewport */
  constructor(drawing, viewport) {
    this.drawing = drawing;
    this.viewport = viewport;
  }

  get active() {
    return this.#now !== null;
  }

  /** @param {Point} at on the screen @param {{touch?: boolean, force?: boolean}} how force: draw, whatever lies there */
  press(at, { touch = false, force = false } = {}) {
    const point = this.viewport.toPicture(at);
    const selected = this.drawing.get(this.drawing.selected);
    if (selected && !force && this.points.length === 0) {
      const handle = handleAt(selected, point, (touch ? REACH_OF_TOUCH : REACH) / this.viewport.scale);
      if (handle) {
        const on = handlePoint(selected, handle);
        const grab = { x: on.x - point.x, y: on.y - point.y };
        this.#now = { kind: "resize", id: selected.id, handle, grab, moved: false };
        return;
      }
      if (this.mode === "drag" && contains(selected, point)) {
        this.#now = { kind: "move", id: selected.id, from: point, moved: false };
        return;
      }
    }
    this.#now = { kind: "draw", from: point, moved: false };
  }

  /** @param {Point} at on the screen */
  drag(at) {
    const now = this.#now;
    if (!now) return;
    const point = this.viewport.toPicture(at);
    const origin = now.kind === "resize" ? null : now.from;
    const still = STILL / this.viewport.scale;
    if (!origin || Math.abs(point.x - origin.x) >= still || Math.abs(point.y - origin.y) >= still) now.moved = true;
    if (!now.moved) return;
    const size = this.viewport.picture;
    if (now.kind === "draw") {
      if (this.mode === "drag" && this.label) this.draft = { id: null, label: this.label, box: boxAround([now.from, point], size) };
      return;
    }
    const box = this.drawing.get(now.id);
    if (!box) return;
    const next =
      now.kind === "move"
        ? moved(box, point.x - now.from.x, point.y - now.from.y, size)
        : resized(box, now.handle, { x: point.x + now.grab.x, y: point.y + now.grab.y }, size);
    this.draft = { id: box.id, label: box.label, box: next };
  }

  /** @param {Point} at on the screen */
  lift(at) {
    this.drag(at);
    const { draft } = this;
    const now = this.#now;
    this.cancel();
    if (!now) return;
    if (draft && draft.id === null) this.drawing.add(draft.label, draft.box);
    else if (draft && draft.id !== null) this.drawing.change(draft.id, draft.box);
    else if (this.mode === "extreme" && now.kind === "draw") this.#extreme(this.viewport.toPicture(at));
    else if (now.kind !== "resize") this.#click(this.viewport.toPicture(at));
  }

  /** Forget what is under way. */
  cancel() {
    this.#now = null;
    this.draft = null;
  }

  /** Select the smallest box there; again, the next larger one; where there is none, none. @param {Point} point */
  #click(point) {
    const there = under(this.drawing.boxes, point);
    const at = there.findIndex((box) => box.id === this.drawing.selected);
    this.drawing.select(there.length ? there[(at + 1) % there.length].id : null);
  }

  /** @param {Point} point */
  #extreme(point) {
    if (!this.label) return;
    this.points = [...this.points, point];
    if (this.points.length < 4) return;
    const box = boxAround(this.points, this.viewport.picture);
    this.points = [];
    this.drawing.add(this.label, box);
  }

  /** What the pointer would do there. @param {Point} at on the screen @returns {string} a CSS cursor */
  cursor(at) {
    const point = this.viewport.toPicture(at);
    const selected = this.drawing.get(this.drawing.selected);
    if (selected && this.points.length === 0) {
      const handle = handleAt(selected, point, REACH / this.viewport.scale);
      if (handle) return `${handle}-resize`;
      if (this.mode === "drag" && contains(selected, point)) return "move";
    }
    return "crosshair";
  }
}
