/** Which language the page speaks, and how a text is found in it. What a job's owner wrote is shown as it is. */

const LANGUAGES = ["de", "en"];

/** @param {readonly string[]} wanted as the browser lists them @returns {string} */
export function languageOf(wanted) {
  return wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => LANGUAGES.includes(tag)) ?? "en";
}

export const language = languageOf(navigator.languages);

/**
 * Finds texts, with {name} replaced by its value.
 * @param {Record<string, Record<string, string>>} texts by language
 * @returns {(key: string, values?: Record<string, any>, otherwise?: string) => string} otherwise: where there is no such text
 */
export function speaker(texts) {
  return (key, values = {}, otherwise = key) => {
    const found = texts[language][key] ?? texts.en[key];
    if (found === undefined) return otherwise;
    return found.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
  };
}
