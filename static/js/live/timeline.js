import uPlot from "/static/vendor/uPlot.esm.js";
import { COLOURS, nameOf } from "../shared/expressions.js";
import { LABELS } from "../shared/protocol.js";

/**
 * The seven probabilities of the selected face over the last minute.
 *
 * @typedef {import("../shared/protocol.js").Label} Label
 * @typedef {{at_s: number, probabilities: Record<Label, number> | null}} Sample  null: no face was in view
 */

const SPAN_S = 60;

/** An expression that led for this long gets its name written at its line, so that colour is not all. */
const NAMED_AFTER_S = 4;

export class Chart {
  /** @type {Sample[]} */
  #samples = [];

  /** @param {HTMLElement} container */
  constructor(container) {
    this.container = container;
    this.plot = new uPlot(options(this.#size, textSize(container), (plot) => this.#nameLeaders(plot)), emptyData(), container);
    this.resizing = new ResizeObserver(() => this.plot.setSize(this.#size));
    this.resizing.observe(container);
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.plot.redraw();
    this.dark.addEventListener("change", this.redraw);
  }

  get #size() {
    return { width: Math.max(1, this.container.clientWidth), height: Math.max(1, this.container.clientHeight) };
  }

  /** @param {Record<Label, number> | null} probabilities @param {number} now_ms */
  add(probabilities, now_ms) {
    const at_s = now_ms / 1000;
    this.#samples.push({ at_s, probabilities });
    this.#samples = this.#samples.filter((sample) => at_s - sample.at_s <= SPAN_S);
    const values = LABELS.map((label) => this.#samples.map((sample) => sample.probabilities?.[label] ?? null));
    this.plot.setData([this.#samples.map((sample) => sample.at_s - at_s), ...values]);
  }

  /** Begin anew, as with another face. */
  clear() {
    this.#samples = [];
    this.plot.setData(emptyData());
  }

  stop() {
    this.resizing.disconnect();
    this.dark.removeEventListener("change", this.redraw);
    this.plot.destroy();
  }

  /** Write the name of each expression that led for a while over its line. @param {uPlot} plot */
  #nameLeaders(plot) {
    const now_s = this.#samples.at(-1)?.at_s ?? 0;
    const { ctx } = plot;
    ctx.save();
    ctx.font = `600 ${textSize(this.container) * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "center";
    ctx.fillStyle = inkOf(plot.root, "--ink");
    for (const { label, from_s, to_s } of leaders(this.#samples)) {
      if (to_s - from_s < NAMED_AFTER_S) continue;
      ctx.fillText(nameOf(label), plot.valToPos((from_s + to_s) / 2 - now_s, "x", true), plot.bbox.top - 6 * devicePixelRatio);
    }
    ctx.restore();
  }
}

/**
 * The stretches over which one expression was the most probable. Pure.
 * @param {Sample[]} samples
 */
export function leaders(samples) {
  /** @type {{label: Label | null, from_s: number, to_s: number}[]} */
  const stretches = [];
  for (const { at_s, probabilities } of samples) {
    const label = probabilities && LABELS.reduce((best, next) => (probabilities[next] > probabilities[best] ? next : best));
    const last = stretches.at(-1);
    if (last) last.to_s = at_s;
    if (last?.label !== label) stretches.push({ label, from_s: at_s, to_s: at_s });
  }
  return stretches.flatMap(({ label, from_s, to_s }) => (label ? [{ label, from_s, to_s }] : []));
}

/** @returns {uPlot.AlignedData} */
function emptyData() {
  return [[], ...LABELS.map(() => [])];
}

/**
 * @param {{width: number, height: number}} size
 * @param {number} text_px
 * @param {(plot: uPlot) => void} afterDraw
 * @returns {uPlot.Options}
 */
function options(size, text_px, afterDraw) {
  const axis = {
    stroke: (/** @type {uPlot} */ plot) => inkOf(plot.root, "--ink-soft"),
    grid: { stroke: (/** @type {uPlot} */ plot) => inkOf(plot.root, "--line"), width: 1 },
    ticks: { show: false },
    font: `${text_px}px system-ui, sans-serif`,
  };
  return {
    ...size,
    padding: [1.7 * text_px, text_px, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [-SPAN_S, 0] }, y: { range: [0, 1] } },
    axes: [
      { ...axis, size: 2 * text_px, splits: () => [-60, -40, -20, 0], values: (_, seconds) => seconds.map((s) => (s === 0 ? "now" : `${s} s`)) },
      { ...axis, size: 3.7 * text_px, splits: () => [0, 0.5, 1], values: (_, shares) => shares.map((share) => `${100 * share}%`) },
    ],
    series: [{}, ...LABELS.map((label) => ({ label, stroke: COLOURS[label], width: 2, points: { show: false } }))],
    hooks: { draw: [afterDraw] },
  };
}

/** A colour of the page's present scheme. @param {Element} near @param {string} variable */
function inkOf(near, variable) {
  return getComputedStyle(near).getPropertyValue(variable).trim();
}

/** Small text beside the text around it. @param {Element} near @returns {number} pixels */
function textSize(near) {
  return Math.round(0.75 * parseFloat(getComputedStyle(near).fontSize));
}
