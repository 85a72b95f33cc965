/** Beside the picture: labels with their keys and colours, the boxes as a list, and how the picture is seen. */
import { element } from "../texts/markup.js";
import { text } from "../texts/texts.js";

const SEARCH_FROM = 11; // labels
const MOST_LISTED = 300;

export class BoxPanel {
  #sought = "";
  #listed = "";
  /** the label chosen, as it was last brought into sight */
  #seen = "";

  /** @param {import("./crowd_bounding_box.js").CrowdBoundingBox} owner */
  constructor(owner) {
    this.owner = owner;
    const arrow = (/** @type {KeyboardEvent} */ event) => this.#arrow(event);
    this.labels = element("div", { class: "labels", role: "radiogroup", "aria-label": text("box.labels"), onkeydown: arrow });
    const seek = (/** @type {Event} */ event) => this.#seek(/** @type {HTMLInputElement} */ (event.target).value);
    this.search = element("input", { type: "search", placeholder: text("box.search"), "aria-label": text("box.search"), hidden: true, oninput: seek, onkeydown: (/** @type {KeyboardEvent} */ event) => this.#found(event) });
    this.count = element("h2", {}, text("box.boxes", { count: 0 }));
    this.list = element("ol", { class: "boxes" });
    this.empty = element("p", { class: "empty" }, text("box.none"));
    this.root = element(
      "aside",
      { class: "panel" },
      element("h2", {}, text("box.labels")), this.search, this.labels,
      this.count, this.empty, this.list,
      this.#view(),
    );
  }

  /** The labels are other ones now. */
  relabel() {
    const { owner } = this;
    this.search.hidden = owner.labels.length < SEARCH_FROM;
    const sought = this.#sought.toLowerCase();
    this.labels.replaceChildren(
      ...owner.labels.map((label) => {
        const number = owner.number(label);
        const button = element(
          "button",
          { type: "button", class: "label", role: "radio", title: label, hidden: !label.toLowerCase().includes(sought), onclick: () => this.#choose(label) },
          element("span", { class: "swatch" }),
          element("span", { class: "name" }, label),
          number < 10 ? element("kbd", { "aria-hidden": "true" }, String((number + 1) % 10)) : null,
        );
        button.style.setProperty("--label", owner.colour(label));
        return button;
      }),
    );
    this.#seen = "";
    this.refresh();
  }

  refresh() {
    const { owner } = this;
    const { drawing, stage } = owner;
    for (const [number, button] of this.#buttons.entries()) {
      const chosen = owner.labels[number] === stage.gestures.label;
      button.setAttribute("aria-checked", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
    const seen = this.#buttons.filter((button) => !button.hidden);
    if (seen[0] && !seen.some((button) => button.tabIndex === 0)) seen[0].tabIndex = 0;
    this.#bringIntoSight();
    this.count.textContent = text("box.boxes", { count: drawing.boxes.length });
    this.empty.hidden = drawing.boxes.length > 0;
    const state = JSON.stringify([drawing.selected, drawing.boxes.slice(0, MOST_LISTED)]);
    if (state !== this.#listed) {
      this.#listed = state;
      this.#relist();
    }
    for (const [name, on] of /** @type {[string, boolean][]} */ ([["hide", stage.hidden], ["dim", stage.dimmed], ["loupe", stage.loupe], ["extreme", stage.gestures.mode === "extreme"]])) {
      this.root.querySelector(`[data-command="${name}"]`)?.setAttribute("aria-pressed", String(on));
    }
    this.#enable("undo", drawing.canUndo);
    this.#enable("redo", drawing.canRedo);
    owner.hintAt(this.#hint());
  }

  /** What the next click or key is for, where that isn't plain. */
  #hint() {
    const { drawing, stage } = this.owner;
    const { mode, points } = stage.gestures;
    if (mode === "extreme") return text("box.extreme", { count: points.length });
    if (!stage.pen.at) return "";
    if (stage.pen.isDown) return text("box.penDown");
    const drawn = drawing.fresh ? drawing.get(drawing.selected) : null;
    return drawn ? `${text("box.drawn", drawn)}. ${text("box.penUp")}` : text("box.penUp");
  }

  get #buttons() {
    return /** @type {HTMLElement[]} */ ([...this.labels.children]);
  }

  /** The label chosen, within its list: what lies around that one stays where it is. */
  #bringIntoSight() {
    const { label } = this.owner.stage.gestures;
    const button = this.#buttons[this.owner.labels.indexOf(label)];
    if (this.#seen === label || !button?.offsetHeight) return;
    this.#seen = label;
    const [row, list] = [button, this.labels].map((each) => each.getBoundingClientRect());
    this.labels.scrollTop += Math.max(0, row.bottom - list.bottom) - Math.max(0, list.top - row.top);
  }

  #relist() {
    const { owner } = this;
    const { drawing } = owner;
    const at = this.#focused();
    const rows = drawing.boxes.slice(0, MOST_LISTED).map((box) => {
      const { label, left, top, width, height } = box;
      const choose = () => {
        drawing.select(box.id);
        owner.focusStage();
      };
      const chosen = element(
        "button",
        { type: "button", class: "box", "aria-label": text("box.item", { label, left, top, width, height }), "aria-pressed": String(box.id === drawing.selected), onclick: choose },
        element("span", { class: "swatch" }), element("span", { class: "name" }, label), element("span", { class: "size" }, `${width} × ${height}`),
      );
      chosen.style.setProperty("--label", owner.colour(label));
      const away = element("button", { type: "button", class: "icon", "aria-label": text("box.delete", { label }), onclick: () => drawing.remove(box.id) }, "✕");
      return element("li", {}, chosen, away);
    });
    this.list.replaceChildren(...rows);
    this.list.querySelector('[aria-pressed="true"]')?.scrollIntoView({ block: "nearest" });
    this.#focus(at);
  }

  /** Where in the list the focus is: row, and which of its buttons. @returns {[number, number] | null} */
  #focused() {
    const at = this.owner.shadowRoot?.activeElement;
    const line = at?.closest(".boxes li");
    return at && line ? [[...this.list.children].indexOf(line), [...line.children].indexOf(at)] : null;
  }

  /** The list is a new one: the same row, else the last; without any, the picture. @param {[number, number] | null} at */
  #focus(at) {
    if (!at) return;
    const line = this.list.children[Math.min(at[0], this.list.children.length - 1)];
    if (line) /** @type {HTMLElement} */ (line.children[at[1]]).focus();
    else this.owner.focusStage();
  }

  #view() {
    const commands = [
      ["undo", "↶"], ["redo", "↷"], ["zoomIn", "+"], ["zoomOut", "−"], ["fit", "▣"], ["actual", "1:1"],
      ["extreme", "⁘"], ["hide", "◌"], ["dim", "◐"], ["loupe", "⌕"], ["help", "?"],
    ].map(([name, sign]) =>
      element("button", { type: "button", class: "icon", title: text(`key.${name}`), "aria-label": text(`key.${name}`), "data-command": name, onclick: () => this.#perform(name) }, sign),
    );
    const slide = () => this.owner.stage.light(Number(brightness.value), Number(contrast.value));
    const brightness = element("input", { type: "range", min: "20", max: "400", value: "100", oninput: slide });
    const contrast = element("input", { type: "range", min: "20", max: "400", value: "100", oninput: slide });
    return element(
      "section",
      { class: "view", "aria-label": text("box.view") },
      element("div", { class: "commands" }, ...commands),
      element("label", {}, element("span", {}, text("box.brightness")), brightness),
      element("label", {}, element("span", {}, text("box.contrast")), contrast),
    );
  }

  /** @param {string} name */
  #perform(name) {
    this.owner.perform({ name });
    if (name !== "help") this.owner.focusStage();
  }

  /** @param {string} label */
  #choose(label) {
    this.owner.choose(label);
    this.owner.focusStage();
  }

