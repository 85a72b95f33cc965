/**
 * A task's page in its sandbox: an origin of its own, no cookie, no way to the portal but one port. The nonce goes
 * into the frame's name; only that frame, greeting with it, gets the port.
 */
import { element } from "../texts/markup.js";
import { text } from "../texts/portal.js";

/** after the frame has loaded, for its greeting to arrive */
const GREETING_MS = 1000;
/** after its greeting, and after the frame has loaded, for its page to answer through the port; else nothing that is drawn there could be sent */
const PROOF_MS = 10_000;
/** from when it is asked for to its greeting, and from a question to its answer; a script that never ends holds it up for good */
const SILENT_MS = 20_000;
/** between the questions whether it is still alive */
const ASK_MS = 5_000;
/** messages of a page in a second; a box that is dragged makes one for each picture of the screen */
const MOST_A_SECOND = 1_000;

export class TaskFrame {
  /** whether its answer is on the way, or has arrived */
  given = false;
  /** whether its picture has come */
  hasPicture = false;
  /** how often its page didn't come, or went, since the worker did anything in it */
  failures = 0;
  /** whether the worker was told that nothing can be done with it */
  stuck = false;
  /** @type {MessagePort | null} */
  #port = null;
  #shown = false;
  /** pages that the frame has loaded, and those of them that greeted; one that a script went to doesn't */
  #loaded = 0;
  #greeted = 0;
  /** the last greeting whose page has its port: one that is written anew before hears nothing, and may never load */
  #begun = 0;
  /** the last load that a task's page has answered for: one that greeted may leave before the frame has loaded */
  #proven = 0;
  #failed = false;
  #silence = 0;
  #asking = 0;
  /** since 1970, and messages in it */
  #second = 0;
  #messages = 0;
  #nonce = "";

  /**
   * @param {any} task as the API gives it
   * @param {{onMessage: (message: any) => void, onFailed: () => void, onSilent: () => void, first: () => Record<string, any>}} portal
   *   first: what the page is told when it greets; onFailed: what was loaded isn't a task's page; onSilent: nothing comes
   */
  constructor(task, portal) {
    this.task = task;
    this.portal = portal;
    this.root = this.#made();
    this.hear = (/** @type {MessageEvent} */ event) => this.#hear(event);
    window.addEventListener("message", this.hear);
  }

  /** The page anew, with a new link to its picture: in a frame of which no script has changed anything. */
  load() {
    const before = this.root;
    this.#port?.close(); // what the page before says while it goes isn't said of this one
    this.#port = null;
    this.root = this.#made();
    before.replaceWith(this.root);
    if (this.#shown) this.show();
  }

  #made() {
    this.#nonce = crypto.randomUUID();
    this.#loaded = 0;
    this.#greeted = 0;
    this.#begun = 0;
    this.#proven = 0;
    this.#failed = false;
    const root = element("iframe", { name: this.#nonce, title: `${text("work.frame")} ${this.task.task}`, class: "task ahead", referrerPolicy: "no-referrer" });
    root.setAttribute("sandbox", "allow-scripts");
    root.inert = true;
    root.addEventListener("load", () => root === this.root && this.#came());
    root.src = `/${this.task.page}`;
    return root;
  }

  show() {
    this.#shown = true;
    if (!this.#greeted) this.#listen();
    this.root.classList.remove("ahead");
    this.root.inert = false;
    this.root.focus();
    this.tell({ type: "task", ...this.portal.first() });
    this.tell({ type: "shown" });
    this.#watch();
  }

  hide() {
    window.clearInterval(this.#asking);
    this.#shown = false;
    this.root.classList.add("ahead");
    this.root.inert = true;
  }

  /** @param {Record<string, any>} message */
  tell(message) {
    this.#port?.postMessage(message);
  }

  /** Whether what it shows isn't the task's page, as far as the portal knows. */
  get failed() {
    return this.#failed;
  }

  close() {
    window.removeEventListener("message", this.hear);
    this.#port?.close();
    window.clearTimeout(this.#silence);
    window.clearInterval(this.#asking);
    this.root.remove();
  }

  /** While it is in sight: a page that has greeted may be held up by a script of its own later. */
  #watch() {
    window.clearInterval(this.#asking);
    this.#asking = window.setInterval(() => {
      if (!this.#begun || document.hidden) return;
      this.tell({ type: "ask" });
      if (!this.#silence) this.#listen();
    }, ASK_MS);
  }

  #listen() {
    this.#heard();
    this.#silence = window.setTimeout(() => this.root.isConnected && this.portal.onSilent(), SILENT_MS);
  }

  #heard() {
    window.clearTimeout(this.#silence);
    this.#silence = 0;
  }

  #came() {
    const { root } = this;
    this.#loaded += 1;
    const number = this.#loaded;
    this.tell({ type: "loaded", number });
    setTimeout(() => this.#greeted < this.#loaded && this.#fail(root), GREETING_MS);
    setTimeout(() => this.#proven < number && this.#fail(root), PROOF_MS);
  }

  /** @param {HTMLIFrameElement} root of the page that isn't a task's, or is no more */
  #fail(root) {
    if (root !== this.root || !root.isConnected || this.#failed) return;
    this.#failed = true;
    this.portal.onFailed();
  }

  /** @param {MessageEvent} event */
  #hear(event) {
    if (event.source !== this.root.contentWindow || event.origin !== "null") return;
    if (event.data?.truthmill !== "hello" || event.data.nonce !== this.#nonce) return;
    const { root } = this;
    this.#greeted += 1;
    const number = this.#greeted;
    setTimeout(() => this.#begun < number && this.#fail(root), PROOF_MS);
    this.#heard();
    const { port1, port2 } = new MessageChannel();
    this.#port?.close();
    this.#port = port1;
    port1.onmessage = (message) => this.#told(message.data, number);
    // The frame's origin is opaque, so it can't be named; the port reaches this one window.
    this.root.contentWindow?.postMessage({ truthmill: "begin", nonce: this.#nonce }, "*", [port2]);
    this.tell({ type: "task", ...this.portal.first() });
    if (this.#shown) this.tell({ type: "shown" });
    if (this.#loaded) this.tell({ type: "loaded", number: this.#loaded });
  }

  /** Whether it says so much that the portal could do nothing else; then it is heard no more. */
  #floods() {
    const second = Math.floor(Date.now() / 1000);
    this.#messages = second === this.#second ? this.#messages + 1 : 1;
    this.#second = second;
    if (this.#messages <= MOST_A_SECOND) return false;
    if (this.#port) this.portal.onSilent();
    this.#port?.close();
    this.#port = null;
    return true;
  }

  /** @param {any} message through the port @param {number} greeting that the port was the answer to */
  #told(message, greeting) {
    if (this.#floods()) return;
    this.#heard();
    if (message?.type === "alive") this.portal.onMessage(message);
    else if (message?.type === "ready") {
      this.#begun = greeting;
      this.#failed = false; // late, as below
    } else if (message?.type === "gone") this.#fail(this.root);
    else if (message?.type !== "here") this.portal.onMessage(message);
    else if (message.number === this.#loaded) {
      this.#proven = this.#loaded;
      this.#failed = false; // late, since a script of its own held it up
    }
  }
}
