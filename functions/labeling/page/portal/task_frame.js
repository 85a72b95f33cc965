/**
 * A task's page in its sandbox: an origin of its own, no cookie, no way to the portal but one port. The nonce goes
 * into the frame's name; only that frame, greeting with it, gets the port.
 */
import { element } from "../texts/markup.js";
import { text } from "../texts/texts.js";

export class TaskFrame {
  /** @type {MessagePort | null} */
  #port = null;
  #shown = false;
  #nonce = crypto.randomUUID();

  /**
   * @param {any} task as the API gives it @param {(message: any) => void} onMessage
   * @param {() => Record<string, any>} first what the page is told when it greets
   */
  constructor(task, onMessage, first) {
    this.task = task;
    this.onMessage = onMessage;
    this.first = first;
    this.root = element("iframe", { name: this.#nonce, title: `${text("work.frame")} ${task.task}`, class: "task ahead", referrerPolicy: "no-referrer" });
    this.root.setAttribute("sandbox", "allow-scripts");
    this.root.setAttribute("tabindex", "-1");
    this.hear = (/** @type {MessageEvent} */ event) => this.#greeted(event);
    window.addEventListener("message", this.hear);
    this.load();
  }

  /** The page anew, with a new link to its picture. */
  load() {
    this.root.src = `/${this.task.page}`;
  }

  show() {
    this.#shown = true;
    this.root.classList.remove("ahead");
    this.root.removeAttribute("tabindex");
    this.root.focus();
    this.tell({ type: "task", ...this.first() });
    this.tell({ type: "shown" });
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

  /** @param {MessageEvent} event */
  #greeted(event) {
    if (event.source !== this.root.contentWindow || event.origin !== "null") return;
    if (event.data?.truthmill !== "hello" || event.data.nonce !== this.#nonce) return;
    const { port1, port2 } = new MessageChannel();
    this.#port?.close();
    this.#port = port1;
    port1.onmessage = (message) => this.onMessage(message.data);
    // The frame's origin is opaque, so it can't be named; the port reaches this one window.
    this.root.contentWindow?.postMessage({ truthmill: "begin", nonce: this.#nonce }, "*", [port2]);
    this.tell({ type: "task", ...this.first() });
    if (this.#shown) this.tell({ type: "shown" });
  }
}
