/**
 * Working through a job: the task in sight, and the next one loaded ahead behind it. An answer is sent while the next
 * task is in sight already; its frame stays until the portal has it, and comes back where the portal refuses it.
 */
import { element } from "../texts/markup.js";
import { language } from "../texts/language.js";
import { text } from "../texts/portal.js";
import { acted, get, portalNow, post, rendered, Refused, Unreachable } from "./api.js";
import { LeaseWarning } from "./lease.js";
import { refusal } from "./refusals.js";
import { TaskFrame } from "./task_frame.js";

const RETRY_MS = 3000;
const SETTLE_MS = 5000;
const HOLD = 2; // the task in sight, and the next
const PATIENT = 3; // times that a task's page may fail until the worker is offered to skip it
const AHEAD_MS = 3000; // that long a picture may take before the next task is loaded beside it
const GONE = ["TaskTaken", "TaskDone", "AlreadyAnswered", "AlreadyDeclined", "NotYours", "NoSuchTask", "NotHandedOut"];
const OVER = ["JobEnded", "NoSuchJob"];
/** of those that are gone, what never comes back to this worker; of the others the boxes are kept */
const FOR_GOOD = ["TaskDone", "AlreadyAnswered", "AlreadyDeclined", "NoSuchTask"];

export class Work {
  /** @type {TaskFrame[]} the one in sight first */
  #frames = [];
  /** @type {Set<TaskFrame>} out of sight, their answers on the way */
  #sending = new Set();
  /** @type {Set<string>} tasks that are not to be shown again, whatever an answer says that was made before */
  #done = new Set();
  /** @type {any[]} boxes of the picture before */
  #previous = [];
  /** label chosen last */
  #label = "";
  /** @type {Promise<void>} */
  #filling = Promise.resolve();
  #closed = false;
  /** until the next task is loaded whether or not the picture in sight is there */
  #waits = 0;

