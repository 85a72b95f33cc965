/** Signing in, and the new password at the first sign-in. */
import { element } from "../texts/markup.js";
import { text } from "../texts/texts.js";
import { post, Refused, Unreachable } from "./api.js";
import { passwordRules } from "./password_rules.js";

/**
 * A form that ends with somebody signed in.
 * @param {(user: {email: string}) => void} onSignedIn @param {{about?: string, email?: string}} [given]
 */
export function signInForm(onSignedIn, { about = "", email = "" } = {}) {
  const place = element("div", { class: "card" });
  place.append(credentials(place, onSignedIn, about, email));
  return place;
}

/** @param {HTMLElement} place @param {(user: {email: string}) => void} onSignedIn @param {string} about @param {string} email */
function credentials(place, onSignedIn, about, email) {
  const username = element("input", { id: "email", name: "username", type: "email", required: true, autocomplete: "username", value: email, autofocus: !email });
  const password = element("input", { id: "password", name: "password", type: "password", required: true, autocomplete: "current-password" });
  const send = async () => {
    const answer = await post("sign-in", { username: username.value.trim(), password: password.value });
    if (answer.user) onSignedIn(answer.user);
    else place.replaceChildren(newPassword(place, answer.challenge, onSignedIn, username.value));
  };
  return form(
    { title: text("sign.title"), about, submit: text("sign.submit"), note: text("sign.forgotten") },
    [element("label", { htmlFor: "email" }, text("sign.email")), username, element("label", { htmlFor: "password" }, text("sign.password")), shown(password)],
    send,
    (error) => ({ SignInRefused: text("sign.refused"), TooManyTries: text("sign.tooMany") })[error.code] ?? error.message,
  );
}

/** @param {HTMLElement} place @param {any} challenge @param {(user: {email: string}) => void} onSignedIn @param {string} email */
function newPassword(place, challenge, onSignedIn, email) {
  const password = element("input", { id: "new-password", name: "new-password", type: "password", required: true, autocomplete: "new-password", autofocus: true, "aria-describedby": "rules" });
  const rules = passwordRules(challenge.passwordRules);
  const lines = rules.map(() => element("li", {}));
  const show = () =>
    rules.forEach(({ words, met }, number) => {
      const fulfilled = met(password.value);
      const state = text(fulfilled ? "password.met" : "password.open");
      lines[number].className = fulfilled ? "met" : "";
      lines[number].replaceChildren(words, fulfilled === null ? "" : element("span", { class: "for-ears" }, `: ${state}`));
    });
  show();
  password.addEventListener("input", show);
  const send = async () => {
    const { username, session } = challenge;
    onSignedIn((await post("new-password", { username, session, password: password.value })).user);
  };
  const made = form(
    { title: text("password.title"), about: text("password.about"), submit: text("password.submit"), note: "" },
    [
      element("input", { type: "email", autocomplete: "username", value: email, readOnly: true, hidden: true, "aria-hidden": "true" }),
      element("label", { htmlFor: "new-password" }, text("password.new")), shown(password),
      element("ul", { class: "rules", id: "rules" }, ...lines),
    ],
    send,
    (error) => {
      if (error.code === "ChallengeOver") place.replaceChildren(credentials(place, onSignedIn, text("password.over"), email));
      return error.message;
    },
  );
  queueMicrotask(() => password.focus());
  return made;
}

/** @param {HTMLInputElement} password */
function shown(password) {
  const toggle = element("input", { type: "checkbox", onchange: () => (password.type = toggle.checked ? "text" : "password") });
  return element("div", { class: "password" }, password, element("label", { class: "show" }, toggle, text("sign.show")));
}

/**
 * @param {{title: string, about: string, submit: string, note: string}} words @param {Node[]} fields
 * @param {() => Promise<void>} send @param {(error: Refused) => string} sentence
 */
function form({ title, about, submit, note }, fields, send, sentence) {
  const problem = element("p", { class: "problem", role: "alert" });
  const button = element("button", { type: "submit", class: "primary" }, submit);
  const made = element("form", {}, element("h1", {}, title), about && element("p", {}, about), ...fields, problem, button, note && element("p", { class: "note" }, note));
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.textContent = "";
    try {
      await send();
    } catch (error) {
      if (error instanceof Refused) problem.textContent = sentence(error);
      else if (error instanceof Unreachable) problem.textContent = text("app.offline").split(/(?<=[.]) /)[0];
      else throw error;
    } finally {
      button.disabled = false;
    }
  });
  return made;
}
