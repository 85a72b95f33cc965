/** A crowd element around one native control. */
/** What templates' scripts turn on and off while the page is shown, as an attribute or as a property. */
export class Controlled extends HTMLElement {
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
