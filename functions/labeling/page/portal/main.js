/**
 * The portal: who is signed in, and which of its pages is shown. The address says which: #/work/JOB, #/lead and what
 * lies below it, else the jobs.
 */
import { element } from "../texts/markup.js";
import { language } from "../texts/language.js";
import { text } from "../texts/portal.js";
import { active, get, post, Refused, Unreachable } from "./api.js";
import { jobsPage } from "./jobs.js";
import { Kept } from "./kept.js";
import { leadPage } from "./lead.js";
import { refusal } from "./refusals.js";
import { accountPage } from "./second_factor.js";
import { signInForm } from "./sign_in.js";
import { giveBack, taken, Work } from "./work.js";

const STAY_MS = 240_000; // who draws for long asks the portal for nothing, and is there all the same
const LOOK_AGAIN_MS = 30_000;
const ENDING_MS = 2_000; // while a job is about to end
const TRY_AGAIN_MS = 3_000;
const BLANK_MS = 400; // that long a page may stay empty without a word
const place = /** @type {HTMLElement} */ (document.getElementById("portal"));
document.documentElement.lang = language;

/** @type {any} the worker; null: nobody is signed in, or it isn't known yet */
let user = null;
/** whether nobody is signed in; whatever was asked for before is of no use then */
let away = false;
/** @type {any[]} as they were last listed */
let listed = [];
/** @type {Work | null} */
let work = null;
/** @type {Promise<void> | null} */
let signingIn = null;
let timer = 0;

/** Whatever is asked for first, its answer says who is signed in, too. */
async function begin() {
  const name = jobNamed();
  try {
    if (name) await open(name, taken(name));
    else await route();
  } catch (error) {
    sorry(error);
  }
}

/** @returns {string | undefined} the job that the address names */
function jobNamed() {
  return /^#\/work\/([A-Za-z0-9-]+)$/.exec(window.location.hash)?.[1];
}

/** Whether it names the page of all jobs. */
function atHome() {
  return !jobNamed() && !/^#\/(lead\b|account$)/.test(window.location.hash);
}

/** Show the page that the address names. */
async function route() {
  if (away) return;
  const name = jobNamed();
  const job = listed.find((each) => each.job === name);
  if (job) return start(job);
  if (name) return open(name, taken(name));
  if (atHome()) return jobs();
  user ??= (await get("session")).user;
  if (window.location.hash === "#/account") return other(() => accountPage(user, (found) => enter(found, "#/")));
  return other(leadPage);
}

/** A job that nobody has listed yet; where it isn't under way, or isn't theirs, the jobs. @param {string} name @param {ReturnType<typeof taken>} asked */
async function open(name, asked) {
  const held = await asked.catch((error) => {
    if ((error instanceof Refused && error.code === "NoSuchJob") || name !== jobNamed()) return null;
    throw error;
  });
  if (away || work?.job.job === name) return; // signed out, or back at it, meanwhile
  user ??= held?.user;
  if (name !== jobNamed()) return held ? giveBack(held.tasks, keptWork()) : undefined; // gone on meanwhile
  if (held?.jobStatus === "InProgress") await start(held.job, held);
  else go("#/");
}

function keptWork() {
  return new Kept(window.localStorage, user.email);
}

/** @param {string} address */
function go(address) {
  if (window.location.hash === address || (address === "#/" && !window.location.hash)) route().catch(sorry);
  else window.location.hash = address;
}

/** @param {string} [about] */
function signIn(about = "") {
  leave();
  user = null;
  away = true;
  listed = [];
  title(text("sign.title"));
  show(element("main", { class: "narrow sign-in" }, signInForm((found) => enter(found), { about })));
}

/** @param {any} found @param {string} [address] */
function enter(found, address = window.location.hash) {
  user = found;
  away = false;
  go(address);
}

/** @param {boolean} [quiet] whether what is shown may stay where the portal can't be reached */
async function jobs(quiet = false) {
  window.clearTimeout(timer);
  try {
    const found = await get("jobs");
    if (away || !atHome()) return; // signed out, or gone on, meanwhile
    listed = found.jobs;
    user = found.user;
    leave();
    title(text("jobs.title"));
    const focused = quiet ? wordsOf(document.activeElement) : "";
    show(header(), jobsPage(listed, (job) => go(`#/work/${job.job}`), () => jobs().catch(sorry)));
    [...place.querySelectorAll("button")].find((button) => focused && wordsOf(button) === focused)?.focus();
  } catch (error) {
    if (!(quiet && error instanceof Unreachable)) throw error;
  }
  const soon = listed.some((job) => job.remaining === 0);
  timer = window.setTimeout(() => jobs(true).catch(sorry), soon ? ENDING_MS : LOOK_AGAIN_MS);
}

