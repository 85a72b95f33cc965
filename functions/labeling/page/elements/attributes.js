/** Reads what templates put into attributes: JSON, and what passes for it in the wild. */

/**
 * A list of labels: a JSON array, or the same with single quotes as Python and JavaScript write it.
 * @param {string | null} written @returns {string[] | null} null where it can't be read
 */
export function readLabels(written) {
  const found = readJson(written);
  if (!Array.isArray(found)) return null;
  const labels = found.map((each) => (typeof each === "object" && each !== null ? each.label : each));
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
    .filter((box) => box && typeof box.label === "string")
    .map((box) => ({ label: box.label, left: +box.left, top: +box.top, width: +box.width, height: +box.height }))
    .filter((box) => [box.left, box.top, box.width, box.height].every(Number.isFinite));
}

/** @param {string | null} written @returns {any} undefined where it can't be read */
export function readJson(written) {
  if (!written) return undefined;
  for (const candidate of [written, doubleQuoted(written)]) {
    try {
      return JSON.parse(candidate);
    } catch {
      // the next way to read it
    }
  }
  return undefined;
}

/** Single-quoted texts as JSON's; an apostrophe inside double quotes stays. @param {string} written */
function doubleQuoted(written) {
  return written
    .replace(/"(?:\\.|[^"\\])*"|'((?:\\.|[^'\\])*)'/g, (whole, inner) =>
      inner === undefined ? whole : JSON.stringify(inner.replace(/\\(['"\\])/g, "$1")),
    )
    .replace(/,\s*([\]}])/g, "$1");
}
