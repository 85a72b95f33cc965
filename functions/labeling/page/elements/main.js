/** Begins a task's page: our crowd elements, and word to the template's own scripts that they are there. */
import { language, text } from "../texts/texts.js";
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

document.documentElement.lang ||= language;
document.title ||= text("work.frame");
for (const [name, element] of Object.entries(ELEMENTS)) customElements.define(name, element);

const form = () => /** @type {CrowdForm | null} */ (document.querySelector("crowd-form"));
// A sandboxed frame may open no box of the browser's; what a template's script has to say goes beside the button.
if (framed) window.alert = (words) => form()?.say(String(words));

document.addEventListener("truthmill-picture", () => afterPainting(() => send({ type: "picture" })));
listen((message) => {
  const box = form()?.boxes;
  if (message.type === "task") {
    if (box && message.labels) box.setNumbers(message.labels, message.label);
    if (box && message.previous) box.previous = message.previous;
    if (box && message.boxes) box.keep(message.boxes);
    if (message.fields) form()?.keep(message.fields);
  } else if (message.type === "shown") box?.focusStage();
  else if (message.type === "refused") form()?.resume(message.words);
});

document.dispatchEvent(new Event("all-crowd-elements-ready", { bubbles: true }));

/** Once what there is now can be seen: the frame after the next begins when the next is on the screen. @param {() => void} then */
function afterPainting(then) {
  requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(then)));
}
