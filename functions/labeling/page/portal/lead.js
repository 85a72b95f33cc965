/** For the one who runs a team: who is in it, how its jobs come along, and any object with its answers drawn on it. */
import { colourOf } from "../drawing/colours.js";
import { element } from "../texts/markup.js";
import { language } from "../texts/language.js";
import { text } from "../texts/portal.js";
import { get, post, Refused } from "./api.js";
import { inviteForm } from "./invite.js";
import { refusal } from "./refusals.js";

const SVG = "http://www.w3.org/2000/svg";
const PAGE = 50; // objects at a time

/**
 * The page that an address names: #/lead, #/lead/team/TEAM, #/lead/job/JOB, #/lead/job/JOB/OBJECT.
 * @param {string} address @returns {Promise<HTMLElement>} Throws Refused or Unreachable.
 */
export async function leadPage(address) {
  const [, , kind, name, object] = address.split("/").map(decodeURIComponent);
  if (kind === "team") return teamPage(name);
  if (kind === "job") return object ? objectPage(name, object) : jobPage(name);
  const { teams } = await get("lead/teams");
  if (teams.length === 1) return teamPage(teams[0].team);
  const list = teams.map((/** @type {any} */ each) => element("li", { class: "card" }, link(`team/${each.team}`, each.team), element("p", {}, each.description)));
  return page(text("lead.teams"), teams.length ? element("ul", { class: "jobs" }, ...list) : element("p", {}, text("lead.noTeams")));
}

/** @param {string} name @returns {Promise<HTMLElement>} */
async function teamPage(name) {
  const { description, members, jobs } = await get(`lead/teams/${name}`);
  const said = element("p", { class: "said", role: "status" });
  const people = table(
    text("lead.members"), ["lead.email", "lead.state", "lead.invited", "lead.actions"],
    members.map((/** @type {any} */ member) => [named(member), text(`lead.state.${member.state}`), moment(member.invited), actions(name, member, said)]),
  );
  const work = table(
    text("lead.jobs"), ["lead.job", "lead.status", "lead.labeled", "lead.remaining", "lead.created"],
    jobs.map((/** @type {any} */ job) => [link(`job/${job.job}`, job.title), text(`lead.status.${job.status}`), `${number(job.labeled)} / ${number(job.objects)}`, number(job.remaining), moment(job.created)]),
  );
  const invite = inviteForm(name, async (words) => {
    const renewed = await teamPage(name).catch(() => shown); // what is known already, where nothing new can be had
    shown.replaceWith(renewed);
    /** @type {HTMLElement} */ (renewed.querySelector(".said")).textContent = words;
    /** @type {HTMLElement} */ (renewed.querySelector("#invite-email")).focus();
  });
  const shown = page(name, element("p", {}, description), said, people, invite, work);
  return shown;
}

/** @param {any} member */
function named({ name, email, lead }) {
  return `${name ? `${name}, ` : ""}${email}${lead ? ` (${text("lead.lead")})` : ""}`;
}

/** @param {string} team @param {any} member @param {HTMLElement} said */
function actions(team, member, said) {
  const path = `lead/teams/${team}/members/${member.member}`;
  /** @param {string} what @param {(answer: any) => string} words */
  const act = async (what, words) => {
    try {
      said.textContent = words(await post(`${path}/${what}`));
    } catch (error) {
      said.textContent = error instanceof Refused ? refusal(error) : text("app.unreachable");
    }
  };
  const { email } = member;
  const resend = element("button", { type: "button", "aria-label": `${text("lead.resend")}: ${email}`, onclick: () => act("resend", () => text("lead.resent", { email })) }, text("lead.resend"));
  const remove = element("button", { type: "button", "aria-label": `${text("lead.remove")}: ${email}`, onclick: () => sure(text("lead.removeDo", { email }), away) }, text("lead.remove"));
  /** @param {string} words @param {() => void} doIt */
  const sure = (words, doIt) => {
    const yes = element("button", { type: "button", class: "danger", onclick: doIt }, words);
    const no = element("button", { type: "button", onclick: () => place.replaceChildren(...rest()) }, text("form.cancel"));
    place.replaceChildren(yes, no);
    no.focus();
  };
  const away = async () => {
    await act("remove", (answer) => text("lead.removed", { email, count: answer.returned }));
    place.closest("tr")?.classList.add("gone");
    place.replaceChildren();
  };
  const factor = element("button", { type: "button", "aria-label": `${text("lead.factor")}: ${email}`, onclick: () => sure(text("lead.factorDo", { email }), lost) }, text("lead.factor"));
  const lost = async () => {
    place.replaceChildren(...rest());
    await act("reset-factor", () => text("lead.factorReset", { email }));
  };
  const rest = () => [member.state === "invited" ? resend : factor, remove];
  const place = element("div", { class: "acts" }, ...rest());
  return place;
}

