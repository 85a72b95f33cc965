/** The picture on the screen, with what is drawn over it: pointer, wheel, painting. */
import { Gestures } from "../drawing/gestures.js";
import { paint } from "../drawing/painter.js";
import { Pen } from "../drawing/pen.js";
import { Viewport } from "../drawing/viewport.js";
import { element } from "../texts/markup.js";
import { text } from "../texts/texts.js";
import { Loupe } from "./loupe.js";

const LARGE = 16e6; // pixels; beyond that smoothing a picture for another zoom holds everything up
const PEN_NEAR_MS = 500;
const REST_MS = 150; // without zooming, until a large picture is smoothed

export class Stage {
  viewport = new Viewport();
  hidden = false;
  dimmed = false;
  loupe = true;
  /** the picture's own size is known and it can be drawn on */
  ready = false;
  /** @type {import("../drawing/geometry.js").Point | null} */
  #pointer = null;
  #panning = false;
  #space = false;
  #asked = 0;
  /** timer that runs while a large picture is being zoomed */
  #zooming = 0;
  /** @type {Map<number, import("../drawing/geometry.js").Point>} fingers on the screen */
  #fingers = new Map();
  /** @type {number | null} the pointer that draws or moves the picture; others that come meanwhile do nothing */
  #holder = null;
  /** when a pen was last near: what touches then is a hand */
  #penAt = -Infinity;

  /**
   * @param {import("../drawing/drawing.js").Drawing} drawing
   * @param {(label: string) => string} colour
   * @param {{onReady: () => void, onBroken: () => void, onChange: () => void}} hear
   */
  constructor(drawing, colour, hear) {
    this.drawing = drawing;
    this.colour = colour;
    this.hear = hear;
    this.gestures = new Gestures(drawing, this.viewport);
    this.pen = new Pen(this.gestures, this.viewport);
    this.picture = element("img", { alt: "", draggable: false, class: "picture" });
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.loupeView = new Loupe();
    this.root = element(
      "div",
      { class: "stage", tabIndex: 0, role: "application", "aria-label": text("box.stage"), "data-testid": "stage" },
      this.picture,
      this.canvas,
      this.loupeView.root,
    );
    this.#wire();
    drawing.subscribe(() => this.refresh());
  }

  /** Show another picture; what was there is gone at once. @param {string} address */
  show(address) {
    this.ready = false;
    this.pen.away();
    this.picture.hidden = true;
    // With CORS a browser shows the stored pixels unturned, whatever an orientation tag says.
    this.picture.crossOrigin = "anonymous";
    this.picture.src = address;
    this.refresh();
  }

