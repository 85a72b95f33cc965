/** Begins a task's page: our crowd elements, and word to the template's own scripts that they are there. */
import { language } from "../texts/language.js";
import { element } from "../texts/markup.js";
import { text } from "../texts/texts.js";
import { readLabels } from "./attributes.js";
import { framed, listen, send } from "./channel.js";
import { CrowdBoundingBox } from "./crowd_bounding_box.js";
import { CrowdForm } from "./crowd_form.js";
import { CrowdInput, CrowdTextArea } from "./crowd_fields.js";
import { CrowdAlert, CrowdButton, CrowdCheckbox, CrowdIconButton, CrowdInstructions, CrowdRadioButton, CrowdRadioGroup } from "./crowd_inputs.js";
import { tellReady } from "./ready.js";

const ELEMENTS = {
  "crowd-input": CrowdInput,
  "crowd-text-area": CrowdTextArea,
  "crowd-checkbox": CrowdCheckbox,
  "crowd-radio-button": CrowdRadioButton,
  "crowd-radio-group": CrowdRadioGroup,
  "crowd-alert": CrowdAlert,
  "crowd-instructions": CrowdInstructions,
  "crowd-bounding-box": CrowdBoundingBox,
  "crowd-button": CrowdButton,
  "crowd-icon-button": CrowdIconButton,
  "crowd-form": CrowdForm,
};

/** Ground Truth's elements that hold something to look at and no answer. */
const SHOWN = ["crowd-card", "crowd-badge", "crowd-tabs", "crowd-tab"];

CrowdBoundingBox.given = readLabels(document.getElementById("truthmill-labels")?.textContent ?? null) ?? [];
document.documentElement.lang ||= language;
document.title ||= text("work.frame");
for (const [name, made] of Object.entries(ELEMENTS)) customElements.define(name, made);

const form = () => /** @type {CrowdForm | null} */ (document.querySelector("crowd-form"));
// A sandboxed frame may open no box of the browser's; what a template's script has to say goes beside the button.
if (framed) {
  let asked = "";
  window.alert = (words) => form()?.say(String(words));
  // A question is answered by submitting again, so long as nothing has changed.
  window.confirm = (words) => {
    const again = asked === `${words} `;
    asked = again ? "" : `${words} `;
    if (!again) form()?.say(`${asked}${text("form.again")}`);
    return again;
  };
  document.addEventListener("change", () => (asked = ""));
  // Nor may it open another page, and going to one would end the task's: the portal shows where a link leads.
  window.open = (address) => {
    send({ type: "link", address: String(address) });
    return null;
  };
  document.addEventListener("click", (event) => {
    const link = event.composedPath().find((each) => each instanceof HTMLAnchorElement);
    if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented || !/^https?:/.test(link.getAttribute("href") ?? "")) return;
    event.preventDefault();
    send({ type: "link", address: link.href });
  });
}

window.addEventListener("pagehide", (event) => !event.persisted && send({ type: "gone" }));
document.addEventListener("truthmill-picture", () => afterPainting(() => send({ type: "picture" })));
listen((message) => {
  const all = form()?.all ?? [];
  if (message.type === "task") {
    if (message.labels) for (const box of all) box.setNumbers(message.labels, message.label);
    if (all[0] && message.previous) all[0].previous = message.previous;
    if (message.boxes) [message.boxes, ...(message.others ?? [])].forEach((boxes, number) => all[number]?.keep(boxes));
    if (message.fields) form()?.keep(message.fields);
  } else if (message.type === "loaded") afterLoading(() => form() && send({ type: "here", number: message.number }));
  else if (message.type === "ask") send({ type: "alive" });
  else if (message.type === "shown") form()?.boxes?.focusStage();
  else if (message.type === "refused") form()?.resume(message.words);
});

sayWhatIsLacking();
tellReady();

/** Elements that only show what is in them do so by themselves; of others, and of a page without a form, the worker is told. */
function sayWhatIsLacking() {
  const others = [...document.querySelectorAll("*")].map((each) => each.localName).filter((tag) => tag.startsWith("crowd-") && !(tag in ELEMENTS) && !SHOWN.includes(tag));
  const names = [...new Set(others), ...(form() ? [] : ["crowd-form"])].map((tag) => `<${tag}>`).join(", ");
  if (names) (form() ?? document.body).prepend(element("p", { class: "truthmill-lacking", role: "alert" }, text(form() ? "form.unknown" : "form.none", { names })));
}

/** The portal asks what has loaded; a page that is being left for another must not answer for that one. @param {() => void} then */
function afterLoading(then) {
  if (document.readyState === "complete") then();
  else window.addEventListener("load", then, { once: true });
}

/** Once what there is now can be seen: the frame after the next begins when the next is on the screen. @param {() => void} then */
function afterPainting(then) {
  requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(then)));
}