/** @param {string} name */
async function jobPage(name) {
  const { job, workers, sampled } = await get(`lead/jobs/${name}`);
  const progress = element("progress", { max: Math.max(1, job.objects), value: job.labeled, "aria-label": text("lead.labeled") });
  const share = new Intl.NumberFormat(language, { style: "percent" });
  const people = table(
    text("lead.workers"), ["lead.email", "lead.answered", "lead.declined", "lead.holds", "lead.median", "lead.agreement"],
    workers.map((/** @type {any} */ each) => [each.email || text("lead.goneAccount"), number(each.answered), number(each.declined), number(each.holds), each.medianSeconds === null ? "–" : number(each.medianSeconds), each.agreement === null ? "–" : share.format(each.agreement)]),
  );
  const facts = `${text(`lead.status.${job.status}`)} · ${text("lead.labeled")}: ${number(job.labeled)} / ${number(job.objects)} · ${text("lead.expired")}: ${number(job.expired)} · ${text("lead.sampled", { count: number(sampled) })}`;
  return page(job.title, element("p", { class: "facts" }, facts), progress, people, await objects(name));
}

/** @param {string} name of a job */
async function objects(name) {
  const rows = element("tbody", {});
  const more = element("button", { type: "button", onclick: () => load() }, text("lead.more"));
  let after = "";
  const load = async () => {
    const found = await get(`lead/jobs/${name}/objects?count=${PAGE}${after && `&after=${after}`}`);
    rows.append(...found.objects.map((/** @type {any} */ each) => row([link(`job/${name}/${each.object}`, each.objectName), text(`lead.object.${each.state}`), number(each.answers), each.declined.map((/** @type {any} */ no) => no.reason).join("; ")])));
    after = found.next === null ? "" : String(found.next);
    more.hidden = found.next === null;
  };
  await load();
  const head = headOf(["lead.picture", "lead.state", "lead.answered", "lead.declines"]);
  return element("section", { class: "card" }, element("table", {}, element("caption", {}, text("lead.objects")), head, rows), more);
}

/** @param {string} job @param {string} object */
async function objectPage(job, object) {
  const found = await get(`lead/jobs/${job}/objects/${object}`);
  // With CORS the stored pixels are shown unturned, as they were drawn on.
  const picture = element("img", { crossOrigin: "anonymous", alt: found.objectName, src: found.picture });
  const size = found.size ?? { width: 1, height: 1 };
  const drawn = shape("svg", { viewBox: `0 0 ${size.width} ${size.height}`, "aria-hidden": "true", preserveAspectRatio: "none" });
  const layers = [
    ...found.answers.map((/** @type {any} */ answer, /** @type {number} */ at) => ({ title: `${answer.email || text("lead.goneAccount")}, ${number(answer.seconds)} s`, boxes: answer.boxes, colour: colourOf(at), dashed: false })),
    { title: text("lead.merged"), boxes: found.merged, colour: "#ffffff", dashed: true },
  ];
  const choices = layers.map(({ title, boxes, colour, dashed }) => {
    const group = shape("g", { fill: "none", "stroke-width": "2" });
    group.append(...boxes.map((/** @type {any} */ box) => outline(box, colour, dashed)));
    drawn.append(group);
    const shown = element("input", { type: "checkbox", checked: true, onchange: () => group.toggleAttribute("hidden", !shown.checked) });
    const swatch = element("span", { class: "swatch" });
    swatch.style.background = colour;
    const list = element("ul", {}, ...boxes.map((/** @type {any} */ box) => element("li", {}, text("box.item", box))));
    return element("li", {}, element("label", {}, shown, swatch, title), boxes.length ? list : element("p", { class: "facts" }, text("form.nothing")));
  });
  const side = element("ul", { class: "answers" }, ...choices);
  return page(found.objectName, link(`job/${job}`, text("lead.back")), element("div", { class: "object" }, element("div", { class: "picture" }, picture, drawn), side));
}

/** @param {any} box @param {string} colour @param {boolean} dashed */
function outline({ left, top, width, height }, colour, dashed) {
  const place = { x: left, y: top, width, height, "vector-effect": "non-scaling-stroke" };
  const both = shape("g", {});
  both.append(shape("rect", { ...place, stroke: "#000000", "stroke-width": 4, "stroke-opacity": 0.6 }), shape("rect", { ...place, stroke: colour, ...(dashed ? { "stroke-dasharray": "6 4" } : {}) }));
  return both;
}

/** @param {string} tag @param {Record<string, string | number>} attributes */
function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

/** @param {string} title @param {...Node} content */
function page(title, ...content) {
  return element("main", { class: "wide" }, element("h1", {}, title), ...content);
}

/** @param {string} caption @param {string[]} columns keys of texts @param {(string | Node)[][]} rows */
function table(caption, columns, rows) {
  return element("section", { class: "card" }, element("table", {}, element("caption", {}, caption), headOf(columns), element("tbody", {}, ...rows.map(row))));
}

/** @param {string[]} columns */
function headOf(columns) {
  return element("thead", {}, element("tr", {}, ...columns.map((column) => element("th", { scope: "col" }, text(column)))));
}

/** @param {(string | Node)[]} cells */
function row(cells) {
  return element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
}

/** @param {string} address @param {string} words */
function link(address, words) {
  return element("a", { href: `#/lead/${address}` }, words);
}

/** @param {number} value */
function number(value) {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(value);
}

/** @param {string} written */
function moment(written) {
  return written ? new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(written)) : "";
}
