/** A colour for each label: far apart for its neighbours, and bright enough on any picture beside a dark line. */
const FIRST = ["#ffb000", "#4dc3ff", "#ff6fae", "#7ee06a", "#c9a0ff", "#ff7a45", "#35e0c8", "#f4f06a", "#8fa8ff", "#e8e8e8"];

/** @param {number} number of the label, from 0 @returns {string} a CSS colour */
export function colourOf(number) {
  if (number < FIRST.length) return FIRST[number];
  return `hsl(${Math.round(number * 137.508) % 360} 85% ${number % 2 ? 60 : 74}%)`;
}
