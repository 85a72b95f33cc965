/** `<crowd-input>` and `<crowd-text-area>`: what a worker writes. */
import { element } from "../texts/markup.js";
import { text } from "../texts/texts.js";
import { Controlled } from "./controlled.js";

let numbered = 0;

/** What the elements with one line or more to write in share. */
class Field extends Controlled {
  /** @type {HTMLInputElement | HTMLTextAreaElement | null} */
  control = null;

  get value() {
    return this.control?.value ?? this.getAttribute("value") ?? "";
  }

  set value(value) {
    if (this.control) this.control.value = value;
    else this.setAttribute("value", value);
  }

  get isLacking() {
    return this.lack !== "";
  }

  /** What is wrong with what is written, in words; empty where nothing is. */
  get lack() {
    const length = String(this.value).trim().length;
    const name = this.getAttribute("label") ?? this.getAttribute("name") ?? "";
    const least = Number(this.getAttribute("min-length") ?? this.getAttribute("minlength") ?? 0);
    if (this.hasAttribute("required") && length === 0) return text("form.required", { name });
    if (length > 0 && length < least) return text("form.short", { name, least });
    return this.control?.validationMessage ?? "";
  }

  /** @param {HTMLInputElement | HTMLTextAreaElement} control */
  build(control) {
    if (this.control) return;
    this.takeUp();
    this.control = control;
    control.id = `truthmill-field-${(numbered += 1)}`;
    if (control.type !== "file") control.value = this.getAttribute("value") ?? "";
    control.disabled = this.disabled;
    control.placeholder = this.getAttribute("placeholder") ?? "";
    const most = Number(this.getAttribute("max-length") ?? this.getAttribute("maxlength") ?? 0);
    if (most > 0) control.maxLength = most;
    const label = element("label", { htmlFor: control.id }, this.getAttribute("label") ?? this.getAttribute("name") ?? "");
    this.append(label, control);
    const allowed = patternOf(this);
    if (allowed) control.addEventListener("input", () => (this.value = [...this.value].filter((character) => allowed.test(character)).join("")));
    if (this.hasAttribute("auto-focus") && this.getAttribute("auto-focus") !== "false") control.focus();
  }
}

export class CrowdInput extends Field {
  connectedCallback() {
    this.build(element("input", { type: this.getAttribute("type") ?? "text" }));
  }
}

export class CrowdTextArea extends Field {
  connectedCallback() {
    if (this.control) return;
    const control = element("textarea", { rows: Number(this.getAttribute("rows") ?? 3) });
    this.build(control);
    // It grows with its content, up to so many lines.
    control.style.setProperty("--rows", String(control.rows));
    const most = Number(this.getAttribute("max-rows") ?? 0);
    if (most > 0) control.style.setProperty("--max-rows", String(most));
    if (this.hasAttribute("char-counter")) this.#count(control);
  }

  /** How much is written, and how much may be. @param {HTMLTextAreaElement} control */
  #count(control) {
    const shown = element("span", { class: "truthmill-count" });
    const tell = () => (shown.textContent = [control.value.length, control.maxLength].filter((count) => count >= 0).join(" / "));
    control.addEventListener("input", tell);
    tell();
    this.append(shown);
  }
}

/**
 * Which characters may be written. A pattern for older engines has escapes that the newer rules refuse.
 * @param {Element} field @returns {RegExp | null} null where any may be, or where the template's pattern is none
 */
function patternOf(field) {
  const written = field.getAttribute("allowed-pattern");
  if (!written || !field.hasAttribute("auto-validate")) return null;
  for (const flags of ["u", ""]) {
    try {
      return new RegExp(`^(?:${written})$`, flags);
    } catch {
      // by the other rules
    }
  }
  return null;
}
