/** The portal's HTTP API (docs/portal-api.md). */

export class Refused extends Error {
  /** @param {number} status @param {string} code @param {string} message @param {Record<string, any>} [details] what the message names */
  constructor(status, code, message, details = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** No answer came: the connection is away, or the portal failed. */
export class Unreachable extends Error {}

/** @type {Record<string, Promise<Response> | undefined>} what `early.js` asked for; taken once, and at once: it grows old */
const early = Reflect.get(window, "truthmillEarly") ?? {};
setTimeout(() => Object.keys(early).forEach((key) => delete early[key]));

/** longer than the portal's own functions may take; then nobody answers any more */
const PATIENCE_MS = 35_000;

/** since somebody did anything, until what the page asks for says nothing of anybody being there */
const IDLE_MS = 240_000;
let lastAct = Date.now();

/** Somebody did something, here or in a task's frame. */
export function acted() {
  lastAct = Date.now();
}

/** Whether somebody has done anything lately. */
export function active() {
  return Date.now() - lastAct < IDLE_MS;
}

for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, acted, true);

/** How far the portal's clock is ahead of ours, in milliseconds. */
let ahead = 0;

/** @returns {number} milliseconds since 1970 by the portal's clock */
export function portalNow() {
  return Date.now() + ahead;
}

/** @param {string} path @returns {Promise<any>} Throws Refused or Unreachable. */
export function get(path) {
  return ask(path, {});
}

/** @param {string} path @param {object} [document] @returns {Promise<any>} Throws Refused or Unreachable. */
export function post(path, document = {}) {
  const headers = { "Content-Type": "application/json", "X-Truthmill": "1" };
  return ask(path, { method: "POST", headers, body: JSON.stringify(document) });
}

/** Whether a task's page can be made. @param {string} path from the root @returns {Promise<void>} Throws Refused or Unreachable. */
export async function rendered(path) {
  const answer = await send(`/${path}`, {});
  if (!answer.ok) await understood(answer);
}

/** @param {string} path @param {RequestInit} request */
async function ask(path, request) {
  const answer = await send(`/api/${path}`, request);
  return answer.status === 204 ? null : understood(answer);
}

/** @param {string} address @param {RequestInit} request */
async function send(address, request) {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const headers = active() ? request.headers : { ...request.headers, "X-Truthmill-Idle": "1" };
    const key = `${request.method ?? "GET"} ${address}`;
    const begun = early[key];
    delete early[key];
    return await (begun ?? fetch(address, { ...request, headers, signal, credentials: "same-origin", cache: "no-store" }));
  } catch (error) {
    throw new Unreachable(String(error));
  }
}

/** @param {Response} answer */
async function understood(answer) {
  const date = Date.parse(answer.headers.get("date") ?? "");
  if (date) ahead = date - Date.now();
  const document = await answer.json().catch(() => null);
  if (answer.ok && document) return document;
  const { code, message, details } = document?.error ?? {};
  // What isn't the portal's own answer is of something between: cut short, or too many requests at once.
  if (!code || (answer.status >= 500 && code !== "TemplateBroken")) throw new Unreachable(`status ${answer.status}`);
  throw new Refused(answer.status, code, message ?? "", details);
}
