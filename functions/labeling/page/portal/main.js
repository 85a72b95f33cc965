/** The portal: who is signed in, and which of its pages is shown. */
import { element } from "../texts/markup.js";
import { language, text } from "../texts/texts.js";
import { get, post, Refused, Unreachable } from "./api.js";
import { jobsPage } from "./jobs.js";
import { Kept } from "./kept.js";
import { signInForm } from "./sign_in.js";
import { Work } from "./work.js";

const LOOK_AGAIN_MS = 30_000;
const place = /** @type {HTMLElement} */ (document.getElementById("portal"));
document.documentElement.lang = language;

/** @type {{email: string} | null} */
let user = null;
/** @type {Work | null} */
let work = null;
let looking = 0;

async function begin() {
  try {
    user = (await get("session")).user;
    await jobs();
  } catch (error) {
    if (error instanceof Refused && error.code === "SignedOut") signIn();
    else sorry(error);
  }
}

/** @param {string} [about] */
function signIn(about = "") {
  leave();
  user = null;
  show(element("main", { class: "narrow sign-in" }, signInForm((found) => enter(found), { about })));
}

/** @param {{email: string}} found */
function enter(found) {
  user = found;
  jobs().catch(sorry);
}

async function jobs() {
  leave();
  const found = (await get("jobs")).jobs;
  show(header(), jobsPage(found, (job) => start(job).catch(sorry), () => jobs().catch(sorry)));
  looking = window.setTimeout(() => jobs().catch(sorry), LOOK_AGAIN_MS);
}

/** @param {any} job */
async function start(job) {
  leave();
  const kept = new Kept(window.localStorage, user?.email ?? "");
  kept.clear();
  work = new Work(job, kept, { signInAgain, leave: () => jobs().catch(sorry) });
  show(header(job, work.left), work.root);
  await work.begin();
}

function leave() {
  window.clearTimeout(looking);
  work?.close();
  work = null;
}

/** Over the work, which stays as it is. @returns {Promise<void>} */
function signInAgain() {
  return new Promise((resolve) => {
    const form = signInForm(
      (found) => {
        dialog.remove();
        if (found.email !== user?.email) return enter(found);
        resolve();
      },
      { about: text("sign.again"), email: user?.email },
    );
    const dialog = element("dialog", { "aria-label": text("sign.title"), oncancel: (/** @type {Event} */ event) => event.preventDefault() }, form);
    document.body.append(dialog);
    dialog.showModal();
  });
}

async function signOut() {
  try {
    await post("sign-out");
  } catch (error) {
    if (!(error instanceof Refused)) return sorry(error);
  }
  signIn();
}

/** @param {any} [job] @param {HTMLElement} [left] */
function header(job, left) {
  const home = element("button", { type: "button", class: "quiet", onclick: () => jobs().catch(sorry) }, text("work.back"));
  const out = element("button", { type: "button", class: "quiet", onclick: signOut }, text("app.signOut"));
  return element(
    "header",
    { class: "top" },
    element("strong", {}, job ? job.title : text("app.name")), left,
    element("span", { class: "gap" }),
    job && home,
    element("span", { class: "who" }, text("app.signedInAs", { email: user?.email ?? "" })), out,
  );
}

/** @param {unknown} error */
function sorry(error) {
  if (error instanceof Refused && error.code === "SignedOut") return signIn();
  const words = error instanceof Unreachable ? text("app.offline") : error instanceof Error ? error.message : String(error);
  const again = element("button", { type: "button", class: "primary", onclick: () => begin() }, text("app.retry"));
  show(element("main", { class: "narrow" }, element("div", { class: "card empty", role: "alert" }, element("p", {}, words), again)));
  if (!(error instanceof Unreachable || error instanceof Refused)) throw error;
}

/** @param {...Node} content */
function show(...content) {
  place.replaceChildren(...content);
  /** @type {HTMLElement | null} */ (place.querySelector("[autofocus]"))?.focus();
}

begin();
