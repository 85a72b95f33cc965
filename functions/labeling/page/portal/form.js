/** A form of one step: its words, its fields, and what went wrong. */
import { element } from "../texts/markup.js";
import { text } from "../texts/portal.js";
import { Refused, Unreachable } from "./api.js";
import { refusal } from "./refusals.js";

/** @param {HTMLInputElement} password */
export function shown(password) {
  const toggle = element("input", { type: "checkbox", onchange: () => (password.type = toggle.checked ? "text" : "password") });
  return element("div", { class: "password" }, password, element("label", { class: "show" }, toggle, text("sign.show")));
}

/**
 * @param {{title: string, about: string, submit: string, note: Node[]}} words @param {Node[]} fields
 * @param {() => Promise<void>} send @param {(error: Refused) => string} [sentence]
 */
export function form({ title, about, submit, note }, fields, send, sentence = refusal) {
  const problem = element("p", { class: "problem", role: "alert" });
  const button = element("button", { type: "submit", class: "primary" }, submit);
  const made = element("form", {}, element("h1", {}, title), about && element("p", {}, about), ...fields, problem, button, note.length > 0 && element("p", { class: "note" }, ...note));
  whenSubmitted(made, button, problem, send, (error) => (error instanceof Unreachable ? text("sign.unreachable") : sentence(error)));
  return made;
}

/**
 * Sends a form instead of what the browser would do: once at a time, and what goes wrong is told in it.
 * @param {HTMLElement} made @param {HTMLButtonElement} button @param {HTMLElement} problem
 * @param {() => Promise<void>} send @param {(error: Refused | Unreachable) => string} sentence
 */
export function whenSubmitted(made, button, problem, send, sentence) {
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.textContent = "";
    try {
      await send();
    } catch (error) {
      if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
      problem.textContent = sentence(error);
    } finally {
      button.disabled = false;
    }
  });
}
