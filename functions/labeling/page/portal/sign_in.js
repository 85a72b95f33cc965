/** Signing in, and the new password at the first sign-in. */
import { element } from "../texts/markup.js";
import { text } from "../texts/portal.js";
import { post, Refused, Unreachable } from "./api.js";
import { form, shown } from "./form.js";
import { passwordRules } from "./password_rules.js";
import { refusal } from "./refusals.js";
import { codeForm, setUpForm } from "./second_factor.js";

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
  const forgotten = element("button", { type: "button", class: "quiet", onclick: () => place.replaceChildren(forgottenPassword(place, onSignedIn, username.value.trim())) }, text("sign.forgotten"));
  const send = async () => {
    const answer = await post("sign-in", { username: username.value.trim(), password: password.value });
    goOn(place, answer, onSignedIn, username.value);
  };
  return form(
    { title: text("sign.title"), about, submit: text("sign.submit"), note: [forgotten, element("span", {}, text("sign.noInvitation"))] },
    [element("label", { htmlFor: "email" }, text("sign.email")), username, element("label", { htmlFor: "password" }, text("sign.password")), shown(password)],
    send,
  );
}

/** Signed in, or what is asked for besides. @param {HTMLElement} place @param {any} answer @param {(user: {email: string}) => void} onSignedIn @param {string} email */
function goOn(place, { user, challenge }, onSignedIn, email) {
  const heard = { onSignedIn, onOver: (/** @type {string} */ words) => place.replaceChildren(credentials(place, onSignedIn, words, email)) };
  if (user) onSignedIn(user);
  else if (challenge.name === "CodeRequired") place.replaceChildren(codeForm(challenge, heard));
  else if (challenge.name === "SetUpSecondFactor") place.replaceChildren(setUpForm(challenge, heard, `${text("factor.required")} `));
  else place.replaceChildren(newPassword(place, challenge, onSignedIn, email));
}

/** @param {HTMLElement} place @param {any} challenge @param {(user: {email: string}) => void} onSignedIn @param {string} email */
function newPassword(place, challenge, onSignedIn, email) {
  const password = element("input", { id: "new-password", name: "new-password", type: "password", required: true, autocomplete: "new-password", autofocus: true, "aria-describedby": "rules" });
  let unheard = false;
  const send = async () => {
    const { username, session } = challenge;
    try {
      goOn(place, await post("new-password", { username, session, password: password.value }), onSignedIn, email);
    } catch (error) {
      // An answer that got lost may have been a yes: then the new password is good already.
      const again = unheard && error instanceof Refused && error.code === "ChallengeOver";
      unheard = error instanceof Unreachable;
      if (!again) throw error;
      goOn(place, await post("sign-in", { username: email, password: password.value }), onSignedIn, email);
    }
  };
  const made = form(
    { title: text("password.title"), about: text("password.about"), submit: text("password.submit"), note: [] },
    [
      element("input", { type: "email", autocomplete: "username", value: email, readOnly: true, hidden: true, "aria-hidden": "true" }),
      element("label", { htmlFor: "new-password" }, text("password.new")), shown(password),
      ruleList(password, challenge.passwordRules),
    ],
    send,
    (error) => {
      if (error.code === "ChallengeOver") place.replaceChildren(credentials(place, onSignedIn, text("password.over"), email));
      return refusal(error);
    },
  );
  queueMicrotask(() => password.focus());
  return made;
}

/** Asks for a code by mail. @param {HTMLElement} place @param {(user: {email: string}) => void} onSignedIn @param {string} email */
function forgottenPassword(place, onSignedIn, email) {
  const username = element("input", { id: "email", name: "username", type: "email", required: true, autocomplete: "username", value: email });
  const send = async () => {
    const { passwordRules: rules } = await post("forgotten-password", { username: username.value.trim() });
    place.replaceChildren(resetPassword(place, onSignedIn, username.value.trim(), rules));
  };
  queueMicrotask(() => username.focus());
  return form(
    { title: text("reset.title"), about: text("reset.about"), submit: text("reset.send"), note: [back(place, onSignedIn)] },
    [element("label", { htmlFor: "email" }, text("sign.email")), username],
    send,
  );
}

/** @param {HTMLElement} place @param {(user: {email: string}) => void} onSignedIn @param {string} email @param {string[]} rules */
function resetPassword(place, onSignedIn, email, rules) {
  const code = element("input", { id: "code", name: "code", required: true, inputMode: "numeric", autocomplete: "one-time-code" });
  const password = element("input", { id: "new-password", name: "new-password", type: "password", required: true, autocomplete: "new-password", "aria-describedby": "rules" });
  const send = async () => goOn(place, await post("reset-password", { username: email, code: code.value.trim(), password: password.value }), onSignedIn, email);
  queueMicrotask(() => code.focus());
  return form(
    { title: text("password.title"), about: text("reset.sent", { email }), submit: text("password.submit"), note: [back(place, onSignedIn)] },
    [
      element("label", { htmlFor: "code" }, text("reset.code")), code,
      element("label", { htmlFor: "new-password" }, text("password.new")), shown(password), ruleList(password, rules),
    ],
    send,
  );
}

/** @param {HTMLElement} place @param {(user: {email: string}) => void} onSignedIn */
function back(place, onSignedIn) {
  return element("button", { type: "button", class: "quiet", onclick: () => place.replaceChildren(credentials(place, onSignedIn, "", "")) }, text("reset.back"));
}

/** The pool's rules, with a tick at what is met, while the worker types. @param {HTMLInputElement} password @param {string[]} given */
function ruleList(password, given) {
  const rules = passwordRules(given);
  const lines = rules.map(() => element("li", {}));
  const show = () =>
    rules.forEach(({ words, met }, number) => {
      const fulfilled = met(password.value);
      const state = text(fulfilled ? "password.met" : "password.open");
      lines[number].className = fulfilled === null ? "later" : fulfilled ? "met" : "";
      lines[number].replaceChildren(words, fulfilled === null ? "" : element("span", { class: "for-ears" }, `: ${state}`));
    });
  show();
  password.addEventListener("input", show);
  return element("ul", { class: "rules", id: "rules" }, ...lines);
}
