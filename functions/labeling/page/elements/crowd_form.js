/** `<crowd-form>`: gathers the answer, asks before an empty one, and hands it to the portal. */
import { element } from "../texts/markup.js";
import { text } from "../texts/texts.js";
import { framed, send } from "./channel.js";
import { commandOf } from "./commands.js";
import { CrowdBoundingBox } from "./crowd_bounding_box.js";
import { dialog } from "./dialogs.js";

const REASONS = ["unclear", "broken", "unfit", "other"];
/** A key that is held asks for these once only. */
const ONCE = ["submit", "nothing", "skip", "pen"];
const FIELDS = "input, textarea, select, crowd-input, crowd-text-area, crowd-checkbox";
/** What a form of HTML's doesn't send either (HTML, 4.10.22.4). */
const NO_ANSWER = ["submit", "button", "reset", "image"];
const OWN_SUBMIT = 'crowd-button[form-action="submit"], button[type="submit"], input[type="submit"]';

export class CrowdForm extends HTMLElement {
  #built = false;
  #sending = false;
  /** @type {string | null} */
  #untouched = null;
  /** @type {CrowdBoundingBox | null} the one that was used last, where there are several */
  #used = null;

  connectedCallback() {
    if (this.#built) return;
    this.#built = true;
    this.message = element("p", { class: "truthmill-message", role: "alert" });
    const skip = element("button", { type: "button", class: "truthmill-skip", onclick: () => this.#askSkip() }, text("form.skip"));
    this.nothing = element("button", { type: "button", class: "truthmill-nothing", onclick: () => this.#nothing() }, text("form.nothing"));
    const submit = element("button", { type: "button", class: "truthmill-submit", onclick: () => this.submit() }, text("form.submit"));
    const own = this.#ownSubmit;
    this.bar = element("div", { class: "truthmill-bar" }, framed && skip, this.message, this.nothing, !own && submit);
    this.append(this.bar);
    if (!document.querySelector("main, [role=main]")) this.setAttribute("role", "main");
    this.#arrange();
    document.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("keyup", (event) => event.key === " " && this.#letGo());
    window.addEventListener("blur", () => this.#letGo());
    for (const kind of ["focusin", "pointerdown"]) this.addEventListener(kind, (event) => this.#uses(event.target));
    this.addEventListener("truthmill-picture", () => this.#arrange());
    this.addEventListener("change", () => this.#changed());
    this.addEventListener("input", () => this.#changed());
    this.addEventListener("truthmill-skip", (event) => this.#askSkip(/** @type {CustomEvent} */ (event).detail));
    this.addEventListener("click", (event) => this.#clicked(event));
  }

  /** A script of the template's has put it away, or all of the page: then there is nothing to work on. */
  disconnectedCallback() {
    setTimeout(() => !document.querySelector("crowd-form") && send({ type: "gone" }));
  }

  /** What was filled in before the page was loaded again, by the order of the fields. @param {(string | boolean)[]} fields */
  keep(fields) {
    const controls = this.#controls();
    if (!Array.isArray(fields) || fields.length !== controls.length) return;
    for (const [number, control] of controls.entries()) {
      if (fields[number] === stateOf(control)) continue;
      restore(control, fields[number]);
      control.dispatchEvent(new Event("input", { bubbles: true }));
      control.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }

  /** All as the template has it; what was drawn comes back by undoing. */
  reset() {
    if (!this.dispatchEvent(new Event("reset", { bubbles: true, cancelable: true }))) return;
    this.keep(this.#controls().map(untouched));
    for (const box of this.all) box.reset();
  }

  #controls() {
    // A page can't choose a file for somebody.
    const all = /** @type {NodeListOf<HTMLInputElement>} */ (this.querySelectorAll("input:not([type=hidden], [type=file]), textarea, select"));
    return [...all];
  }

  /** What is there is kept at once, wherever the page ends. */
  #changed() {
    this.say("");
    const fields = this.#controls().map(stateOf);
    this.#untouched ??= JSON.stringify(this.#controls().map(untouched));
    const blank = !this.all.some((box) => box.isTouched) && JSON.stringify(fields) === this.#untouched;
    const [boxes = [], ...others] = this.all.map((box) => box.draft);
    send({ type: "draft", boxes, others, fields, blank });
  }

  /** @returns {CrowdBoundingBox[]} */
  get all() {
    return [...this.querySelectorAll("crowd-bounding-box")].filter((each) => each instanceof CrowdBoundingBox);
  }

  /** The one that keys go to. @returns {CrowdBoundingBox | null} */
  get boxes() {
    return this.#used?.isConnected ? this.#used : (this.all[0] ?? null);
  }

  /** @param {EventTarget | null} target */
  #uses(target) {
    const found = target instanceof Element ? target.closest("crowd-bounding-box") : null;
    if (found instanceof CrowdBoundingBox) this.#used = found;
  }

  /** The space bar, or the window it was pressed in. */
  #letGo() {
    for (const box of this.all) box.stage.space = false;
  }

  /** By what the form has got now; a script may have put it there later. */
  #arrange() {
    if (this.nothing) this.nothing.hidden = this.all.length === 0;
    this.classList.toggle("truthmill-alone", this.#fills());
  }

  /** Every named field, as Ground Truth gives it: boxes of several check marks of one name in one object. */
  get value() {
    /** @type {Record<string, any>} */
    const answer = {};
    for (const field of this.querySelectorAll("[name]")) {
      const name = field.getAttribute("name");
      const value = valueOf(field);
      if (!name || value === undefined) continue;
      const merge = typeof value === "object" && typeof answer[name] === "object" && !("boundingBoxes" in value);
      answer[name] = merge ? { ...answer[name], ...value } : value;
    }
    return answer;
  }

  /** Check, let the template's own scripts see it, ask where nothing is drawn, and send. @param {boolean} [sure] */
  submit(sure = false) {
    const { all } = this;
    if (this.#sending || this.#ownSubmit?.matches("[disabled], [loading]")) return;
    if (all.some((box) => !box.isReady)) return this.say(text("form.waiting"));
    for (const box of all) box.stage.finish();
    const lacking = [...this.querySelectorAll(FIELDS)].find((field) => lackOf(field));
    if (lacking) {
      /** @type {HTMLElement} */ (lacking).focus();
      return this.say(lacking.getAttribute("error-message") ?? lackOf(lacking));
    }
    if (this.#isEmpty && !sure) return this.#askNothing();
    if (!this.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }))) return;
    const answer = this.value;
    this.#sending = true;
    this.say("");
    this.bar?.setAttribute("aria-busy", "true");
    this.dispatchEvent(new CustomEvent("truthmill-answer", { bubbles: true, detail: answer }));
    send({ type: "answer", answer, boxes: all[0]?.drawing.plain() ?? [] });
    if (!framed) this.resume("");
  }

  /** The portal wants it again. @param {string} words why */
  resume(words) {
    this.#sending = false;
    this.bar?.removeAttribute("aria-busy");
    this.say(words);
  }

  /** @param {string} words */
  say(words) {
    if (this.message) this.message.textContent = words;
  }

  /** Whether the boxes are all there is, so that they may fill the window. */
  #fills() {
    return [...this.children].every((child) => child === this.bar || child.matches("crowd-bounding-box, script, style, input[type=hidden], [hidden]"));
  }

  /** The template's button, within the form or beside it. */
  get #ownSubmit() {
    return this.querySelector(OWN_SUBMIT) ?? document.querySelector('crowd-button[form-action="submit"]');
  }

  get #isEmpty() {
    return this.all.length > 0 && this.all.every((box) => box.isEmpty);
  }

  #nothing() {
    if (this.#isEmpty) this.submit(true);
    else this.say(text("form.notNothing"));
  }

  #askNothing() {
    const yes = element("button", { type: "button", class: "truthmill-submit", onclick: () => { asked.close(); this.submit(true); } }, text("form.nothing"));
    const no = element("button", { type: "button", onclick: () => asked.close() }, text("form.back"));
    const asked = dialog(text("form.nothingAsk"), element("p", {}, text("form.nothingAbout")), element("p", { class: "actions" }, no, yes));
    this.#show(asked);
    yes.focus();
  }

  /** @param {string} [given] the reason that is chosen already */
  #askSkip(given = REASONS[0]) {
    const choices = REASONS.map((reason) =>
      element("label", {}, element("input", { type: "radio", name: "truthmill-reason", value: reason, checked: reason === given }), text(`form.reason.${reason}`)),
    );
    const more = element("textarea", { rows: 2, maxLength: 400, "aria-label": text("form.reason.other") });
    const skip = () => {
      const chosen = /** @type {HTMLInputElement | null} */ (asked.querySelector("input:checked"))?.value ?? "other";
      asked.close();
      send({ type: "skip", reason: [text(`form.reason.${chosen}`), more.value.trim()].filter(Boolean).join(": ") });
    };
    const yes = element("button", { type: "button", class: "truthmill-submit", onclick: skip }, text("form.skipDo"));
    const no = element("button", { type: "button", onclick: () => asked.close() }, text("form.cancel"));
    const asked = dialog(text("form.skipTitle"), element("p", {}, text("form.skipAbout")), ...choices, more, element("p", { class: "actions" }, no, yes));
    this.#show(asked);
  }

  /** @param {HTMLDialogElement} asked */
  #show(asked) {
    // Outside the form, so that no field of ours gets into its answer.
    document.body.append(asked);
    asked.addEventListener("close", () => { asked.remove(); this.boxes?.focusStage(); });
    asked.showModal();
  }

  /** @param {Event} event */
  #clicked(event) {
    const own = event.target instanceof Element ? event.target.closest(OWN_SUBMIT) : null;
    if (own && !own.hasAttribute("disabled") && own.tagName !== "CROWD-BUTTON") this.submit();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const at = /** @type {Element} */ (event.composedPath()[0]);
    const box = this.boxes;
    if (!box || event.defaultPrevented || document.querySelector("dialog[open]") || box.shadowRoot?.querySelector("dialog[open]")) return;
    if (at.matches?.("input:not([type=range]), textarea, select, [contenteditable]")) return;
    const onControl = at.matches?.("button, input, a[href], summary");
    if (onControl && ["Enter", " "].includes(event.key)) return;
    if (at.matches?.("input[type=range]") && event.key.startsWith("Arrow")) return;
    if (event.key === " ") {
      box.stage.space = true;
      event.preventDefault();
      return;
    }
    const command = commandOf(event);
    if (!command) return;
    const draws = box.stage.pen.at !== null && !event.ctrlKey && !event.metaKey;
    if (event.repeat && ONCE.includes(command.name)) event.preventDefault();
    else if (command.name === "submit") draws ? box.perform({ name: "pen" }) : this.submit();
    else if (command.name === "nothing") this.#nothing();
    else if (command.name === "skip") framed && this.#askSkip();
    else if (!box.perform(command)) return;
    event.preventDefault();
  }
}

/** @param {Element} field @returns {any} undefined for what is no field, or says nothing */
function valueOf(field) {
  if (field.matches(":disabled")) return undefined;
  if (field instanceof HTMLInputElement) {
    if (NO_ANSWER.includes(field.type)) return undefined;
    return ["checkbox", "radio"].includes(field.type) ? { [field.value]: field.checked } : field.value;
  }
  if (field instanceof HTMLSelectElement && field.multiple) return chosen(field);
  if (field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement) return field.value;
  const value = field.tagName.startsWith("CROWD-") ? Reflect.get(field, "value") : undefined;
  return field.tagName === "CROWD-INPUT" && value === "" ? undefined : value; // without input it isn't in the output
}

/** @param {HTMLSelectElement} list */
function chosen(list) {
  return [...list.selectedOptions].map((option) => option.value);
}

/** @param {HTMLInputElement} control @returns {string | boolean} */
function stateOf(control) {
  if (control instanceof HTMLSelectElement && control.multiple) return JSON.stringify(chosen(control));
  return control.type === "checkbox" || control.type === "radio" ? control.checked : control.value;
}

/** @param {HTMLInputElement} control @param {string | boolean} state */
function restore(control, state) {
  if (control instanceof HTMLSelectElement && control.multiple) {
    const wanted = JSON.parse(String(state));
    for (const option of control.options) option.selected = wanted.includes(option.value);
  } else if (typeof state === "boolean") control.checked = state;
  else control.value = state;
}

/** As the template wrote it. @param {HTMLInputElement} control @returns {string | boolean} */
function untouched(control) {
  if (control.type === "checkbox" || control.type === "radio") return control.closest("crowd-checkbox, crowd-radio-button")?.hasAttribute("checked") ?? control.defaultChecked;
  if (control instanceof HTMLSelectElement) {
    const written = [...control.options].filter((option) => option.defaultSelected).map((option) => option.value);
    return control.multiple ? JSON.stringify(written) : (written.at(-1) ?? control.options[0]?.value ?? "");
  }
  return control.closest("crowd-input, crowd-text-area")?.getAttribute("value") ?? control.defaultValue;
}

/** What is wrong with a field, in words; empty where nothing is. @param {Element} field */
function lackOf(field) {
  if (field.parentElement?.closest("crowd-input, crowd-text-area, crowd-checkbox, crowd-radio-button")) return ""; // its element says it
  const name = field.getAttribute("label") ?? field.getAttribute("name") ?? "";
  const lack = Reflect.get(field, "lack");
  if (lack !== undefined) return String(lack);
  if (Reflect.get(field, "isLacking")) return text("form.required", { name });
  const { validity, validationMessage = "" } = /** @type {HTMLInputElement} */ (field);
  return validity?.valueMissing ? text("form.required", { name }) : validationMessage;
}
