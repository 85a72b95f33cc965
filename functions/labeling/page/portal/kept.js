/** Work in progress, kept in this browser until the portal has it; a worker's own, by task. */

const PREFIX = "truthmill.kept.";
const DAYS_30 = 30 * 24 * 3600 * 1000;
const MOST = 1_000_000; // characters of one task; an answer has at most 300,000 bytes

export class Kept {
  /** @param {Storage} storage @param {string} worker */
  constructor(storage, worker) {
    this.storage = storage;
    this.prefix = `${PREFIX}${worker}.`;
  }

  /** @param {{job: string, task: string}} task @returns {{boxes: any[], others?: any[][], fields: Record<string, any> | null} | null} */
  read(task) {
    return parsed(this.storage.getItem(this.#key(task)));
  }

  /**
   * @param {{job: string, task: string}} task @param {{boxes: any[], others?: any[][], fields?: Record<string, any>}} work
   * @returns {boolean} whether it is kept
   */
  write(task, { boxes, others = [], fields = {} }) {
    const written = JSON.stringify({ boxes, others, fields, at: Date.now() });
    if (written.length > MOST) return false;
    for (;;) {
      try {
        this.storage.setItem(this.#key(task), written);
        return true;
      } catch {
        // It is full: the oldest work goes, one by one, until this one has its place.
        const [oldest] = this.#all().filter(({ key }) => key !== this.#key(task));
        if (!oldest) return false;
        this.storage.removeItem(oldest.key);
      }
    }
  }

  /** @param {{job: string, task: string}} task */
  forget(task) {
    this.storage.removeItem(this.#key(task));
  }

  /** Forget what is older. @param {number} [age] in milliseconds */
  clear(age = DAYS_30) {
    for (const { key, at } of this.#all()) if (at < Date.now() - age) this.storage.removeItem(key);
  }

  /** The work of all who use this browser, the oldest first; what can't be read is oldest. */
  #all() {
    const keys = Array.from({ length: this.storage.length }, (_, number) => this.storage.key(number) ?? "");
    return keys
      .filter((key) => key.startsWith(PREFIX))
      .map((key) => ({ key, at: Number(parsed(this.storage.getItem(key))?.at ?? 0) }))
      .sort((a, b) => a.at - b.at);
  }

  /** @param {{job: string, task: string}} task */
  #key(task) {
    return `${this.prefix}${task.job}.${task.task}`;
  }
}

/** @param {string | null} written @returns {any} null for what can't be read */
function parsed(written) {
  try {
    return JSON.parse(written ?? "null");
  } catch {
    return null;
  }
}
