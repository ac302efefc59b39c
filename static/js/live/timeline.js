import uPlot from "/static/vendor/uPlot.esm.js";
import { styleOf } from "../shared/dom.js";
import { COLOURS, LABELS, nameOf } from "../shared/expressions.js";
import { RollingWindow } from "../shared/rolling_window.js";

/**
 * The seven probabilities of the selected face over the last minute.
 *
 * @typedef {import("../shared/protocol.js").Label} Label
 * @typedef {Record<Label, number> | null} Probabilities  null: no face was in view
 * @typedef {{at_ms: number, value: Probabilities}} Sample
 */

const SPAN_S = 60;

/** An expression that leads for this long is named over its line, so that colour alone does not tell it. */
const MIN_NAMED_S = 4;

export class Timeline {
  /** @type {RollingWindow<Probabilities>} */
  #window = new RollingWindow(1000 * SPAN_S);
  #now_ms = 0;

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

  /** @param {Probabilities} probabilities @param {number} now_ms */
  add(probabilities, now_ms) {
    this.#window.add(probabilities, now_ms);
    this.#now_ms = now_ms;
    const samples = this.#window.items(now_ms);
    const lines = LABELS.map((label) => samples.map(({ value }) => value?.[label] ?? null));
    this.plot.setData([samples.map(({ at_ms }) => (at_ms - now_ms) / 1000), ...lines]);
  }

  /** Start over, as for another face. */
  clear() {
    this.#window.clear();
    this.plot.setData(emptyData());
  }

  stop() {
    this.resizing.disconnect();
    this.dark.removeEventListener("change", this.redraw);
    this.plot.destroy();
  }

  /** Name each expression that led for a while over its line. @param {uPlot} plot */
  #nameLeaders(plot) {
    const { ctx } = plot;
    ctx.save();
    ctx.font = `600 ${textSize(this.container) * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "center";
    ctx.fillStyle = styleOf(plot.root, "--ink");
    for (const { label, from_ms, to_ms } of leaders(this.#window.items(this.#now_ms))) {
      if (to_ms - from_ms < 1000 * MIN_NAMED_S) continue;
      const center_s = ((from_ms + to_ms) / 2 - this.#now_ms) / 1000;
      ctx.fillText(nameOf(label), plot.valToPos(center_s, "x", true), plot.bbox.top - 6 * devicePixelRatio);
    }
    ctx.restore();
  }
}

/**
 * The intervals over which one expression was the most probable. Pure.
 * @param {readonly Sample[]} samples
 */
export function leaders(samples) {
  /** @type {{label: Label | null, from_ms: number, to_ms: number}[]} */
  const intervals = [];
  for (const { at_ms, value } of samples) {
    const label = value && LABELS.reduce((best, next) => (value[next] > value[best] ? next : best));
    const last = intervals.at(-1);
    if (last) last.to_ms = at_ms;
    if (last?.label !== label) intervals.push({ label, from_ms: at_ms, to_ms: at_ms });
  }
  return intervals.flatMap(({ label, from_ms, to_ms }) => (label ? [{ label, from_ms, to_ms }] : []));
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
    stroke: (/** @type {uPlot} */ plot) => styleOf(plot.root, "--ink-soft"),
    grid: { stroke: (/** @type {uPlot} */ plot) => styleOf(plot.root, "--line"), width: 1 },
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
      { ...axis, size: 3.7 * text_px, splits: () => [0, 0.5, 1], values: (_, fractions) => fractions.map((fraction) => `${100 * fraction}%`) },
    ],
    series: [{}, ...LABELS.map((label) => ({ label, stroke: COLOURS[label], width: 2, points: { show: false } }))],
    hooks: { draw: [afterDraw] },
  };
}

/** The size of small text next to the text of an element. @param {Element} near @returns {number} pixels */
function textSize(near) {
  return Math.round(0.75 * parseFloat(getComputedStyle(near).fontSize));
}
