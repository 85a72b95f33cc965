/**
 * Drawing without a pointer: a crosshair that the arrow keys move and a key presses and lifts, as a pointer does.
 *
 * @typedef {import("./geometry.js").Point} Point
 */
import { clamp } from "./geometry.js";

const FASTER = 1.2; // each repeat of a key that is held
const MOST = 60; // CSS pixels a step

export class Pen {
  /** @type {Point | null} a whole pixel of the picture; null: nobody draws by keys */
  at = null;
  #repeats = 0;

  /** @param {import("./gestures.js").Gestures} gestures @param {import("./viewport.js").Viewport} viewport */
  constructor(gestures, viewport) {
    this.gestures = gestures;
    this.viewport = viewport;
  }

  /** whether a corner is set, and the arrows move the opposite one */
  get isDown() {
    return this.at !== null && this.gestures.active;
  }

  /** @param {Point} near on the screen */
  take(near) {
    this.at = this.#inside(this.viewport.toPicture(near));
  }

  /** Nothing is drawn of what is under way. */
  away() {
    if (this.isDown) this.gestures.cancel();
    this.at = null;
  }

  /**
   * By CSS pixels, but at least by one of the picture; a key that is held goes faster and faster.
   * @param {[number, number]} by @param {boolean} held whether the key was down already
   */
  move([dx, dy], held) {
    if (!this.at) return;
    this.#repeats = held ? this.#repeats + 1 : 0;
    const far = Math.abs(dx) + Math.abs(dy);
    const step = Math.max(far, Math.min(MOST, far * FASTER ** this.#repeats)) / far;
    const picture = Math.max(1 / far, step / this.viewport.scale);
    this.at = this.#inside({ x: this.at.x + dx * picture, y: this.at.y + dy * picture });
    this.viewport.reveal(this.at);
    this.gestures.drag(this.viewport.toScreen(this.at));
  }

  /** A corner, then the opposite one; of four extreme points each. */
  press() {
    if (!this.at) return;
    const on = this.viewport.toScreen(this.at);
    const ends = this.isDown || this.gestures.mode === "extreme";
    if (!this.isDown) this.gestures.press(on, { force: true });
    if (ends) this.gestures.lift(on);
  }

  /** @param {Point} point @returns {Point} */
  #inside({ x, y }) {
    const { width, height } = this.viewport.picture;
    return { x: clamp(Math.round(x), 0, width), y: clamp(Math.round(y), 0, height) };
  }
}