  /**
   * @param {any} job @param {import("./kept.js").Kept} kept
   * @param {{signInAgain: () => Promise<void>, leave: () => void}} app
   */
  constructor(job, kept, app) {
    this.job = job;
    this.kept = kept;
    this.app = app;
    this.left = element("span", { class: "left" });
    this.lease = new LeaseWarning(job.timeLimitSeconds, () => this.#extend());
    this.offline = element("p", { class: "strip", role: "alert", hidden: true });
    this.message = element("p", { class: "strip", role: "alert", hidden: true });
    this.waiting = element("p", { class: "waiting", role: "status" }, text("app.loading"));
    this.place = element("div", { class: "tasks" }, this.waiting);
    this.root = element("main", { class: "work" }, this.offline, this.message, this.lease.root, this.place);
    this.timer = setInterval(() => this.#watch(), 1000);
  }

  /** @param {any} [held] what the worker holds, where that is known */
  async begin(held) {
    if (held) this.#hold(held);
    else await this.#fill();
    this.#showFirst();
  }

  giveBack() {
    giveBack(this.#frames.map((frame) => frame.task), this.kept);
  }

  /** Until the portal has every answer, or has had time enough. */
  async settle() {
    for (let waited = 0; this.#sending.size && waited < SETTLE_MS; waited += 100) await pause(100);
  }

  close() {
    this.#closed = true;
    clearInterval(this.timer);
    window.clearTimeout(this.#waits);
    for (const frame of [...this.#frames, ...this.#sending]) frame.close();
    this.#frames = [];
  }

  /** Hold up to two tasks, and have a frame for each; one request after the other. @returns {Promise<void>} */
  #fill() {
    const filled = this.#filling.then(() => this.#topUp());
    this.#filling = filled.catch(() => {});
    return filled;
  }

  async #topUp() {
    if (this.#closed) return;
    try {
      this.#hold(await this.#sure(() => post(`jobs/${this.job.job}/tasks`, { count: HOLD })));
    } catch (error) {
      if (this.#closed) return;
      if (!(error instanceof Refused && OVER.includes(error.code))) throw error;
      this.#end("over");
    }
  }

  /** A frame for each task that the worker holds. @param {{tasks: any[], jobStatus: string}} held */
  #hold({ tasks, jobStatus }) {
    if (this.#closed) return;
    this.status = jobStatus;
    for (const task of tasks.filter((each) => !this.#done.has(each.task))) {
      const open = this.#frames.find((frame) => frame.task.task === task.task);
      if (open) open.task = task;
      else this.#open(task);
    }
  }

  /** @param {any} task */
  #open(task) {
    const frame = new TaskFrame(task, {
      onMessage: (message) => this.#heard(frame, message),
      onFailed: () => this.#renew(frame),
      onSilent: () => this.#stuck(frame, text("work.silent")),
      first: () => ({ ...(this.kept.read(task) ?? { boxes: null, fields: null }), previous: this.#previous, labels: task.labels, label: this.#label }),
    });
    this.#frames.push(frame);
    if (this.#frames[0].hasPicture) this.#loadAhead();
  }

  /** What isn't in sight is loaded once the picture in sight is there, so that it takes nothing away from it. */
  #loadAhead() {
    window.clearTimeout(this.#waits);
    for (const { root } of this.#frames) if (!root.isConnected) this.place.append(root);
  }

  #showFirst() {
    if (this.#closed) return;
    const [frame] = this.#frames;
    if (frame) {
      if (!frame.root.isConnected) this.place.append(frame.root);
      frame.show();
      window.clearTimeout(this.#waits);
      if (frame.hasPicture) this.#loadAhead();
      else this.#waits = window.setTimeout(() => this.#loadAhead(), AHEAD_MS);
      this.#wholeTime(frame);
    } else if (this.#sending.size === 0) this.#end(["InProgress", "Completed"].includes(this.status ?? "") ? "done" : "over");
    this.#watch();
  }

  /** What was taken ahead has waited; its time begins when it is shown. @param {TaskFrame} frame */
  async #wholeTime(frame) {
    const waited = portalNow() - Date.parse(frame.task.expires) + this.job.timeLimitSeconds * 1000;
    if (waited < this.job.timeLimitSeconds * 100) return;
    const { job, task } = frame.task;
    const answer = await post(`jobs/${job}/tasks/${task}/extend`).catch(() => null);
    if (answer) frame.task.expires = answer.expires;
  }

  /** @param {TaskFrame} frame @param {any} message */
  #heard(frame, message) {
    if (message?.type === "picture") frame.hasPicture = true;
    if (frame !== this.#frames[0]) return;
    if (message?.type === "alive") return this.#freed(frame); // by itself: nobody did anything
    acted(); // what a frame hears doesn't reach us
    if (frame.hasPicture) this.#loadAhead();
    if (!["ready", "picture"].includes(message?.type)) frame.failures = 0;
    this.#freed(frame);
    if (message?.type === "draft") this.#keep(frame, message);
    else if (message?.type === "link") this.#offer(message.address);
    else if (message?.type === "label") this.#label = String(message.label);
    else if (message?.type === "reload") frame.load();
    else if (message?.type === "answer") this.#give(frame, "answer", { answer: message.answer }, message.boxes);
    else if (message?.type === "skip") this.#give(frame, "decline", { reason: String(message.reason).slice(0, 500) || "-" }, []);
  }

  /** It can be worked on again, where it failed less often than makes one impatient. @param {TaskFrame} frame */
  #freed(frame) {
    if (frame.stuck && frame.failures < PATIENT) this.#say("");
    frame.stuck &&= frame.failures >= PATIENT;
  }

  /** @param {TaskFrame} frame @param {any} message */
  #keep(frame, { boxes, others, fields, blank }) {
    if (blank) this.kept.forget(frame.task);
    else if (!this.kept.write(frame.task, { boxes: Array.isArray(boxes) ? boxes : [], others, fields })) this.#say(text("work.notKept"));
  }

  /** @param {TaskFrame} frame @param {string} how @param {object} document @param {any[]} boxes */
  async #give(frame, how, document, boxes) {
    if (frame.given) return;
    frame.given = true;
    const { job, task } = frame.task;
    this.#say("");
    this.#frames = this.#frames.filter((each) => each !== frame);
    this.#sending.add(frame);
    this.#done.add(task);
    this.#previous = Array.isArray(boxes) ? boxes : [];
    frame.hide();
    this.#showFirst();
    try {
      const held = await this.#sure(() => post(`jobs/${job}/tasks/${task}/${how}`, { ...document, next: HOLD }));
      if (how === "answer") this.job.remaining = Math.max(0, this.job.remaining - (this.job.workersPerObject === 1 ? 1 : 0));
      this.#hold(held);
      this.#settled(frame);
      if (held.feedback) this.#say(feedbackWords(held.feedback));
    } catch (error) {
      if (this.#closed) return;
      if (!(error instanceof Refused)) throw error;
      if (GONE.includes(error.code)) {
        this.#say(wordsForGone(error.code));
        const forGood = FOR_GOOD.includes(error.code);
        if (!forGood) this.#done.delete(task);
        await this.#fill();
        this.#settled(frame, forGood);
      } else if (OVER.includes(error.code)) {
        this.#say(text("work.late"));
        this.#end("over");
      }
      else this.#comeBack(frame, refusal(error));
    }
  }

  /**
   * It is out of this worker's hands; the one after the next is being loaded behind it.
   * @param {TaskFrame} frame @param {boolean} [forGood] whether what was drawn is of no use any more
   */
  #settled(frame, forGood = true) {
    if (forGood) this.kept.forget(frame.task);
    this.#sending.delete(frame);
    frame.close();
    if (!this.#frames[0] || this.#frames[0].root.classList.contains("ahead")) this.#showFirst();
  }

  /** The portal refused it: in sight again, as it was. @param {TaskFrame} frame @param {string} words */
  #comeBack(frame, words) {
    this.#sending.delete(frame);
    this.#done.delete(frame.task.task);
    frame.given = false;
    this.#frames[0]?.hide();
    this.#frames.unshift(frame);
    frame.show();
    frame.tell({ type: "refused", words });
  }

  /** Its page didn't come, or has gone: find out why, and load it again. @param {TaskFrame} frame */
  async #renew(frame) {
    frame.failures += 1;
    if (frame.failures >= PATIENT) this.#stuck(frame, text("work.leaves"));
    const { job, task, page } = frame.task;
    try {
      frame.task = (await this.#sure(() => get(`jobs/${job}/tasks/${task}`))).task;
      await this.#sure(() => rendered(page));
      if (frame.failures > 1) await pause(RETRY_MS * (frame.failures - 1));
      if (frame.failed) frame.load();
    } catch (error) {
      if (this.#closed) return;
      if (!(error instanceof Refused)) throw error;
      if (OVER.includes(error.code)) this.#end("over");
      else if (GONE.includes(error.code)) await this.#lost(frame, error.code);
      else this.#stuck(frame, refusal(error));
    }
  }

  /** Its page can't be worked on, nor has it a way to skip it: the portal has. @param {TaskFrame} frame @param {string} words */
  #stuck(frame, words) {
    if (frame !== this.#frames[0]) return;
    frame.stuck = true;
    const skip = () => this.#give(frame, "decline", { reason: text("work.stuckReason") }, []);
    this.#say(words, element("button", { type: "button", onclick: skip }, text("form.skipDo")));
  }

  /** A page in the sandbox opens no other: where one leads is shown, and left to the worker. @param {unknown} address */
  #offer(address) {
    const found = URL.canParse(String(address)) ? new URL(String(address)) : null;
    if (!found || !["https:", "http:"].includes(found.protocol)) return;
    const away = element("button", { type: "button", onclick: () => this.#say("") }, text("box.close"));
    this.#say(text("work.link"), element("a", { href: found.href, target: "_blank", rel: "noopener noreferrer" }, found.href), away);
  }

  /** Somebody else has it now. @param {TaskFrame} frame @param {string} code */
  async #lost(frame, code) {
    const inSight = frame === this.#frames[0];
    if (inSight) this.#say(wordsForGone(code));
    this.#frames = this.#frames.filter((each) => each !== frame);
    frame.close();
    if (FOR_GOOD.includes(code)) this.kept.forget(frame.task);
    await this.#fill();
    if (inSight) this.#showFirst();
  }

  /**
   * Until it is answered: without a connection again and again, without a session after signing in again.
   * @template T @param {() => Promise<T>} ask @returns {Promise<T>}
   */
  async #sure(ask) {
    for (;;) {
      try {
        const answer = await ask();
        this.offline.hidden = true;
        return answer;
      } catch (error) {
        if (this.#closed) throw error;
        if (error instanceof Refused && error.code === "SignedOut") await this.app.signInAgain();
        else if (error instanceof Unreachable) {
          this.offline.textContent = text("app.offline");
          this.offline.hidden = false;
          await pause(RETRY_MS);
        } else throw error;
      }
    }
  }

  /** @param {string} words @param {...Node} acts what can be done about it */
  #say(words, ...acts) {
    this.message.replaceChildren(element("span", {}, words), ...acts);
    this.message.hidden = !words;
  }

  /** @param {"done" | "over"} how */
  #end(how) {
    if (this.#closed) return;
    this.close();
    const back = element("button", { type: "button", class: "primary", onclick: () => this.app.leave() }, text("work.back"));
    const card = element("div", { class: "card empty", role: "status" }, element("h1", {}, text(`work.${how}`)), element("p", {}, text(`work.${how}About`)), back);
    this.root.replaceChildren(this.message, element("div", { class: "narrow" }, card));
    this.left.textContent = "";
    back.focus();
  }

  #watch() {
    const [frame] = this.#frames;
    const count = new Intl.NumberFormat(language).format(this.job.remaining);
    this.left.textContent = frame ? text("work.left", { count }) : "";
    this.waiting.textContent = text(this.#sending.size ? "work.sending" : "app.loading");
    this.lease.refresh(frame?.task ?? null);
  }

  async #extend() {
    const [frame] = this.#frames;
    const { job, task } = frame.task;
    try {
      frame.task.expires = (await this.#sure(() => post(`jobs/${job}/tasks/${task}/extend`))).expires;
      frame.root.focus();
    } catch (error) {
      if (this.#closed) return;
      if (!(error instanceof Refused)) throw error;
      await this.#lost(frame, error.code);
    }
    this.#watch();
  }
}

/**
 * What the worker holds of a job, topped up, with the job and who the worker is.
 * @param {string} job @returns {Promise<{tasks: any[], jobStatus: string, job: any, user: any}>} Throws Refused or Unreachable.
 */
export function taken(job) {
  return post(`jobs/${job}/tasks`, { count: HOLD, job: true });
}

/** What nothing was drawn on goes to somebody else at once. @param {any[]} tasks @param {import("./kept.js").Kept} kept */
export function giveBack(tasks, kept) {
  for (const task of tasks.filter((each) => !kept.read(each))) {
    post(`jobs/${task.job}/tasks/${task.task}/release`).catch(() => {}); // its time runs out anyway
  }
}

/** Some time, or until the connection is back. @param {number} ms @returns {Promise<void>} */
function pause(ms) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      window.removeEventListener("online", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    window.addEventListener("online", end);
  });
}

/** @param {string} code */
function wordsForGone(code) {
  if (code === "NotHandedOut") return text("work.returned");
  return text(FOR_GOOD.includes(code) ? "work.answered" : "work.taken");
}

/** What a worker is told of a picture whose boxes were known. @param {{ expected: any[], found: number, drawn: number }} feedback */
function feedbackWords({ expected, found, drawn }) {
  return text("work.feedback", { found: String(found), expected: String(expected.length), extra: String(drawn - found) });
}
