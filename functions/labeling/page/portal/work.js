/** Working through a job: the task in sight, and the next one loaded ahead behind it. */
import { element } from "../texts/markup.js";
import { language, text } from "../texts/texts.js";
import { portalNow, post, Refused, Unreachable } from "./api.js";
import { TaskFrame } from "./task_frame.js";

const WARN_S = 120;
const RETRY_MS = 3000;

export class Work {
  /** @type {TaskFrame[]} the one in sight first */
  #frames = [];
  /** @type {any[]} boxes of the picture before */
  #previous = [];
  #busy = false;
  #closed = false;

  /**
   * @param {any} job @param {import("./kept.js").Kept} kept
   * @param {{signInAgain: () => Promise<void>, leave: () => void}} app
   */
  constructor(job, kept, app) {
    this.job = job;
    this.kept = kept;
    this.app = app;
    this.left = element("span", { class: "left" });
    this.lease = element("div", { class: "lease", role: "status", hidden: true });
    this.message = element("p", { class: "strip", role: "alert", hidden: true });
    this.place = element("div", { class: "tasks" });
    this.root = element("main", { class: "work" }, this.message, this.lease, this.place);
    this.timer = setInterval(() => this.#watchLease(), 1000);
  }

  async begin() {
    await this.#fill();
    this.#showFirst();
  }

  close() {
    this.#closed = true;
    clearInterval(this.timer);
    for (const frame of this.#frames) frame.close();
    this.#frames = [];
  }

  /** Hold up to two tasks, and have a frame for each. */
  async #fill() {
    const { tasks, jobStatus } = await this.#sure(() => post(`jobs/${this.job.job}/tasks`, { count: 2 }));
    if (this.#closed) return;
    this.status = jobStatus;
    for (const task of tasks) {
      const open = this.#frames.find((frame) => frame.task.task === task.task);
      if (open) open.task = task;
      else this.#open(task);
    }
  }

  /** @param {any} task */
  #open(task) {
    const first = () => ({ boxes: this.kept.read(task)?.boxes ?? null, previous: this.#previous });
    const frame = new TaskFrame(task, (message) => this.#heard(frame, message), first);
    this.#frames.push(frame);
    this.place.append(frame.root);
  }

  #showFirst() {
    const [frame] = this.#frames;
    if (frame) frame.show();
    else this.#end(this.status === "InProgress" ? "done" : "over");
  }

  /** @param {TaskFrame} frame @param {any} message */
  async #heard(frame, message) {
    if (frame !== this.#frames[0]) return;
    if (message?.type === "draft" && Array.isArray(message.boxes)) this.kept.write(frame.task, message.boxes);
    else if (message?.type === "reload") frame.load();
    else if (message?.type === "answer") await this.#give(frame, "answer", { answer: message.answer }, message.boxes);
    else if (message?.type === "skip") await this.#give(frame, "decline", { reason: String(message.reason).slice(0, 500) || "-" }, []);
  }

  /** @param {TaskFrame} frame @param {string} how @param {object} document @param {any[]} boxes */
  async #give(frame, how, document, boxes) {
    if (this.#busy) return;
    this.#busy = true;
    const { job, task } = frame.task;
    try {
      await this.#sure(() => post(`jobs/${job}/tasks/${task}/${how}`, document));
      this.#previous = Array.isArray(boxes) ? boxes : [];
      if (how === "answer") this.job.remaining = Math.max(0, this.job.remaining - (this.job.workersPerObject === 1 ? 1 : 0));
      await this.#next(frame);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (["TaskTaken", "TaskDone", "AlreadyAnswered", "AlreadyDeclined", "NotYours"].includes(error.code)) {
        this.#say(text("work.taken"));
        await this.#next(frame);
      } else if (["JobEnded", "NoSuchJob"].includes(error.code)) this.#end("over");
      else frame.tell({ type: "refused", words: error.message });
    } finally {
      this.#busy = false;
    }
  }

  /** The next one is there already; the one after it is loaded behind it. @param {TaskFrame} frame */
  async #next(frame) {
    this.kept.forget(frame.task);
    this.#frames = this.#frames.filter((each) => each !== frame);
    frame.close();
    const ahead = this.#frames.length > 0;
    if (ahead) this.#showFirst();
    await this.#fill();
    if (!ahead && !this.#closed) this.#showFirst();
  }

  /**
   * Until it is answered: without a connection again and again, without a session after signing in again.
   * @template T @param {() => Promise<T>} ask @returns {Promise<T>}
   */
  async #sure(ask) {
    for (;;) {
      try {
        const answer = await ask();
        this.#say("");
        return answer;
      } catch (error) {
        if (error instanceof Refused && error.code === "SignedOut") await this.app.signInAgain();
        else if (error instanceof Unreachable && !this.#closed) {
          this.#say(text("app.offline"));
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        } else throw error;
      }
    }
  }

  /** @param {string} words */
  #say(words) {
    this.message.textContent = words;
    this.message.hidden = !words;
  }

  /** @param {"done" | "over"} how */
  #end(how) {
    this.close();
    const back = element("button", { type: "button", class: "primary", onclick: () => this.app.leave() }, text("work.back"));
    const card = element("div", { class: "card empty", role: "status" }, element("h1", {}, text(`work.${how}`)), element("p", {}, text(`work.${how}About`)), back);
    this.root.replaceChildren(element("div", { class: "narrow" }, card));
    this.left.textContent = "";
    back.focus();
  }

  #watchLease() {
    const [frame] = this.#frames;
    const count = new Intl.NumberFormat(language).format(this.job.remaining);
    this.left.textContent = frame ? text("work.left", { count }) : "";
    const seconds = frame ? Math.round((Date.parse(frame.task.expires) - portalNow()) / 1000) : Infinity;
    const warn = seconds <= Math.min(WARN_S, this.job.timeLimitSeconds / 2);
    if (this.lease.hidden === warn) {
      this.lease.hidden = !warn;
      const more = element("button", { type: "button", onclick: () => this.#extend() }, text("work.extend"));
      this.lease.replaceChildren(element("span", {}), more);
    }
    if (!warn) return;
    const time = `${Math.floor(Math.max(0, seconds) / 60)}:${String(Math.max(0, seconds) % 60).padStart(2, "0")}`;
    const [words] = this.lease.children;
    words.textContent = seconds > 0 ? text("work.lease", { time }) : text("work.leaseOver");
  }

  async #extend() {
    const [frame] = this.#frames;
    try {
      frame.task.expires = (await this.#sure(() => post(`jobs/${frame.task.job}/tasks/${frame.task.task}/extend`))).expires;
      frame.root.focus();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#say(text("work.taken"));
      await this.#next(frame);
    }
    this.#watchLease();
  }
}
