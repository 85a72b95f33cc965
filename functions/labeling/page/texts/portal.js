/** What the portal's own page says; a task's page, which comes with each task, goes without. */
import { de } from "./de.js";
import { en } from "./en.js";
import { speaker } from "./language.js";
import { taskDe } from "./task_de.js";
import { taskEn } from "./task_en.js";

export const text = speaker({ de: { ...taskDe, ...de }, en: { ...taskEn, ...en } });
