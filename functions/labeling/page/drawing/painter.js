/**
 * Paints what lies over the picture onto a canvas of the device's own pixels.
 *
 * @typedef {import("./geometry.js").Box} Box
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {{boxes: readonly ({id: number, label: string} & Box)[], selected: number | null,
 *   draft: {id: number | null, label: string, box: Box} | null, points: Point[], pointer: Point | null,
 *   hidden: boolean, dimmed: boolean, colour: (label: string) => string}} Scene
 */
import { HANDLES, handlePoint } from "./geometry.js";

/**
 * @param {HTMLCanvasElement} canvas @param {import("./viewport.js").Viewport} viewport
 * @param {Scene} scene @param {number} ratio device pixels for a CSS pixel
 */
export function paint(canvas, viewport, scene, ratio) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, viewport.stage.width, viewport.stage.height);
  const { draft } = scene;
  const shown = scene.hidden ? [] : scene.boxes.filter((box) => !draft || box.id !== draft.id);
  const current = draft?.box ?? scene.boxes.find((box) => box.id === scene.selected);
  if (scene.dimmed && current) dim(context, viewport, current);
  for (const box of shown) outline(context, viewport, box, scene.colour(box.label), box.id === scene.selected);
  if (draft) outline(context, viewport, draft.box, scene.colour(draft.label), true);
  if (current && !draft && !scene.hidden) handles(context, viewport, current);
  for (const point of scene.points) mark(context, viewport.toScreen(point));
  if (scene.pointer) crosshair(context, viewport, scene.pointer);
}

/** A box on the screen. @param {import("./viewport.js").Viewport} viewport @param {Box} box */
function onScreen(viewport, box) {
  const { x, y } = viewport.toScreen({ x: box.left, y: box.top });
  return { x, y, width: box.width * viewport.scale, height: box.height * viewport.scale };
}

/** @param {CanvasRenderingContext2D} context @param {import("./viewport.js").Viewport} viewport @param {Box} box @param {string} colour @param {boolean} strong */
function outline(context, viewport, box, colour, strong) {
  const { x, y, width, height } = onScreen(viewport, box);
  context.lineWidth = strong ? 5 : 4;
  context.strokeStyle = "rgb(0 0 0 / 0.65)";
  context.strokeRect(x, y, width, height);
  context.lineWidth = strong ? 2.5 : 1.75;
  context.strokeStyle = colour;
  context.strokeRect(x, y, width, height);
  if (!strong) return;
  context.globalAlpha = 0.12;
  context.fillStyle = colour;
  context.fillRect(x, y, width, height);
  context.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} context @param {import("./viewport.js").Viewport} viewport @param {Box} box */
function handles(context, viewport, box) {
  context.lineWidth = 1.5;
  context.strokeStyle = "#000";
  context.fillStyle = "#fff";
  for (const handle of HANDLES) {
    const { x, y } = viewport.toScreen(handlePoint(box, handle));
    context.fillRect(x - 4, y - 4, 8, 8);
    context.strokeRect(x - 4, y - 4, 8, 8);
  }
}

/** @param {CanvasRenderingContext2D} context @param {import("./viewport.js").Viewport} viewport @param {Box} box */
function dim(context, viewport, box) {
  const { x, y, width, height } = onScreen(viewport, box);
  context.beginPath();
  context.rect(0, 0, viewport.stage.width, viewport.stage.height);
  context.rect(x, y, width, height);
  context.fillStyle = "rgb(0 0 0 / 0.6)";
  context.fill("evenodd");
}

/** @param {CanvasRenderingContext2D} context @param {import("./viewport.js").Viewport} viewport @param {Point} at */
function crosshair(context, viewport, at) {
  for (const [width, style] of /** @type {[number, string][]} */ ([[3, "rgb(0 0 0 / 0.35)"], [1, "rgb(255 255 255 / 0.8)"]])) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.beginPath();
    context.moveTo(0, at.y);
    context.lineTo(viewport.stage.width, at.y);
    context.moveTo(at.x, 0);
    context.lineTo(at.x, viewport.stage.height);
    context.stroke();
  }
}

/** @param {CanvasRenderingContext2D} context @param {Point} at */
function mark(context, at) {
  context.beginPath();
  context.arc(at.x, at.y, 4, 0, 2 * Math.PI);
  context.fillStyle = "#fff";
  context.strokeStyle = "#000";
  context.lineWidth = 2;
  context.fill();
  context.stroke();
}
