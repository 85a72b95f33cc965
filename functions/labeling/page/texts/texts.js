/** What a task's page says. */
import { speaker } from "./language.js";
import { taskDe } from "./task_de.js";
import { taskEn } from "./task_en.js";

export const text = speaker({ de: taskDe, en: taskEn });
