/** The page's texts in the browser's language. What a job's owner wrote is shown as it is. */
import { de } from "./de.js";
import { en } from "./en.js";

/** @type {Record<string, Record<string, string>>} */
const LANGUAGES = { de, en };

/** @param {readonly string[]} wanted as the browser lists them @returns {string} */
export function languageOf(wanted) {
  return wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag in LANGUAGES) ?? "en";
}

export const language = languageOf(navigator.languages);

/**
 * A text, with {name} replaced by its value.
 * @param {string} key @param {Record<string, string | number>} [values] @param {string} [otherwise] where there is no such text
 */
export function text(key, values = {}, otherwise = key) {
  const found = LANGUAGES[language][key] ?? en[key];
  if (found === undefined) return otherwise;
  return found.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}