  refresh() {
    if (this.#asked) return;
    this.#asked = requestAnimationFrame(() => {
      this.#asked = 0;
      this.#paint();
    });
  }

  /** @param {number} factor */
  zoom(factor) {
    this.#zoom(factor, this.#aim ?? this.#middle);
  }

  /** @param {number} dx @param {number} dy in CSS pixels */
  pan(dx, dy) {
    this.viewport.pan(dx, dy);
    this.refresh();
  }

  /** Draw by keys, from where the pointer is or from the middle. */
  takePen() {
    this.pen.take(this.#pointer ?? this.#middle);
    this.drawing.select(null);
  }

  /** Where the crosshair is on the screen. */
  get #aim() {
    return this.pen.at ? this.viewport.toScreen(this.pen.at) : this.#pointer;
  }

  get #middle() {
    return { x: this.viewport.stage.width / 2, y: this.viewport.stage.height / 2 };
  }

  /** @param {number} factor @param {import("../drawing/geometry.js").Point} at */
  #zoom(factor, at) {
    this.viewport.zoom(factor, at);
    this.#unsmoothed();
    this.refresh();
  }

  /** For a moment a large picture shows its pixels as they are. */
  #unsmoothed() {
    const { width, height } = this.viewport.picture;
    if (width * height <= LARGE) return;
    window.clearTimeout(this.#zooming);
    this.#zooming = window.setTimeout(() => {
      this.#zooming = 0;
      this.refresh();
    }, REST_MS);
  }

  fit() {
    this.viewport.fit();
    this.refresh();
  }

  actual() {
    this.viewport.actual(window.devicePixelRatio);
    this.refresh();
  }

  /** @param {number} brightness @param {number} contrast in per cent */
  light(brightness, contrast) {
    const filter = brightness === 100 && contrast === 100 ? "" : `brightness(${brightness}%) contrast(${contrast}%)`;
    for (const shown of [this.picture, this.loupeView.picture]) shown.style.filter = filter;
  }

  /** Space held: the pointer moves the picture. @param {boolean} held */
  set space(held) {
    this.#space = held;
    this.root.classList.toggle("pans", held);
  }

  #wire() {
    const { root, picture } = this;
    picture.addEventListener("load", () => this.#loaded());
    picture.addEventListener("error", () => this.#failed());
    new ResizeObserver(() => this.#resized()).observe(root);
    root.addEventListener("pointerdown", (event) => this.#down(event));
    root.addEventListener("pointermove", (event) => this.#move(event));
    root.addEventListener("pointerup", (event) => this.#up(event));
    root.addEventListener("pointercancel", (event) => this.#cancel(event));
    root.addEventListener("lostpointercapture", (event) => this.#lost(event));
    root.addEventListener("pointerleave", () => {
      this.#pointer = null;
      this.refresh();
    });
    root.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    root.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  #loaded() {
    this.picture.hidden = false;
    this.viewport.picture = this.#stored();
    this.loupeView.show(this.picture);
    this.ready = true;
    this.#unsmoothed(); // all its pixels are decoded now, and not at the first zoom
    this.#resized();
    this.fit();
    this.hear.onReady();
  }

  /**
   * The picture's size as it is laid out: unturned. Its natural size is that of the picture as an orientation tag turns
   * it; the size of the layout alone is no whole number of pixels at every zoom.
   */
  #stored() {
    const { naturalWidth, naturalHeight, offsetWidth, offsetHeight } = this.picture;
    const off = (/** @type {number} */ width, /** @type {number} */ height) => Math.abs(width - offsetWidth) + Math.abs(height - offsetHeight);
    const turned = off(naturalHeight, naturalWidth) < off(naturalWidth, naturalHeight);
    return turned ? { width: naturalHeight, height: naturalWidth } : { width: naturalWidth, height: naturalHeight };
  }

  #failed() {
    if (this.picture.crossOrigin !== null) {
      this.picture.crossOrigin = null;
      this.picture.src = this.picture.src;
      return;
    }
    this.hear.onBroken();
  }

  #resized() {
    const { width, height } = this.root.getBoundingClientRect(); // not rounded, as clientWidth is
    if (!width || !height) return;
    this.viewport.resize({ width, height });
    this.refresh();
  }

  /** @param {MouseEvent} event @returns {import("../drawing/geometry.js").Point} */
  #at(event) {
    const area = this.root.getBoundingClientRect();
    return { x: event.clientX - area.left - this.root.clientLeft, y: event.clientY - area.top - this.root.clientTop };
  }

  /** @param {PointerEvent} event */
  #down(event) {
    this.root.focus({ preventScroll: true });
    event.preventDefault();
    if (!this.ready || this.#isHand(event)) return;
    this.pen.away();
    const touch = event.pointerType === "touch";
    if (touch && event.isPrimary) this.#fingers.clear();
    if (touch) this.#fingers.set(event.pointerId, this.#at(event));
    if (this.#fingers.size > 1) this.#drop();
    if (this.#fingers.size > 1 || this.#isBusy(event)) return;
    this.root.setPointerCapture(event.pointerId);
    this.#holder = event.pointerId;
    this.#pointer = this.#at(event);
    this.#panning = event.button === 1 || (event.button === 0 && this.#space);
    if (!this.#panning && event.button === 0) this.gestures.press(this.#pointer, { touch, force: event.shiftKey });
    this.refresh();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    this.#isHand(event);
    if (!this.ready) return;
    const at = this.#at(event);
    const held = event.pointerId === this.#holder;
    if (this.#fingers.size === 2 && this.#fingers.has(event.pointerId)) this.#pinch(event.pointerId, at);
    else if (held && event.buttons === 0) this.finish(); // it was let go where nobody told
    else if (held && this.#panning && this.#pointer) this.viewport.pan(at.x - this.#pointer.x, at.y - this.#pointer.y);
    else if (held && this.gestures.active && !this.pen.at) this.gestures.drag(at);
    else if (this.#holder === null) this.root.style.cursor = this.#space ? "grab" : this.gestures.cursor(at);
    if (held || this.#holder === null) this.#pointer = at;
    this.refresh();
  }

  /** @param {PointerEvent} event */
  #up(event) {
    this.#fingers.delete(event.pointerId);
    if (event.pointerId !== this.#holder) return;
    this.#holder = null;
    if (!this.#panning && this.gestures.active) this.gestures.lift(this.#at(event));
    this.#panning = false;
    if (event.pointerType === "touch") this.#pointer = null;
    this.hear.onChange();
    this.refresh();
  }

  /** @param {PointerEvent} event */
  #cancel(event) {
    this.#fingers.delete(event.pointerId);
    if (event.pointerId === this.#holder) this.#drop();
  }

  /** It is over, whether or not the pointer was seen to be lifted. @param {PointerEvent} event */
  #lost(event) {
    this.#fingers.delete(event.pointerId);
    if (event.pointerId === this.#holder) this.finish();
  }

  /** Nothing comes of what the pointer is at. */
  #drop() {
    this.#holder = null;
    this.#panning = false;
    this.gestures.cancel();
    this.refresh();
  }

  /** What the pointer is drawing is drawn, as far as it got. */
  finish() {
    if (this.#holder === null) return;
    if (this.gestures.draft && this.#pointer) this.gestures.lift(this.#pointer);
    this.#drop();
  }

  /** Whether another pointer is at work; a pen goes before fingers. @param {PointerEvent} event */
  #isBusy(event) {
    if (this.#holder === null) return false;
    if (event.pointerType !== "pen") return true;
    this.#fingers.clear();
    this.#drop();
    return false;
  }

  /** Whether it is the hand that holds a pen. @param {PointerEvent} event */
  #isHand(event) {
    if (event.pointerType === "pen") this.#penAt = event.timeStamp;
    return event.pointerType === "touch" && event.timeStamp - this.#penAt < PEN_NEAR_MS;
  }

  /** Two fingers zoom and move. @param {number} finger @param {import("../drawing/geometry.js").Point} at */
  #pinch(finger, at) {
    const before = /** @type {import("../drawing/geometry.js").Point} */ (this.#fingers.get(finger));
    const [other] = [...this.#fingers].filter(([id]) => id !== finger).map(([, point]) => point);
    const was = Math.hypot(before.x - other.x, before.y - other.y);
    const is = Math.hypot(at.x - other.x, at.y - other.y);
    this.#fingers.set(finger, at);
    this.viewport.pan((at.x - before.x) / 2, (at.y - before.y) / 2);
    if (was > 0) this.#zoom(is / was, { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 });
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    if (!this.ready) return;
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.#zoom(Math.exp((-event.deltaY * lines) / 400), this.#at(event));
  }

  #paint() {
    const ratio = window.devicePixelRatio;
    const { viewport, canvas, picture } = this;
    const [width, height] = [Math.round(viewport.stage.width * ratio), Math.round(viewport.stage.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    picture.style.transform = `translate(${viewport.left}px, ${viewport.top}px) scale(${viewport.scale})`;
    picture.style.imageRendering = viewport.scale * ratio >= 3 || this.#zooming ? "pixelated" : "auto";
    const { boxes, selected } = this.drawing;
    const { draft, points } = this.gestures;
    const { hidden, dimmed, colour } = this;
    const shown = this.ready ? boxes : [];
    const pointer = this.ready ? this.#aim : null;
    paint(canvas, viewport, { boxes: shown, selected, draft, points, pointer, hidden, dimmed, colour }, ratio);
    const aims = draft !== null || points.length > 0 || this.pen.at !== null;
    this.loupeView.move(viewport, this.loupe && aims ? pointer : null, ratio);
  }
}
