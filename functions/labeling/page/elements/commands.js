/**
 * Every command and its keys: what the keyboard does, and what the list of keys shows.
 *
 * @typedef {{name: string, keys: string[], group: "draw" | "see" | "task", shown?: string}} Command
 * @typedef {{name: string, digit?: number, by?: [number, number], held?: boolean}} Asked held: the key was down already
 */
import { text } from "../texts/texts.js";

/** @type {Command[]} keys: modifiers in the order Ctrl, Alt, Shift, then KeyboardEvent.key; letters in lower case */
export const COMMANDS = [
  { name: "next", keys: ["n", "."], group: "draw", shown: "N" },
  { name: "previous", keys: ["p", ","], group: "draw", shown: "P" },
  { name: "pen", keys: ["b", "Insert"], group: "draw", shown: "B" },
  { name: "delete", keys: ["Delete", "Backspace"], group: "draw", shown: "Del" },
  { name: "copy", keys: ["Ctrl+d", "c"], group: "draw", shown: "C" },
  { name: "undo", keys: ["Ctrl+z"], group: "draw", shown: "Ctrl+Z" },
  { name: "redo", keys: ["Ctrl+Shift+z", "Ctrl+y"], group: "draw", shown: "Ctrl+Y" },
  { name: "extreme", keys: ["x"], group: "draw", shown: "X" },
  { name: "search", keys: ["/"], group: "draw", shown: "/" },
  { name: "takeOver", keys: ["v"], group: "draw", shown: "V" },
  { name: "escape", keys: ["Escape"], group: "draw", shown: "Esc" },
  { name: "zoomIn", keys: ["+", "="], group: "see", shown: "+" },
  { name: "zoomOut", keys: ["-"], group: "see", shown: "−" },
  { name: "fit", keys: ["f"], group: "see", shown: "F" },
  { name: "actual", keys: ["o"], group: "see", shown: "O" },
  { name: "hide", keys: ["h"], group: "see", shown: "H" },
  { name: "dim", keys: ["d"], group: "see", shown: "D" },
  { name: "loupe", keys: ["l"], group: "see", shown: "L" },
  { name: "help", keys: ["?"], group: "task", shown: "?" },
  { name: "submit", keys: ["Enter", "Ctrl+Enter"], group: "task", shown: "↵" },
  { name: "nothing", keys: ["e"], group: "task", shown: "E" },
  { name: "skip", keys: ["s"], group: "task", shown: "S" },
];

const OTHERS = /** @type {[string, "draw" | "see", string?][]} */ ([
  ["drag", "draw"], ["force", "draw"], ["click", "draw"], ["label", "draw", "1 … 9, 0"], ["relabel", "draw", "Alt+1 … 9"],
  ["penMove", "draw"], ["penPress", "draw"], ["nudge", "draw", "← ↑ ↓ →"], ["grow", "draw", "Alt+← ↑ ↓ →"],
  ["growBack", "draw", "Ctrl+← ↑ ↓ →"], ["panKeys", "see", "← ↑ ↓ →"], ["pan", "see"], ["wheel", "see"],
]);

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * What a key asks for.
 * @param {{key: string, code?: string, repeat?: boolean, ctrlKey: boolean, metaKey: boolean, altKey: boolean, shiftKey: boolean}} event
 * @returns {Asked | null}
 */
export function commandOf(event) {
  const arrow = ARROWS[event.key];
  if (arrow) {
    const step = event.shiftKey ? 10 : 1;
    const name = event.altKey ? "grow" : event.ctrlKey || event.metaKey ? "growBack" : "nudge";
    return { name, by: [arrow[0] * step, arrow[1] * step], ...(event.repeat && { held: true }) };
  }
  const digit = /^Digit(\d)$/.exec(event.code ?? "")?.[1] ?? (/^\d$/.test(event.key) ? event.key : undefined);
  if (digit !== undefined && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    return { name: event.altKey ? "relabel" : "label", digit: (Number(digit) + 9) % 10 };
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const shift = event.shiftKey && (/^[a-z]$/.test(key) || key.length > 1);
  const control = event.ctrlKey || event.metaKey;
  const asked = `${control ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${shift ? "Shift+" : ""}${key}`;
  const found = COMMANDS.find((command) => command.keys.includes(asked));
  return found ? { name: found.name } : null;
}

/** The list of keys: group, then key and what it does. @returns {[string, [string, string][]][]} */
export function keyList() {
  return /** @type {const} */ (["draw", "see", "task"]).map((group) => [
    text(`keys.${group}`),
    [
      ...OTHERS.filter((other) => other[1] === group).map(
        ([name, , keys]) => /** @type {[string, string]} */ ([keys ?? text(`key.${name}.keys`), text(`key.${name}`)]),
      ),
      ...COMMANDS.filter((command) => command.group === group).map(
        ({ name, shown, keys }) => /** @type {[string, string]} */ ([shown ?? keys[0], text(`key.${name}`)]),
      ),
    ],
  ]);
}
