/** `<crowd-bounding-box>`: the picture, its labels, and the boxes drawn on it. */
import { colourOf } from "../drawing/colours.js";
import { Drawing } from "../drawing/drawing.js";
import { isInside, isSeen, moved, resized, snapped } from "../drawing/geometry.js";
import { element } from "../texts/markup.js";
import { text } from "../texts/texts.js";
import { Announcer } from "./announcer.js";
import { readBoxes, readLabels } from "./attributes.js";
import { BoxPanel } from "./box_panel.js";
import { framed, send } from "./channel.js";
import { keyList } from "./commands.js";
import { dialog, keyTable } from "./dialogs.js";
import { Stage } from "./stage.js";

/** bounding_box.css is part of the page, for us to put where nothing of the template's styles reaches. */
const STYLE = document.getElementById("truthmill-bounding-box")?.textContent ?? "";

const PAN = 40; // CSS pixels that an arrow key moves the picture
const FAR = 100; // CSS pixels that an arrow key with Ctrl moves the crosshair

export class CrowdBoundingBox extends HTMLElement {
  static observedAttributes = ["src", "labels", "header", "initial-value"];
  /** @type {string[]} the labels that the template was given, for one that has none that can be read */
  static given = [];

  drawing = new Drawing();
  /** @type {string[]} */
  #labels = [];
  /** @type {string[]} all labels of the job, which number them the same in every task */
  #numbered = [];
  /** @type {({label: string} & import("../drawing/geometry.js").Box)[] | null} kept from before a reload */
  #kept = null;
  /** @type {({label: string} & import("../drawing/geometry.js").Box)[]} boxes of the picture before */
  previous = [];
  /** whether its labels could be read */
  #legible = false;
  #began = false;
  #built = false;

  constructor() {
    super();
    this.colour = (/** @type {string} */ label) => colourOf(this.number(label));
    this.stage = new Stage(this.drawing, this.colour, {
      onReady: () => this.#ready(),
      onBroken: () => this.#broken(),
      onChange: () => this.panel.refresh(),
    });
    this.panel = new BoxPanel(this);
    this.announcer = new Announcer(this.drawing);
    this.attachShadow({ mode: "open" });
  }