/** @param {(address: string) => Promise<HTMLElement>} made */
async function other(made) {
  const address = window.location.hash;
  const found = await made(address);
  if (away || address !== window.location.hash) return; // signed out, or gone on, meanwhile
  leave();
  title(found.querySelector("h1")?.textContent ?? "");
  show(header(), found);
}

/** @param {any} job @param {any} [held] its tasks, where they are there already */
async function start(job, held) {
  leave();
  const kept = keptWork();
  kept.clear();
  title(job.title);
  work = new Work({ ...job }, kept, { signInAgain, leave: () => go("#/") });
  show(header(job, work.left), work.root);
  await work.begin(held);
}

function leave() {
  window.clearTimeout(timer);
  work?.giveBack();
  work?.close();
  work = null;
}

/** Over the work, which stays as it is. @returns {Promise<void>} */
function signInAgain() {
  signingIn ??= new Promise((resolve) => {
    const form = signInForm(
      (found) => {
        dialog.remove();
        signingIn = null;
        if (found.email !== user?.email) return enter(found);
        resolve();
      },
      { about: text("sign.again"), email: user?.email },
    );
    const dialog = element("dialog", { "aria-label": text("sign.title"), oncancel: (/** @type {Event} */ event) => event.preventDefault() }, form);
    document.body.append(dialog);
    dialog.showModal();
  });
  return signingIn;
}

async function signOut() {
  work?.giveBack();
  await work?.settle(); // or an answer would come without a session
  try {
    await post("sign-out");
  } catch (error) {
    if (!(error instanceof Refused)) return sorry(error);
  }
  user = null;
  work?.close();
  work = null;
  window.history.replaceState(null, "", "#/");
  signIn();
}

/** @param {any} [job] @param {HTMLElement} [left] */
function header(job, left) {
  const home = element("button", { type: "button", class: "quiet", onclick: () => go("#/") }, text("work.back"));
  const team = element("button", { type: "button", class: "quiet", onclick: () => go("#/lead") }, text("lead.title"));
  const account = element("button", { type: "button", class: "quiet", onclick: () => go("#/account") }, text("app.account"));
  const out = element("button", { type: "button", class: "quiet", onclick: signOut }, text("app.signOut"));
  return element(
    "header",
    { class: "top" },
    element("strong", {}, job ? job.title : text("app.name")), left,
    element("span", { class: "gap" }),
    !atHome() && home,
    user.lead && !job && team,
    element("span", { class: "who" }, text("app.signedInAs", { email: user.email })), !job && account, out,
  );
}

/** What went wrong, and what to do; without a connection it tries again by itself. @param {unknown} error */
function sorry(error) {
  if (error instanceof Refused && error.code === "SignedOut") return signIn(user ? text("sign.again") : "");
  window.clearTimeout(timer);
  const unreachable = error instanceof Unreachable;
  const words = unreachable ? text("app.unreachable") : error instanceof Refused ? refusal(error) : text("app.failed");
  const again = element("button", { type: "button", class: "primary", onclick: () => begin() }, text("app.retry"));
  show(element("main", { class: "narrow" }, element("div", { class: "card empty", role: "alert" }, element("p", {}, words), again)));
  if (unreachable) timer = window.setTimeout(begin, TRY_AGAIN_MS);
  else if (!(error instanceof Refused)) throw error;
}

/** @param {string} words */
function title(words) {
  document.title = `${words} – ${text("app.name")}`;
}

/** @param {Element | null} button */
function wordsOf(button) {
  return button?.matches("button") ? (button.getAttribute("aria-label") ?? button.textContent) : "";
}

/** Whoever was on the page before is at the beginning of the new one. @param {...Node} content */
function show(...content) {
  const inside = place.contains(document.activeElement);
  place.replaceChildren(...content);
  const heading = inside ? place.querySelector("h1") : null;
  if (heading) heading.tabIndex = -1;
  /** @type {HTMLElement | null} */ (place.querySelector("[autofocus]") ?? heading)?.focus();
}

window.setTimeout(() => place.hasChildNodes() || show(element("p", { class: "waiting", role: "status" }, text("app.loading"))), BLANK_MS);
window.setInterval(() => user && active() && get("session").catch(() => {}), STAY_MS);
window.addEventListener("hashchange", () => route().catch(sorry));
begin();