  /** As radio buttons do: the arrows go from one to the next and choose it. @param {KeyboardEvent} event */
  #arrow(event) {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!by || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const seen = this.#buttons.filter((button) => !button.hidden);
    const next = seen[(seen.indexOf(/** @type {HTMLElement} */ (event.target)) + by + seen.length) % seen.length];
    this.owner.choose(this.owner.labels[this.#buttons.indexOf(next)]);
    next.focus();
  }

  /** @param {string} sought */
  #seek(sought) {
    this.#sought = sought;
    this.relabel();
  }

  /** Enter chooses the first label found, Escape none; both lead back to the picture. @param {KeyboardEvent} event */
  #found(event) {
    if (!["Enter", "Escape"].includes(event.key)) return;
    event.preventDefault();
    const { owner } = this;
    const first = owner.labels.find((_, number) => !(/** @type {HTMLElement} */ (this.labels.children[number]).hidden));
    if (event.key === "Enter" && first !== undefined) owner.choose(first);
    this.search.value = "";
    this.#seek("");
    owner.focusStage();
  }

  /** @param {string} name @param {boolean} can */
  #enable(name, can) {
    const button = this.root.querySelector(`[data-command="${name}"]`);
    if (button instanceof HTMLButtonElement) button.disabled = !can;
  }
}
