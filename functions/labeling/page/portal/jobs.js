/** The page "Your jobs". */
import { element } from "../texts/markup.js";
import { language } from "../texts/language.js";
import { text } from "../texts/portal.js";

/** @param {any[]} jobs @param {(job: any) => void} onStart @param {() => void} onRefresh */
export function jobsPage(jobs, onStart, onRefresh) {
  const again = element("button", { type: "button", onclick: onRefresh }, text("jobs.refresh"));
  const list = jobs.length ? element("ul", { class: "jobs" }, ...jobs.map((job) => line(job, onStart))) : none();
  return element("main", { class: "narrow" }, element("div", { class: "headline" }, element("h1", {}, text("jobs.title")), again), list);
}

function none() {
  return element("div", { class: "card empty" }, element("h2", {}, text("jobs.none")), element("p", {}, text("jobs.noneAbout")));
}

/** @param {number} seconds */
function timeOf(seconds) {
  const [value, unit] = seconds < 90 ? [Math.max(1, Math.round(seconds)), "second"] : [Math.round(seconds / 60), "minute"];
  return new Intl.NumberFormat(language, { style: "unit", unit: String(unit) }).format(Number(value));
}

/** @param {any} job @param {(job: any) => void} onStart */
function line(job, onStart) {
  const numbers = new Intl.NumberFormat(language);
  const minutes = numbers.format(Math.max(1, Math.round(job.timeLimitSeconds / 60)));
  const facts = [
    text("jobs.left", { count: numbers.format(job.remaining), total: numbers.format(job.objects) }),
    text("jobs.mine", { count: numbers.format(job.answeredByMe) }),
    job.secondsEach ? text("jobs.pace", { time: timeOf(job.secondsEach), minutes }) : text("jobs.time", { minutes }),
  ];
  const progress = element("progress", { max: Math.max(1, job.objects), value: job.objects - job.remaining, "aria-label": facts[0] });
  const start = job.remaining > 0 && element("button", { type: "button", class: "primary", "aria-label": `${text("jobs.start")}: ${job.title}`, onclick: () => onStart(job) }, text("jobs.start"));
  return element(
    "li",
    { class: "card job" },
    element("div", {}, element("h2", {}, job.title), element("p", {}, job.description), element("p", { class: "facts" }, facts.join(" · ")), progress),
    start || element("p", { class: "facts", role: "status" }, text("jobs.ending")),
  );
}
