/**
 * Boxes in whole pixels of the stored picture. A point's coordinates run from 0 to the picture's width or
 * height; edges lie between pixels, so a box from edge 3 to edge 5 is 2 pixels wide.
 *
 * @typedef {{left: number, top: number, width: number, height: number}} Box
 * @typedef {{x: number, y: number}} Point
 * @typedef {{width: number, height: number}} Size
 * @typedef {"n" | "ne" | "e" | "se" | "s" | "sw" | "w" | "nw"} Handle
 */

/** @type {Handle[]} corners first: on a small box they are easier to hit than the edges between them */
export const HANDLES = ["nw", "ne", "se", "sw", "n", "e", "s", "w"];

/** @param {number} value @param {number} least @param {number} most */
export function clamp(value, least, most) {
  return Math.min(most, Math.max(least, value));
}

/**
 * The box whose edges are the outermost of some points, at least 1 x 1 and inside the picture.
 * @param {Point[]} points @param {Size} size @returns {Box}
 */
export function boxAround(points, size) {
  const [left, width] = span(points.map((point) => point.x), size.width);
  const [top, height] = span(points.map((point) => point.y), size.height);
  return { left, top, width, height };
}

/** @param {number[]} values @param {number} most @returns {[number, number]} start and length */
function span(values, most) {
  const edges = values.map((value) => clamp(Math.round(value), 0, most));
  const start = Math.min(Math.min(...edges), most - 1);
  return [start, Math.max(1, Math.max(...edges) - start)];
}

/**
 * A box moved by whole pixels; it stops at the picture's edge and keeps its size.
 * @param {Box} box @param {number} dx @param {number} dy @param {Size} size @returns {Box}
 */
export function moved(box, dx, dy, size) {
  return {
    ...box,
    left: clamp(box.left + Math.round(dx), 0, size.width - box.width),
    top: clamp(box.top + Math.round(dy), 0, size.height - box.height),
  };
}

/**
 * A box with the edges that a handle names at a point. Every other edge stays exactly where it is.
 * @param {Box} box @param {Handle} handle @param {Point} to @param {Size} size @returns {Box}
 */
export function resized(box, handle, to, size) {
  const right = box.left + box.width;
  const bottom = box.top + box.height;
  const left = handle.includes("w") ? clamp(Math.round(to.x), 0, right - 1) : box.left;
  const top = handle.includes("n") ? clamp(Math.round(to.y), 0, bottom - 1) : box.top;
  const newRight = handle.includes("e") ? clamp(Math.round(to.x), left + 1, size.width) : right;
  const newBottom = handle.includes("s") ? clamp(Math.round(to.y), top + 1, size.height) : bottom;
  return { ...box, left, top, width: newRight - left, height: newBottom - top };
}

/** Where a handle sits. @param {Box} box @param {Handle} handle @returns {Point} */
export function handlePoint(box, handle) {
  const x = handle.includes("w") ? 0 : handle.includes("e") ? 1 : 0.5;
  const y = handle.includes("n") ? 0 : handle.includes("s") ? 1 : 0.5;
  return { x: box.left + x * box.width, y: box.top + y * box.height };
}

/**
 * The handle nearest to a point, within reach.
 * @param {Box} box @param {Point} point @param {number} reach in pixels of the picture @returns {Handle | null}
 */
export function handleAt(box, point, reach) {
  /** @type {Handle | null} */
  let nearest = null;
  let least = reach;
  for (const handle of HANDLES) {
    const at = handlePoint(box, handle);
    const far = Math.max(Math.abs(at.x - point.x), Math.abs(at.y - point.y));
    if (far < least) [nearest, least] = [handle, far];
  }
  return nearest;
}

/** @param {Box} box @param {Point} point */
export function contains(box, point) {
  return point.x >= box.left && point.x < box.left + box.width && point.y >= box.top && point.y < box.top + box.height;
}

/**
 * The boxes under a point, the smallest first: what lies inside another box can be reached.
 * @template {Box} B @param {readonly B[]} boxes @param {Point} point @returns {B[]}
 */
export function under(boxes, point) {
  return boxes.filter((box) => contains(box, point)).sort((a, b) => a.width * a.height - b.width * b.height);
}

/** Whether a box has whole pixels inside the picture. @param {Box} box @param {Size} size */
export function isInside(box, size) {
  return (
    [box.left, box.top, box.width, box.height].every(Number.isInteger) &&
    box.left >= 0 && box.top >= 0 && box.width >= 1 && box.height >= 1 &&
    box.left + box.width <= size.width && box.top + box.height <= size.height
  );
}

/** Whether any of a box lies on the picture, wherever its sides are. @param {Box} box @param {Size} size */
export function isSeen({ left, top, width, height }, size) {
  const right = Math.max(left, left + width);
  const bottom = Math.max(top, top + height);
  return Math.min(left, left + width) < size.width && Math.min(top, top + height) < size.height && right > 0 && bottom > 0;
}

/**
 * A box of somebody else's, brought to whole pixels inside the picture.
 * @param {Box} box @param {Size} size @returns {Box}
 */
export function snapped(box, size) {
  if (isInside(box, size)) return { left: box.left, top: box.top, width: box.width, height: box.height };
  const far = { x: box.left + box.width, y: box.top + box.height };
  return boxAround([{ x: box.left, y: box.top }, far], size);
}