  connectedCallback() {
    if (this.#built) return;
    takeUp(this, ["labels", "src", "header", "name", "initialValue"]);
    this.#build();
  }

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (!this.#built) return;
    if (name === "src") this.#load();
    else if (name === "labels") this.#readLabels();
    else if (name === "header") this.heading?.replaceChildren(this.getAttribute("header") ?? "");
    else this.#begin();
  }

  get name() {
    return this.getAttribute("name") ?? "";
  }

  set name(name) {
    this.setAttribute("name", name);
  }

  get src() {
    return this.getAttribute("src") ?? "";
  }

  set src(address) {
    this.setAttribute("src", address);
  }

  get header() {
    return this.getAttribute("header") ?? "";
  }

  set header(words) {
    this.setAttribute("header", words);
  }

  /** @returns {any} */
  get initialValue() {
    return readBoxes(this.getAttribute("initial-value"));
  }

  /** As an array or as it stands in the attribute. */
  set initialValue(boxes) {
    this.setAttribute("initial-value", typeof boxes === "string" ? boxes : JSON.stringify(boxes));
  }

  /** @returns {string[]} */
  get labels() {
    return this.#labels;
  }

  /** As an array or as it stands in the attribute. @param {string[] | string} labels */
  set labels(labels) {
    this.setAttribute("labels", typeof labels === "string" ? labels : JSON.stringify(labels));
  }

  /** The answer, as Ground Truth's element gives it. */
  get value() {
    const boundingBoxes = this.drawing.plain();
    const inputImageProperties = { ...this.stage.viewport.picture };
    if (!this.hasAttribute("initial-value")) return { boundingBoxes, inputImageProperties };
    const initial = JSON.stringify(this.#initial().map(inOrder));
    return { boundingBoxes, initialValueModified: initial !== JSON.stringify(boundingBoxes.map(inOrder)), inputImageProperties };
  }

  /** Its colour and key follow from it, and stay from task to task. @param {string} label @returns {number} from 0 */
  number(label) {
    const others = this.#labels.filter((each) => !this.#numbered.includes(each));
    return Math.max(0, [...this.#numbered, ...others].indexOf(label));
  }

  /** @param {string[]} labels of the job @param {string} chosen the one chosen in the task before */
  setNumbers(labels, chosen) {
    this.#numbered = labels.filter((label) => typeof label === "string");
    if (!this.#legible) this.#readLabels();
    if (this.#labels.includes(chosen)) this.stage.gestures.label = chosen;
    this.panel.relabel();
    this.stage.refresh();
  }

  get _submittableValue() {
    return this.value;
  }

  /** Whether the boxes aren't the ones it would begin with. */
  get isTouched() {
    if (!this.#began) return this.#kept !== null;
    return JSON.stringify(this.drawing.plain().map(inOrder)) !== JSON.stringify(this.#initial().map(inOrder));
  }

  get isReady() {
    return this.stage.ready;
  }

  get isEmpty() {
    return this.drawing.boxes.length === 0;
  }

  /** What there is to be kept, also of a picture that hasn't come yet. */
  get draft() {
    return this.#began ? this.drawing.plain() : (this.#kept ?? []);
  }

  /** What was drawn before the page was loaded again. @param {({label: string} & import("../drawing/geometry.js").Box)[]} boxes */
  keep(boxes) {
    this.#kept = boxes;
    if (this.#began) this.#begin();
  }

  /** As it began, as one step. */
  reset() {
    if (this.#began && this.isTouched) this.drawing.replace(this.#initial());
  }

  /** @param {string} label of the next box; and of the selected one, where it was selected on purpose */
  choose(label) {
    const { drawing, stage } = this;
    stage.gestures.label = label;
    send({ type: "label", label });
    if (drawing.selected !== null && !drawing.fresh) drawing.change(drawing.selected, { label });
    this.panel.refresh();
  }

  /** @param {import("./commands.js").Asked} command @returns {boolean} whether it was one of ours */
  perform({ name, digit, by = [0, 0], held = false }) {
    const { drawing, stage } = this;
    const selected = drawing.get(drawing.selected);
    const label = digit === undefined ? undefined : this.#labels.find((each) => this.number(each) === digit);
    /** @type {Record<string, () => unknown>} */
    const ours = {
      label: () => label !== undefined && this.choose(label),
      relabel: () => selected && label !== undefined && drawing.change(selected.id, { label }),
      next: () => drawing.selectNext(1),
      previous: () => drawing.selectNext(-1),
      pen: () => (stage.pen.at ? stage.pen.press() : stage.takePen()),
      search: () => this.panel.search.select(),
      delete: () => selected && drawing.remove(selected.id),
      copy: () => selected && drawing.add(selected.label, moved(selected, 8, 8, stage.viewport.picture)),
      undo: () => drawing.undo(),
      redo: () => drawing.redo(),
      nudge: () => this.#arrow(by, held),
      grow: () => selected && this.#grow(selected, "es", by, held),
      growBack: () => this.#growBack(by, held),
      extreme: () => this.#mode(),
      takeOver: () => this.#takeOver(),
      escape: () => this.#escape(),
      zoomIn: () => stage.zoom(1.25),
      zoomOut: () => stage.zoom(0.8),
      fit: () => stage.fit(),
      actual: () => stage.actual(),
      hide: () => (stage.hidden = !stage.hidden),
      dim: () => (stage.dimmed = !stage.dimmed),
      loupe: () => (stage.loupe = !stage.loupe),
      help: () => this.help?.showModal(),
    };
    if (!(name in ours)) return false;
    if (stage.ready || name === "help" || name === "label") ours[name]();
    stage.refresh();
    this.panel.refresh();
    return true;
  }

  focusStage() {
    this.stage.root.focus({ preventScroll: true });
  }

  #build() {
    this.#built = true;
    this.heading = element("h1", {}, this.getAttribute("header") ?? "");
    this.notice = element("div", { class: "notice", role: "status" }, text("box.loading"));
    this.hint = element("p", { class: "hint", hidden: true, role: "status" });
    this.help = dialog(text("keys.title"), keyTable(keyList()));
    this.full = dialog(this.querySelector(":scope > full-instructions")?.getAttribute("header") || text("box.full"), element("slot", { name: "full" }));
    const style = element("style", {}, STYLE);
    const middle = element("div", { class: "middle" }, this.stage.root, this.notice, this.hint);
    this.shadowRoot?.append(style, element("div", { class: "tool" }, this.#side(), middle, this.panel.root), this.announcer.root, this.help, this.full);
    this.drawing.subscribe(() => this.#changed());
    this.#readLabels();
    this.#load();
  }

  #side() {
    for (const [tag, slot] of [["short-instructions", "short"], ["full-instructions", "full"]]) {
      for (const child of this.querySelectorAll(`:scope > ${tag}`)) child.setAttribute("slot", slot);
    }
    const full = this.querySelector(":scope > full-instructions");
    const more = element("button", { type: "button", class: "quiet", onclick: () => this.full?.showModal() }, text("box.full"));
    return element(
      "aside",
      { class: "instructions", "aria-label": text("box.instructions") },
      this.heading,
      element("slot", { name: "short" }),
      full && (full.textContent?.trim() || full.querySelector("img, svg, canvas")) ? more : null,
    );
  }

  /** Where the template has none that can be read, they are the job's. */
  #readLabels() {
    const labels = readLabels(this.getAttribute("labels"));
    this.#legible = labels !== null;
    this.#labels = labels ?? (this.#numbered.length ? this.#numbered : CrowdBoundingBox.given);
    const { gestures, ready } = this.stage;
    if (!this.#labels.includes(gestures.label)) gestures.label = this.#labels[0] ?? "";
    this.panel.relabel();
    if (ready) this.#sayReady();
  }

  #sayReady() {
    if (this.#labels.length) this.notice?.replaceChildren();
    else this.#say(text("box.noLabels"));
  }

  #load() {
    const address = this.getAttribute("src");
    this.#began = false;
    this.drawing.begin([]);
    this.#say(text("box.loading"));
    if (address) this.stage.show(address);
    else this.#broken();
  }

  #ready() {
    this.#sayReady();
    this.#begin();
    this.dispatchEvent(new Event("truthmill-picture", { bubbles: true, composed: true }));
  }

  #begin() {
    if (!this.stage.ready) return;
    this.#began = false; // nobody has changed anything
    this.drawing.begin(this.#kept ? this.#usable(this.#kept) : this.#initial());
    this.#began = true;
    this.panel.refresh();
  }

  #initial() {
    return this.#usable(readBoxes(this.getAttribute("initial-value")));
  }

  /** @param {({label: string} & import("../drawing/geometry.js").Box)[]} boxes */
  #usable(boxes) {
    const size = this.stage.viewport.picture;
    const seen = boxes.filter((box) => isSeen(box, size));
    return seen.map((box) => ({ label: box.label, ...snapped(box, size) })).filter((box) => isInside(box, size));
  }

  #broken() {
    const again = element("button", { type: "button", onclick: () => this.#again() }, text("app.retry"));
    const skip = () => this.dispatchEvent(new CustomEvent("truthmill-skip", { bubbles: true, composed: true, detail: "broken" }));
    const decline = framed && element("button", { type: "button", onclick: skip }, text("form.skip"));
    const words = [element("strong", {}, text("box.error")), element("p", {}, text("box.errorAbout"))];
    this.notice?.replaceChildren(element("div", { role: "alert" }, ...words, element("p", { class: "actions" }, again, decline)));
  }

  #again() {
    if (framed) send({ type: "reload" }); // the link may have run out; the portal loads the page with a new one
    else this.#load();
  }

  /** @param {string} words */
  #say(words) {
    this.notice?.replaceChildren(element("p", {}, words));
  }

  #changed() {
    this.panel.refresh();
    this.announcer.tell(this.#began);
    if (!this.#began) return;
    this.dispatchEvent(new Event("change", { bubbles: true, composed: true }));
  }

  /** An arrow key moves the crosshair, else the selected box, else the picture. @param {[number, number]} by @param {boolean} held */
  #arrow(by, held) {
    const { drawing, stage } = this;
    const selected = drawing.get(drawing.selected);
    if (stage.pen.at) stage.pen.move(by, held);
    else if (selected) drawing.change(selected.id, moved(selected, ...by, stage.viewport.picture), held);
    else stage.pan(-PAN * by[0], -PAN * by[1]);
  }

  /** With Ctrl it takes the crosshair far, else it moves the left or the upper edge. @param {[number, number]} by @param {boolean} held */
  #growBack(by, held) {
    const { drawing, stage } = this;
    const selected = drawing.get(drawing.selected);
    if (stage.pen.at) stage.pen.move([FAR * Math.sign(by[0]), FAR * Math.sign(by[1])], false);
    else if (selected) this.#grow(selected, "wn", by, held);
  }

  /** @param {import("../drawing/drawing.js").Drawn} box @param {"es" | "wn"} edges across and down @param {[number, number]} by @param {boolean} held */
  #grow(box, edges, [dx, dy], held) {
    const handle = /** @type {import("../drawing/geometry.js").Handle} */ (edges[dx ? 0 : 1]);
    const far = edges === "es" ? { x: box.left + box.width, y: box.top + box.height } : { x: box.left, y: box.top };
    this.drawing.change(box.id, resized(box, handle, { x: far.x + dx, y: far.y + dy }, this.stage.viewport.picture), held);
  }

  #mode() {
    const { gestures } = this.stage;
    gestures.mode = gestures.mode === "drag" ? "extreme" : "drag";
    gestures.points = [];
  }

  #takeOver() {
    this.drawing.addAll(this.#usable(this.previous).filter((box) => this.#labels.includes(box.label)));
  }

  #escape() {
    const { gestures, pen } = this.stage;
    if (gestures.active || gestures.points.length) {
      gestures.cancel();
      gestures.points = [];
    } else if (pen.at) pen.away();
    else this.drawing.select(null);
  }

  /** What the panel shows below the picture. @param {string} words */
  hintAt(words) {
    if (!this.hint) return;
    this.hint.hidden = !words;
    this.hint.textContent = words;
  }
}

/**
 * What a template's script set before there was an element to hear it.
 * @param {CrowdBoundingBox} element @param {string[]} names
 */
function takeUp(element, names) {
  for (const name of names.filter((each) => Object.hasOwn(element, each))) {
    const given = Reflect.get(element, name);
    Reflect.deleteProperty(element, name);
    Reflect.set(element, name, given);
  }
}

/** @param {{label: string} & import("../drawing/geometry.js").Box} box */
function inOrder({ label, left, top, width, height }) {
  return [label, left, top, width, height];
}
