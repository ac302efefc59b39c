import { COLOURS, LABELS } from "./expressions.js";

/**
 * How every chart over time looks: the last minute or a whole video, the seven expressions stacked in their colours with neutral at
 * the bottom, hairlines for the grid, and nothing where nothing was measured.
 *
 * @typedef {{left: number, top: number, width: number, height: number}} Area  in CSS pixels
 * @typedef {{position: number, shares: readonly number[] | null}} Point
 *   `position` from 0, at the start of the chart, to 1, at its end; `shares` in the order of LABELS, null: nothing measured
 * @typedef {{left: number, right: number, shares: readonly number[]}} Column
 */

export const SPAN_MS = 60_000;

/** Values come four times a second; a longer step than this is drawn as a gap. */
export const MAX_STEP_MS = 1000;

/**
 * Which steps between values are gaps, and how wide a value is that has no neighbour.
 * @typedef {{longest: number, single: number}} Steps  as fractions of the chart's width
 * @type {Steps}
 */
const LIVE_STEPS = { longest: MAX_STEP_MS / SPAN_MS, single: 250 / SPAN_MS };

/** In CSS pixels, as GRID_OPACITY, GRID_SHARES and FONT the same as in webapp/export/figures/style.py. */
const GRID_WIDTH = 1;
export const VALENCE_WIDTH = 1.75;
export const MARKER_WIDTH = 1.5;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const GRID_OPACITY = 0.16;
const GRID_SHARES = [0, 0.5, 1];
const GRID_POSITIONS = [0, 1 / 3, 2 / 3, 1];

/** @param {number} size in CSS pixels @param {number} [weight] */
export function chartFont(size, weight = 400) {
  return `${weight} ${size}px ${FONT}`;
}

/** Where a moment lies across a chart. @param {Area} area @param {number} seconds before now, negative */
export function timeAcross({ left, width }, seconds) {
  return left + width * (1 + (1000 * seconds) / SPAN_MS);
}

/**
 * Hairlines at 0, 50 and 100% and at some times, by default every 20 seconds, in the colour of the text around.
 * @param {CanvasRenderingContext2D} context @param {Area} area @param {string} ink
 * @param {readonly number[]} [positions] of the times, from 0 to 1
 */
export function drawGrid(context, area, ink, positions = GRID_POSITIONS) {
  const { left, top, width, height } = area;
  context.save();
  context.globalAlpha = GRID_OPACITY;
  context.fillStyle = ink;
  for (const share of GRID_SHARES) context.fillRect(left, onPixel(top + height * (1 - share)), width, GRID_WIDTH);
  for (const position of positions) context.fillRect(onPixel(left + width * position), top, GRID_WIDTH, height);
  context.restore();
}

/**
 * The stacked areas of the points that were measured.
 * @param {CanvasRenderingContext2D} context @param {Area} area @param {readonly Point[]} points @param {Steps} [steps]
 */
export function drawStack(context, area, points, steps = LIVE_STEPS) {
  const paths = LABELS.map(() => new Path2D());
  for (const { left, right, shares } of columnsOf(area, points, steps)) {
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
 * @param {Area} area @param {readonly Point[]} points @param {Steps} [steps] @returns {Column[]}
 */
export function columnsOf({ left, width }, points, steps = LIVE_STEPS) {
  const edge = (/** @type {number} */ position) => onPixel(left + Math.max(0, position) * width);
  return points.flatMap(({ position, shares }, index) => {
    if (!shares) return [];
    const step = index > 0 ? position - points[index - 1].position : Infinity;
    const from = position - (step > steps.longest ? steps.single : step);
    return [{ left: edge(from), right: edge(position), shares }];
  });
}

/**
 * At most `count` points: the means of those that lie closer together. What was measured at any time of a point's
 * width is shown there.
 * @param {readonly Point[]} points in the order of their positions @param {number} count @returns {readonly Point[]}
 */
export function bucketed(points, count) {
  if (points.length <= count) return points;
  /** @type {Map<number, Point[]>} */
  const buckets = new Map();
  for (const point of points) {
    const bucket = Math.ceil(point.position * count);
    buckets.set(bucket, [...(buckets.get(bucket) ?? []), point]);
  }
  return [...buckets].map(([bucket, within]) => ({ position: bucket / count, shares: meanOf(within.flatMap(({ shares }) => (shares ? [shares] : []))) }));
}

/** @param {readonly (readonly number[])[]} rows */
function meanOf(rows) {
  return rows.length === 0 ? null : rows[0].map((_, at) => rows.reduce((sum, row) => sum + row[at], 0) / rows.length);
}

/** @param {number} across in CSS pixels */
function onPixel(across) {
  return Math.round(across * devicePixelRatio) / devicePixelRatio;
}
