/**
 * The pixels around the crosshair, enlarged, in a corner away from it. It shows the picture as an element of its own:
 * so the browser decodes a large one once, and painting doesn't wait for it.
 *
 * @typedef {import("../drawing/geometry.js").Point} Point
 */
import { element } from "../texts/markup.js";

const SIDE = 132; // CSS pixels, as in bounding_box.css
const ENLARGED = 8;
const EDGE = 12; // CSS pixels

export class Loupe {
  picture = element("img", { alt: "", draggable: false });
  root = element("div", { class: "loupe", "aria-hidden": "true", hidden: true }, this.picture);

  /** The same picture as on the stage, once it is there. @param {HTMLImageElement} picture */
  show(picture) {
    this.picture.crossOrigin = picture.crossOrigin;
    this.picture.src = picture.src;
  }

  /** @param {import("../drawing/viewport.js").Viewport} viewport @param {Point | null} at on the screen; null: away @param {number} ratio device pixels for a CSS pixel */
  move(viewport, at, ratio) {
    this.root.hidden = at === null;
    if (!at) return;
    const enlarged = Math.max(ENLARGED / ratio, viewport.scale * 2);
    const { x, y } = viewport.toPicture(at);
    const covers = at.x < SIDE * 1.6 && at.y < SIDE * 1.6;
    this.root.style.left = `${covers ? viewport.stage.width - SIDE - EDGE : EDGE}px`;
    this.picture.style.transform = `translate(${SIDE / 2 - x * enlarged}px, ${SIDE / 2 - y * enlarged}px) scale(${enlarged})`;
  }
}
