import { chartFont, drawGrid, drawStack, SPAN_MS, timeAcross } from "../../shared/chart_style.js";
import { COLOURS, LABELS, nameOf, textColourOn } from "../../shared/expressions.js";
import { formatPercent, t } from "../../shared/translate.js";

/**
 * The seven probabilities of one face over a minute, stacked, with a gap where no face was measured.
 *
 * @typedef {import("../../shared/protocol.js").Label} Label
 * @typedef {import("../../shared/chart_style.js").Area} Area
 * @typedef {Record<Label, number> | null} Probabilities  null: no face was in view
 * @typedef {{at_ms: number, value: Probabilities}} Sample
 * @typedef {{label: Label, from_ms: number, to_ms: number}} Interval
 */

/** Samples further apart than this have a gap between them, as after a pause. */
const MAX_STEP_MS = 1000;

const TEXT_PX = 13;
const CAPTION_MARGIN_PX = 6;
const AXIS_WIDTH_PX = 44;
const AXIS_HEIGHT_PX = 22;
const TICKS_S = [-60, -40, -20, 0];

/**
 * Draw the minute before `now_ms`, with its axes and the names of the leading expressions.
 * @param {CanvasRenderingContext2D} context @param {{width: number, height: number}} size to fill, from the origin on
 * @param {readonly Sample[]} samples @param {number} now_ms @param {string} ink the colour of text and lines
 */
export function drawMinute(context, { width, height }, samples, now_ms, ink) {
  const area = { left: AXIS_WIDTH_PX, top: 1, width: width - AXIS_WIDTH_PX - 1, height: height - AXIS_HEIGHT_PX };
  drawStack(context, area, samples.map(({ at_ms, value }) => ({
    position: 1 + (at_ms - now_ms) / SPAN_MS,
    shares: value && LABELS.map((label) => value[label]),
  })));
  drawGrid(context, area, ink);
  drawAxes(context, area, ink);
  nameLeaders(context, area, samples, now_ms);
}

/**
 * Name each expression once, in the longest stretch that it led.
 * @param {CanvasRenderingContext2D} context @param {Area} area @param {readonly Sample[]} samples @param {number} now_ms
 */
function nameLeaders(context, area, samples, now_ms) {
  context.font = chartFont(TEXT_PX, 600);
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const { label, from_ms, to_ms } of longest(leaders(samples))) {
    const width = (area.width * (to_ms - from_ms)) / SPAN_MS;
    const band = bandAt(samples, label, (from_ms + to_ms) / 2);
    const fits = context.measureText(nameOf(label)).width + 2 * CAPTION_MARGIN_PX <= width && band.share * area.height >= TEXT_PX + 2;
    if (!fits) continue;
    context.fillStyle = textColourOn(COLOURS[label]);
    const across = timeAcross(area, ((from_ms + to_ms) / 2 - now_ms) / 1000);
    context.fillText(nameOf(label), across, area.top + area.height * (1 - band.below - band.share / 2));
  }
}

/**
 * The intervals over which one expression was the most probable. Pure.
 * @param {readonly Sample[]} samples @returns {Interval[]}
 */
export function leaders(samples) {
  /** @type {{label: Label | null, from_ms: number, to_ms: number}[]} */
  const intervals = [];
  for (const { at_ms, value } of samples) {
    const label = value && LABELS.reduce((best, next) => (value[next] > value[best] ? next : best));
    const last = intervals.at(-1);
    const joined = last !== undefined && at_ms - last.to_ms <= MAX_STEP_MS;
    if (joined) last.to_ms = at_ms;
    if (!joined || last.label !== label) intervals.push({ label, from_ms: at_ms, to_ms: at_ms });
  }
  return intervals.flatMap(({ label, from_ms, to_ms }) => (label ? [{ label, from_ms, to_ms }] : []));
}

/** The longest interval of each expression. @param {readonly Interval[]} intervals @returns {Interval[]} */
export function longest(intervals) {
  /** @type {Map<Label, Interval>} */
  const found = new Map();
  for (const interval of intervals) {
    const best = found.get(interval.label);
    if (!best || interval.to_ms - interval.from_ms > best.to_ms - best.from_ms) found.set(interval.label, interval);
  }
  return [...found.values()];
}

/** Where an expression lies in the stack, at the sample next to a time. @param {readonly Sample[]} samples @param {Label} label @param {number} at_ms */
function bandAt(samples, label, at_ms) {
  const { value } = samples.reduce((best, next) => (Math.abs(next.at_ms - at_ms) < Math.abs(best.at_ms - at_ms) ? next : best));
  const under = LABELS.slice(LABELS.indexOf(label) + 1);
  return { share: value?.[label] ?? 0, below: under.reduce((sum, one) => sum + (value?.[one] ?? 0), 0) };
}

/** @param {CanvasRenderingContext2D} context @param {Area} area @param {string} ink */
function drawAxes(context, area, ink) {
  context.font = chartFont(TEXT_PX);
  context.fillStyle = ink;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const share of [0, 0.5, 1]) {
    const down = Math.max(area.top + TEXT_PX / 2, area.top + area.height * (1 - share));
    context.fillText(formatPercent(share), area.left - CAPTION_MARGIN_PX, down);
  }
  context.textBaseline = "alphabetic";
  for (const seconds of TICKS_S) {
    context.textAlign = seconds === 0 ? "right" : "center";
    const text = seconds === 0 ? t("now") : t("%(seconds)s s", { seconds });
    context.fillText(text, timeAcross(area, seconds), area.top + area.height + AXIS_HEIGHT_PX - CAPTION_MARGIN_PX);
  }
}
