/**
 * A task's page in its sandbox: an origin of its own, no cookie, no way to the portal but one port. The nonce goes
 * into the frame's name; only that frame, greeting with it, gets the port.
 */
import { element } from "../texts/markup.js";
import { text } from "../texts/texts.js";

/** after the frame has loaded, for its greeting to arrive */
const GREETING_MS = 1000;

export class TaskFrame {
  /** whether its answer is on the way, or has arrived */
  given = false;
  /** whether its picture has come */
  hasPicture = false;
  /** how often its page didn't come */
  failures = 0;
  /** @type {MessagePort | null} */
  #port = null;
  #shown = false;
  #greeted = false;
  #nonce = crypto.randomUUID();

  /**
   * @param {any} task as the API gives it
   * @param {{onMessage: (message: any) => void, onFailed: () => void, first: () => Record<string, any>}} portal
   *   first: what the page is told when it greets; onFailed: what was loaded isn't a task's page
   */
  constructor(task, portal) {
    this.task = task;
    this.portal = portal;
    this.root = element("iframe", { name: this.#nonce, title: `${text("work.frame")} ${task.task}`, class: "task ahead", referrerPolicy: "no-referrer" });
    this.root.setAttribute("sandbox", "allow-scripts");
    this.root.inert = true;
    this.hear = (/** @type {MessageEvent} */ event) => this.#hear(event);
    window.addEventListener("message", this.hear);
    this.root.addEventListener("load", () => setTimeout(() => this.#check(), GREETING_MS));
    this.root.src = `/${task.page}`;
  }

  /** The page anew, with a new link to its picture; not as a step of the browser's history. */
  load() {
    this.#greeted = false;
    const address = new URL(`/${this.task.page}`, window.location.href).href;
    if (this.root.contentWindow) this.root.contentWindow.location.replace(address);
  }

  show() {
    this.#shown = true;
    this.root.classList.remove("ahead");
    this.root.inert = false;
    this.root.focus();
    this.tell({ type: "task", ...this.portal.first() });
    this.tell({ type: "shown" });
  }

  hide() {
    this.#shown = false;
    this.root.classList.add("ahead");
    this.root.inert = true;
  }

  /** @param {Record<string, any>} message */
  tell(message) {
    this.#port?.postMessage(message);
  }

  close() {
    window.removeEventListener("message", this.hear);
    this.#port?.close();
    this.root.remove();
  }

  #check() {
    if (!this.#greeted && this.root.isConnected) this.portal.onFailed();
  }

  /** @param {MessageEvent} event */
  #hear(event) {
    if (event.source !== this.root.contentWindow || event.origin !== "null") return;
    if (event.data?.truthmill !== "hello" || event.data.nonce !== this.#nonce) return;
    this.#greeted = true;
    this.failures = 0;
    const { port1, port2 } = new MessageChannel();
    this.#port?.close();
    this.#port = port1;
    port1.onmessage = (message) => this.portal.onMessage(message.data);
    // The frame's origin is opaque, so it can't be named; the port reaches this one window.
    this.root.contentWindow?.postMessage({ truthmill: "begin", nonce: this.#nonce }, "*", [port2]);
    this.tell({ type: "task", ...this.portal.first() });
    if (this.#shown) this.tell({ type: "shown" });
  }
}
