import { COLOURS, LABELS } from "./expressions.js";

/**
 * How every chart over time looks: the last minute, the seven expressions stacked in their colours with neutral at
 * the bottom, hairlines for the grid, and nothing where nothing was measured.
 *
 * @typedef {{left: number, top: number, width: number, height: number}} Area  in CSS pixels
 * @typedef {{position: number, shares: readonly number[] | null}} Point
 *   `position` from 0, a minute ago, to 1, now; `shares` in the order of LABELS, null: nothing measured
 * @typedef {{left: number, right: number, shares: readonly number[]}} Column
 */

export const SPAN_MS = 60_000;

/** Values come four times a second; a longer step than this is drawn as a gap. */
export const MAX_STEP_MS = 1000;

/** Of a value that has no neighbour. */
const SINGLE_STEP = 250 / SPAN_MS;

/** In CSS pixels, as GRID_OPACITY, GRID_SHARES and FONT the same as in webapp/export/figures/style.py. */
const GRID_WIDTH = 1;
export const VALENCE_WIDTH = 1.75;
export const MARKER_WIDTH = 1.5;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const GRID_OPACITY = 0.16;
const GRID_SHARES = [0, 0.5, 1];
const GRID_SECONDS = [-60, -40, -20, 0];

/** @param {number} size in CSS pixels @param {number} [weight] */
export function chartFont(size, weight = 400) {
  return `${weight} ${size}px ${FONT}`;
}

/** Where a moment lies across a chart. @param {Area} area @param {number} seconds before now, negative */
export function timeAcross({ left, width }, seconds) {
  return left + width * (1 + (1000 * seconds) / SPAN_MS);
}

/**
 * Hairlines at every 20 seconds and at 0, 50 and 100%, in the colour of the text around the chart.
 * @param {CanvasRenderingContext2D} context @param {Area} area @param {string} ink
 */
export function drawGrid(context, area, ink) {
  const { left, top, width, height } = area;
  context.save();
  context.globalAlpha = GRID_OPACITY;
  context.fillStyle = ink;
  for (const share of GRID_SHARES) context.fillRect(left, onPixel(top + height * (1 - share)), width, GRID_WIDTH);
  for (const seconds of GRID_SECONDS) context.fillRect(onPixel(timeAcross(area, seconds)), top, GRID_WIDTH, height);
  context.restore();
}

/**
 * The stacked areas of the points that were measured.
 * @param {CanvasRenderingContext2D} context @param {Area} area @param {readonly Point[]} points
 */
export function drawStack(context, area, points) {
  const paths = LABELS.map(() => new Path2D());
  for (const { left, right, shares } of columnsOf(area, points)) {
    for (const { index, top, share } of stackOf(shares)) {
      paths[index].rect(left, area.top + area.height * top, right - left, area.height * share + 0.5);
    }
  }
  for (const [index, label] of [...LABELS.entries()].reverse()) {
    context.fillStyle = COLOURS[label];
    context.fill(paths[index]);
  }
}

/**
 * How shares lie on each other, neutral at the bottom: of each the index in LABELS, and its top and height from 0, the
 * chart's top, to 1.
 * @param {readonly number[]} shares
 */
export function stackOf(shares) {
  let below = 0;
  return [...LABELS.keys()].reverse().map((index) => {
    below += shares[index];
    return { index, top: 1 - below, share: shares[index] };
  });
}

/**
 * From where to where each measured value is drawn. Columns end at pixels of the display, or a seam would show
 * between two.
 * @param {Area} area @param {readonly Point[]} points @returns {Column[]}
 */
export function columnsOf({ left, width }, points) {
  const edge = (/** @type {number} */ position) => onPixel(left + Math.max(0, position) * width);
  return points.flatMap(({ position, shares }, index) => {
    if (!shares) return [];
    const step = index > 0 ? position - points[index - 1].position : Infinity;
    const from = position - (step * SPAN_MS > MAX_STEP_MS ? SINGLE_STEP : step);
    return [{ left: edge(from), right: edge(position), shares }];
  });
}

/** @param {number} across in CSS pixels */
function onPixel(across) {
  return Math.round(across * devicePixelRatio) / devicePixelRatio;
}
