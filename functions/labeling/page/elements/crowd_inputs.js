/** The smaller crowd elements: they stand in the page's own tree and carry native controls. */
import { element } from "../texts/markup.js";
import { text } from "../texts/texts.js";

let numbered = 0;

/** What templates' scripts turn on and off while the page is shown, as an attribute or as a property. */
class Controlled extends HTMLElement {
  static observedAttributes = ["disabled"];
  /** @type {HTMLInputElement | HTMLTextAreaElement | HTMLButtonElement | null} */
  control = null;

  attributeChangedCallback() {
    if (this.control) this.control.disabled = this.disabled;
  }

  get disabled() {
    return this.hasAttribute("disabled");
  }

  set disabled(disabled) {
    this.toggleAttribute("disabled", disabled);
  }

  /** What a script set before there was an element to hear it. */
  takeUp() {
    for (const name of ["disabled", "value", "checked"].filter((each) => Object.hasOwn(this, each))) {
      const given = Reflect.get(this, name);
      Reflect.deleteProperty(this, name);
      Reflect.set(this, name, given);
    }
  }

  focus() {
    this.control?.focus();
  }
}

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
    const length = String(this.value).trim().length;
    const least = Number(this.getAttribute("min-length") ?? this.getAttribute("minlength") ?? 0);
    return (this.hasAttribute("required") && length === 0) || (length > 0 && length < least);
  }

  /** @param {HTMLInputElement | HTMLTextAreaElement} control */
  build(control) {
    if (this.control) return;
    this.takeUp();
    this.control = control;
    control.id = `truthmill-field-${(numbered += 1)}`;
    control.value = this.getAttribute("value") ?? "";
    control.disabled = this.disabled;
    control.placeholder = this.getAttribute("placeholder") ?? "";
    const most = Number(this.getAttribute("max-length") ?? this.getAttribute("maxlength") ?? 0);
    if (most > 0) control.maxLength = most;
    const label = element("label", { htmlFor: control.id }, this.getAttribute("label") ?? this.getAttribute("name") ?? "");
    this.append(label, control);
    if (this.hasAttribute("auto-focus")) control.focus();
  }
}

export class CrowdInput extends Field {
  connectedCallback() {
    this.build(element("input", { type: this.getAttribute("type") ?? "text" }));
    const allowed = this.getAttribute("allowed-pattern");
    if (allowed && this.hasAttribute("auto-validate")) {
      this.control?.addEventListener("input", () => {
        this.value = [...this.value].filter((character) => new RegExp(`^${allowed}$`, "u").test(character)).join("");
      });
    }
  }
}

export class CrowdTextArea extends Field {
  connectedCallback() {
    this.build(element("textarea", { rows: Number(this.getAttribute("rows") ?? 3) }));
  }
}

/** A check mark or one of a group: the answer is {value: whether it is chosen}. */
class Choice extends Controlled {
  /** @type {HTMLInputElement | null} */
  control = null;

  get checked() {
    return this.control?.checked ?? this.hasAttribute("checked");
  }

  set checked(checked) {
    if (this.control) this.control.checked = checked;
    else this.toggleAttribute("checked", checked);
  }

  get value() {
    return { [this.getAttribute("value") ?? "on"]: this.checked };
  }

  get isLacking() {
    return this.hasAttribute("required") && !this.checked;
  }

  /** @param {"checkbox" | "radio"} type @param {string} group */
  build(type, group) {
    if (this.control) return;
    this.takeUp();
    this.control = element("input", { type, checked: this.hasAttribute("checked"), disabled: this.disabled });
    if (group) this.control.setAttribute("data-group", group);
    const label = element("label", {});
    label.append(this.control, ...this.childNodes);
    this.append(label);
  }
}

export class CrowdCheckbox extends Choice {
  connectedCallback() {
    this.build("checkbox", "");
  }
}

export class CrowdRadioButton extends Choice {
  connectedCallback() {
    this.build("radio", "");
    this.control?.addEventListener("change", () => {
      const group = this.closest("crowd-radio-group");
      for (const other of group?.querySelectorAll("crowd-radio-button") ?? []) {
        if (other !== this && other instanceof CrowdRadioButton) other.checked = false;
      }
    });
  }
}

export class CrowdRadioGroup extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", "radiogroup");
    this.addEventListener("keydown", (event) => {
      const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      const all = [...this.querySelectorAll("input")];
      const at = all.indexOf(/** @type {HTMLInputElement} */ (event.target));
      const next = all[(at + by + all.length) % all.length];
      next.focus();
      next.click();
    });
  }
}

export class CrowdButton extends Controlled {
  connectedCallback() {
    if (this.control) return;
    this.takeUp();
    const button = element("button", { type: "button", disabled: this.disabled });
    this.control = button;
    button.append(...this.childNodes);
    if (this.getAttribute("variant") === "primary") button.className = "truthmill-submit";
    button.addEventListener("click", () => this.#act());
    this.append(button);
  }

  #act() {
    const address = this.getAttribute("href");
    const form = this.closest("crowd-form") ?? document.querySelector("crowd-form"); // it may stand beside its form
    const asked = this.getAttribute("form-action");
    if (asked === "submit" && form) Reflect.get(form, "submit").call(form);
    else if (asked === "reset") for (const field of form?.querySelectorAll("crowd-input, crowd-text-area") ?? []) Reflect.set(field, "value", "");
    else if (address && /^https:/i.test(address)) window.open(address, this.getAttribute("target") ?? "_blank", "noopener");
  }
}

export class CrowdAlert extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", this.getAttribute("type") === "error" ? "alert" : "status");
    if (!this.hasAttribute("dismissible") || this.querySelector(":scope > button.truthmill-dismiss")) return;
    const away = element("button", { type: "button", class: "truthmill-dismiss", "aria-label": text("alert.dismiss"), onclick: () => this.remove() }, "✕");
    this.append(away);
  }
}

/** A link that opens its content. */
export class CrowdInstructions extends HTMLElement {
  connectedCallback() {
    if (this.querySelector(":scope > dialog")) return;
    const words = this.getAttribute("link-text") ?? text("box.instructions");
    const shown = element("dialog", { "aria-label": words });
    const close = element("button", { type: "button", onclick: () => shown.close() }, text("box.close"));
    const content = element("div", { class: "content", tabIndex: 0, role: "group", "aria-label": words });
    content.append(...this.childNodes);
    shown.append(element("div", { class: "heading" }, element("h2", {}, words), close), content);
    this.append(element("button", { type: "button", onclick: () => shown.showModal() }, words), shown);
  }
}
