/** Says what became of the boxes, for who doesn't see them. */
import { element } from "../texts/markup.js";
import { text } from "../texts/texts.js";

export class Announcer {
  root = element("p", { class: "for-ears", role: "status" });
  /** @type {readonly import("../drawing/drawing.js").Drawn[]} */
  #before = [];
  /** @type {number | null} */
  #selected = null;

  /** @param {import("../drawing/drawing.js").Drawing} drawing */
  constructor(drawing) {
    this.drawing = drawing;
  }

  /** @param {boolean} aloud whether somebody did it, and not the page by itself */
  tell(aloud) {
    const { boxes, selected } = this.drawing;
    const words = aloud ? this.#words() : "";
    this.#before = boxes;
    this.#selected = selected;
    // The same words again are heard only where something differs.
    if (words) this.root.textContent = words === this.root.textContent ? `${words}\u00a0` : words;
  }

  /** @returns {string} */
  #words() {
    const { boxes, selected } = this.drawing;
    const came = boxes.filter((box) => !this.#before.includes(box));
    const went = this.#before.filter((box) => !boxes.includes(box));
    if (came.length + went.length === 0) {
      const box = selected === this.#selected ? null : this.drawing.get(selected);
      return box ? text("box.selected", { ...box }) : "";
    }
    const changed = came.length === 1 && went.length === 1 && came[0].id === went[0].id;
    if (changed) return text("box.item", { ...came[0] });
    if (came.length === 1 && went.length === 0) return text("box.drawn", { ...came[0] });
    if (went.length === 1 && came.length === 0) return text("box.deleted", { ...went[0] });
    return text("box.boxes", { count: boxes.length });
  }
}
