/** The smaller crowd elements: they stand in the page's own tree and carry native controls. */
import { element } from "../texts/markup.js";
import { text } from "../texts/texts.js";
import { Controlled } from "./controlled.js";

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

/** Its text is its content; without any, the name of its icon: there is no set of icons here. */
export class CrowdButton extends Controlled {
  static observedAttributes = ["disabled", "loading"];

  connectedCallback() {
    if (this.control) return;
    this.takeUp();
    const button = element("button", { type: "button" });
    this.control = button;
    button.append(...this.childNodes);
    if (!button.textContent?.trim() && !button.querySelector("img, svg")) button.append(this.#words(button));
    const picture = this.getAttribute("icon-url");
    if (picture) button[this.getAttribute("icon-align") === "right" ? "append" : "prepend"](element("img", { src: picture, alt: "", class: "truthmill-icon" }));
    if (this.getAttribute("variant") === "primary") button.className = "truthmill-submit";
    if (this.getAttribute("variant") === "link") button.className = "truthmill-link";
    button.addEventListener("click", () => this.#act());
    this.append(button);
    this.attributeChangedCallback();
  }

  attributeChangedCallback() {
    const loading = this.hasAttribute("loading");
    if (this.control) this.control.disabled = this.disabled || loading;
    this.control?.setAttribute("aria-busy", String(loading));
  }

  /** @param {Element} content */
  #words(content) {
    const icon = this.getAttribute("icon") ?? content.querySelector("[icon]")?.getAttribute("icon") ?? "";
    return this.title || icon.replace(/^.*[:/]/, "").replaceAll("-", " ");
  }

  #act() {
    const address = this.getAttribute("href");
    const form = this.closest("crowd-form") ?? document.querySelector("crowd-form"); // it may stand beside its form
    const asked = this.getAttribute("form-action");
    if (form && (asked === "submit" || asked === "reset")) Reflect.get(form, asked).call(form);
    else if (address && /^https:/i.test(address)) window.open(address, this.getAttribute("target") ?? "_blank", "noopener");
  }
}

export class CrowdIconButton extends CrowdButton {}

export class CrowdAlert extends HTMLElement {
  connectedCallback() {
    this.setAttribute("role", this.getAttribute("type") === "error" ? "alert" : "status");
    if (!this.hasAttribute("dismissible") || this.querySelector(":scope > button.truthmill-dismiss")) return;
    const away = element("button", { type: "button", class: "truthmill-dismiss", "aria-label": text("alert.dismiss"), onclick: () => this.remove() }, "✕");
    this.append(away);
  }
}

/** What a worker is told in `crowd-instructions`, by the element that holds it. */
const PARTS = { "short-summary": "summary", "detailed-instructions": "detailed", "positive-example": "good", "negative-example": "bad" };

/** A link that opens its content. */
export class CrowdInstructions extends HTMLElement {
  connectedCallback() {
    if (this.querySelector(":scope > dialog")) return;
    const words = this.getAttribute("link-text") ?? text("box.instructions");
    const shown = element("dialog", { "aria-label": words });
    const close = element("button", { type: "button", onclick: () => shown.close() }, text("box.close"));
    const content = element("div", { class: "content", tabIndex: 0, role: "group", "aria-label": words });
    content.append(...this.childNodes);
    for (const [tag, key] of Object.entries(PARTS)) {
      for (const part of content.querySelectorAll(tag)) part.prepend(element("h3", {}, text(`instructions.${key}`)));
    }
    shown.append(element("div", { class: "heading" }, element("h2", {}, words), close), content);
    this.append(element("button", { type: "button", onclick: () => shown.showModal() }, words), shown);
  }
}
