/** The user pool's password rules, as the API words them, checked while the worker types. */
import { text } from "../texts/portal.js";

/** @type {[RegExp, string, (password: string, count: number) => boolean | null][]} null: only the portal can tell */
const KNOWN = [
  [/^at least (\d+) characters$/, "rule.length", (password, count) => [...password].length >= count],
  [/^a lower case letter$/, "rule.lower", (password) => /[a-z]/.test(password)],
  [/^an upper case letter$/, "rule.upper", (password) => /[A-Z]/.test(password)],
  [/^a digit$/, "rule.digit", (password) => /\d/.test(password)],
  [/^a special character$/, "rule.symbol", (password) => /[\^$*.[\]{}()?\-"!@#%&/\\,><':;|_~`+= ]/.test(password)],
  [/^more than common words/, "rule.common", () => null],
  [/^no space at either end$/, "rule.ends", (password) => password !== "" && password === password.trim()],
];

/**
 * @param {string[]} rules as the API words them
 * @returns {{words: string, met: (password: string) => boolean | null}[]} null: only the portal can tell
 */
export function passwordRules(rules) {
  return rules.map((rule) => {
    for (const [shape, key, check] of KNOWN) {
      const found = shape.exec(rule);
      if (!found) continue;
      const count = Number(found[1] ?? 0);
      return { words: text(key, { count }), met: (password) => check(password, count) };
    }
    return { words: rule, met: () => null };
  });
}
