/** Reads what templates put into attributes: JSON, and what passes for it in the wild. */

/**
 * A list of labels: a JSON array, or the same with single quotes as Python and JavaScript write it.
 * @param {string | null} written @returns {string[] | null} null where it can't be read
 */
export function readLabels(written) {
  const found = readJson(written);
  if (!Array.isArray(found)) return null;
  const named = found.map((each) => (typeof each === "object" && each !== null ? each.label : each));
  const labels = named.map((label) => (typeof label === "number" ? String(label) : label));
  return labels.every((label) => typeof label === "string") ? [...new Set(labels)] : null;
}

/**
 * @param {string | null} written
 * @returns {({label: string} & import("../drawing/geometry.js").Box)[]} boxes of an initial-value; what isn't one is left out
 */
export function readBoxes(written) {
  const found = readJson(written);
  if (!Array.isArray(found)) return [];
  return found
    .filter((box) => ["string", "number"].includes(typeof box?.label))
    .map(({ label, left, top, width, height }) => ({ label: String(label), left: number(left), top: number(top), width: number(width), height: number(height) }))
    .filter((box) => [box.left, box.top, box.width, box.height].every(Number.isFinite));
}

/** @param {unknown} written a number or its digits; nothing is no number @returns {number} */
function number(written) {
  return typeof written === "number" || (typeof written === "string" && written.trim()) ? Number(written) : NaN;
}

/** @param {string | null} written @returns {any} undefined where it can't be read */
export function readJson(written) {
  if (!written) return undefined;
  for (const candidate of [written, strict(written)]) {
    try {
      return JSON.parse(candidate);
    } catch {
      // the next way to read it
    }
  }
  return undefined;
}

/** A text in double quotes, one in single quotes, a name before a colon, a comma before a bracket. */
const LOOSE = /"(?:\\.|[^"\\])*"|'((?:\\.|[^'\\])*)'|([A-Za-z_$][\w$]*)(?=\s*:)|,(?=\s*[\]}])/g;

/**
 * As JSON has it: what a template's loop writes ends in a comma, and Ground Truth's guide names members without quotes.
 * What is inside of a text stays as it is.
 * @param {string} written
 */
function strict(written) {
  return written.replace(LOOSE, (whole, text, name) => {
    if (text !== undefined) return JSON.stringify(text.replace(/\\(['"\\])/g, "$1"));
    if (name !== undefined) return JSON.stringify(name);
    return whole === "," ? "" : whole;
  });
}
