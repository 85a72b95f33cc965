/** Work in progress, kept in this browser until the portal has it; a worker's own, by task. */

const PREFIX = "truthmill.kept.";
const DAYS_30 = 30 * 24 * 3600 * 1000;

export class Kept {
  /** @param {Storage} storage @param {string} worker */
  constructor(storage, worker) {
    this.storage = storage;
    this.prefix = `${PREFIX}${worker}.`;
  }

  /** @param {{job: string, task: string}} task @returns {{boxes: any[], fields: Record<string, any> | null} | null} */
  read(task) {
    try {
      return JSON.parse(this.storage.getItem(this.#key(task)) ?? "null");
    } catch {
      return null;
    }
  }

  /** @param {{job: string, task: string}} task @param {{boxes: any[], fields?: Record<string, any>}} work */
  write(task, { boxes, fields = {} }) {
    const written = JSON.stringify({ boxes, fields, at: Date.now() });
    try {
      this.storage.setItem(this.#key(task), written);
    } catch {
      this.clear(0); // it is full of older work, which goes; this one stays
      this.storage.setItem(this.#key(task), written);
    }
  }

  /** @param {{job: string, task: string}} task */
  forget(task) {
    this.storage.removeItem(this.#key(task));
  }

  /** Forget what is older. @param {number} [age] in milliseconds */
  clear(age = DAYS_30) {
    const keys = Array.from({ length: this.storage.length }, (_, number) => this.storage.key(number) ?? "");
    for (const key of keys.filter((each) => each.startsWith(PREFIX))) {
      const at = JSON.parse(this.storage.getItem(key) ?? "{}").at ?? 0;
      if (at < Date.now() - age) this.storage.removeItem(key);
    }
  }

  /** @param {{job: string, task: string}} task */
  #key(task) {
    return `${this.prefix}${task.job}.${task.task}`;
  }
}
