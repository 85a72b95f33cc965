/** How long a task is still the worker's: a warning in time, and a button for more. */
import { element } from "../texts/markup.js";
import { text } from "../texts/portal.js";
import { portalNow } from "./api.js";

const WARN_S = 120;

export class LeaseWarning {
  /** @param {number} limit seconds for a task @param {() => void} onExtend */
  constructor(limit, onExtend) {
    this.warnAt = Math.min(WARN_S, limit / 2);
    this.words = element("span", { role: "timer" });
    this.said = element("span", { class: "for-ears", role: "status" });
    const more = element("button", { type: "button", onclick: onExtend }, text("work.extend"));
    this.root = element("div", { class: "lease", hidden: true }, this.words, this.said, more);
  }

  /** @param {any | null} task the one in sight */
  refresh(task) {
    const seconds = task ? Math.round((Date.parse(task.expires) - portalNow()) / 1000) : Infinity;
    const warn = seconds <= this.warnAt;
    const time = `${Math.floor(Math.max(0, seconds) / 60)}:${String(Math.max(0, seconds) % 60).padStart(2, "0")}`;
    const words = seconds > 0 ? text("work.lease", { time }) : text("work.leaseOver");
    if (warn) this.words.textContent = words;
    // Read aloud once when it begins and once when it is over, not every second.
    const aloud = warn ? (seconds > 0 ? "began" : "over") : "";
    if (this.said.dataset.state !== aloud) this.said.textContent = aloud && words;
    this.said.dataset.state = aloud;
    this.root.hidden = !warn;
  }
}
