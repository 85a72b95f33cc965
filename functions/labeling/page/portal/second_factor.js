/** The second factor: a code at signing in, setting one up, and the page "Your account". */
import { element } from "../texts/markup.js";
import { text } from "../texts/portal.js";
import { get, post } from "./api.js";
import { form, shown } from "./form.js";
import { refusal } from "./refusals.js";

const SVG = "http://www.w3.org/2000/svg";
const QUIET = 4; // modules around a QR code (ISO/IEC 18004)

/** @typedef {{onSignedIn: (user: any) => void, onOver: (words: string) => void}} Heard */

/** Asks for a code, after the password. @param {any} challenge @param {Heard} heard */
export function codeForm(challenge, heard) {
  return codeStep(challenge, heard, { title: text("factor.title"), about: text("factor.about"), submit: text("sign.submit") }, [], text("factor.lost"));
}

/** Shows a new secret, and asks for a code that it made. @param {any} challenge @param {Heard} heard @param {string} [why] */
export function setUpForm(challenge, heard, why = "") {
  const words = { title: text("factor.setUp"), about: why + text("factor.setUpAbout"), submit: text("factor.turnOn") };
  const secret = challenge.secret.match(/.{1,4}/g).join(" ");
  return codeStep(challenge, heard, words, [qrCode(challenge.qr), element("p", {}, text("factor.secret"), " ", element("code", {}, secret))]);
}

/** @param {any} challenge @param {Heard} heard @param {{title: string, about: string, submit: string}} words @param {Node[]} before @param {string} [note] */
function codeStep(challenge, heard, words, before, note = "") {
  const code = element("input", { id: "code", name: "code", required: true, inputMode: "numeric", autocomplete: "one-time-code", maxLength: 16 });
  const send = async () => heard.onSignedIn((await post("code", { handle: challenge.handle, code: code.value })).user);
  queueMicrotask(() => code.focus());
  return form({ ...words, note: note ? [element("span", {}, note)] : [] }, [...before, element("label", { htmlFor: "code" }, text("factor.code")), code], send, (error) => {
    code.value = "";
    code.focus();
    if (error.code === "ChallengeOver") heard.onOver(text("factor.over"));
    return refusal(error);
  });
}

/** @param {string[]} rows of 0 and 1 */
function qrCode(rows) {
  const picture = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  const side = rows.length + 2 * QUIET;
  picture.setAttribute("viewBox", `0 0 ${side} ${side}`);
  picture.setAttribute("class", "qr");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", text("factor.qr"));
  const dark = rows.flatMap((row, y) => [...row].map((cell, x) => (cell === "1" ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")));
  path.setAttribute("d", dark.join(""));
  picture.append(path);
  return picture;
}

/** @param {any} user @param {(user: any) => void} onSignedIn @returns {Promise<HTMLElement>} Throws Refused or Unreachable. */
export async function accountPage(user, onSignedIn) {
  const { on } = await get("second-factor");
  const card = element("div", { class: "card" });
  const ask = (about = text("factor.off")) => card.replaceChildren(passwordForm(user, about, (challenge) => card.replaceChildren(setUpForm(challenge, { onSignedIn, onOver: ask }))));
  if (on) card.append(element("h1", {}, text("factor.name")), element("p", {}, text("factor.on")));
  else ask();
  return element("main", { class: "narrow sign-in" }, card);
}

/** The password once more. @param {any} user @param {string} about @param {(challenge: any) => void} onChallenge */
function passwordForm(user, about, onChallenge) {
  const password = element("input", { id: "password", name: "password", type: "password", required: true, autocomplete: "current-password" });
  const owner = element("input", { type: "email", autocomplete: "username", value: user.email, readOnly: true, hidden: true, "aria-hidden": "true" });
  const send = async () => onChallenge((await post("second-factor", { password: password.value })).challenge);
  return form({ title: text("factor.setUp"), about, submit: text("factor.next"), note: [] }, [owner, element("label", { htmlFor: "password" }, text("sign.password")), shown(password)], send);
}
