/** Begins a task's page: our crowd elements, and word to the template's own scripts that they are there. */
import { language } from "../texts/language.js";
import { text } from "../texts/texts.js";
import { readLabels } from "./attributes.js";
import { framed, listen, send } from "./channel.js";
import { CrowdBoundingBox } from "./crowd_bounding_box.js";
import { CrowdForm } from "./crowd_form.js";
import { CrowdAlert, CrowdButton, CrowdCheckbox, CrowdInput, CrowdInstructions, CrowdRadioButton, CrowdRadioGroup, CrowdTextArea } from "./crowd_inputs.js";

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
  "crowd-form": CrowdForm,
};

CrowdBoundingBox.given = readLabels(document.getElementById("truthmill-labels")?.textContent ?? null) ?? [];
document.documentElement.lang ||= language;
document.title ||= text("work.frame");
for (const [name, element] of Object.entries(ELEMENTS)) customElements.define(name, element);

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
  else if (message.type === "shown") form()?.boxes?.focusStage();
  else if (message.type === "refused") form()?.resume(message.words);
});

document.dispatchEvent(new Event("all-crowd-elements-ready", { bubbles: true }));

/** The portal asks what has loaded; a page that is being left for another must not answer for that one. @param {() => void} then */
function afterLoading(then) {
  if (document.readyState === "complete") then();
  else window.addEventListener("load", then, { once: true });
}

/** Once what there is now can be seen: the frame after the next begins when the next is on the screen. @param {() => void} then */
function afterPainting(then) {
  requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(then)));
}
