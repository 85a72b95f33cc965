/**
 * The one place that converts between the screen and the picture. Screen: CSS pixels from the stage's upper left
 * corner. Picture: pixels of the stored picture. The device's pixel ratio plays no part in where a box lies.
 *
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./geometry.js").Size} Size
 */
import { clamp } from "./geometry.js";

const MOST = 64;
const MARGIN = 12;
const EDGE = 8; // CSS pixels; less than a fitted picture's margin

export class Viewport {
  /** CSS pixels for one pixel of the picture */
  scale = 1;
  /** where the picture's upper left corner is on the screen */
  left = 0;
  top = 0;
  /** @type {Size} */
  picture = { width: 1, height: 1 };
  /** @type {Size} */
  stage = { width: 1, height: 1 };
  /** whether the picture is to fill the stage whatever its size becomes */
  fitted = true;

  /** @param {Point} point on the screen @returns {Point} in the picture, not rounded */
  toPicture(point) {
    return { x: (point.x - this.left) / this.scale, y: (point.y - this.top) / this.scale };
  }

  /** @param {Point} point in the picture @returns {Point} on the screen */
  toScreen(point) {
    return { x: point.x * this.scale + this.left, y: point.y * this.scale + this.top };
  }

  /** @param {Size} stage the stage's size; a picture that filled it does so again, another keeps its place, in sight */
  resize(stage) {
    this.stage = stage;
    if (this.fitted) this.fit();
    else this.#keepInSight();
  }

  /** The whole picture, as large as it goes. */
  fit() {
    this.fitted = true;
    this.scale = clamp(this.#fitting(), 0.001, MOST);
    this.#centre();
  }

  /** One pixel of the picture on one of the device. @param {number} ratio device pixels for a CSS pixel */
  actual(ratio) {
    this.zoom(1 / ratio / this.scale, { x: this.stage.width / 2, y: this.stage.height / 2 });
  }

  /** @param {number} factor @param {Point} at the place on the screen that stays under the pointer */
  zoom(factor, at) {
    const least = Math.min(this.#fitting() / 2, 1);
    const scale = clamp(this.scale * factor, least, MOST);
    const fixed = this.toPicture(at);
    this.fitted = false;
    this.scale = scale;
    this.left = at.x - fixed.x * scale;
    this.top = at.y - fixed.y * scale;
    this.#keepInSight();
  }

  /** @param {number} dx @param {number} dy in CSS pixels */
  pan(dx, dy) {
    this.fitted = false;
    this.left += dx;
    this.top += dy;
    this.#keepInSight();
  }

  /** Move the picture until a point of it is in sight. @param {Point} point in the picture */
  reveal(point) {
    const { x, y } = this.toScreen(point);
    const dx = clamp(x, EDGE, this.stage.width - EDGE) - x;
    const dy = clamp(y, EDGE, this.stage.height - EDGE) - y;
    if (dx || dy) this.pan(dx, dy);
  }

  #fitting() {
    const across = (this.stage.width - 2 * MARGIN) / this.picture.width;
    const down = (this.stage.height - 2 * MARGIN) / this.picture.height;
    return Math.max(0.001, Math.min(across, down));
  }

  #centre() {
    this.left = (this.stage.width - this.picture.width * this.scale) / 2;
    this.top = (this.stage.height - this.picture.height * this.scale) / 2;
  }

  #keepInSight() {
    const keep = 48;
    this.left = clamp(this.left, keep - this.picture.width * this.scale, this.stage.width - keep);
    this.top = clamp(this.top, keep - this.picture.height * this.scale, this.stage.height - keep);
  }
}
