import { chartFont, drawGrid, drawStack, SPAN_MS } from "../shared/chart_style.js";
import { clearedContext, styleOf } from "../shared/dom.js";
import { Minute } from "./minute.js";

/**
 * The mean probabilities of everybody in view over the last minute, with the markers as lines. Nothing is drawn where
 * nothing was measured.
 *
 * @typedef {import("./minute.js").Shown} Shown
 * @typedef {import("./minute.js").Value} Value
 * @typedef {{at_ms: number, label: string}} Marker
 * @typedef {{width: number, height: number}} Size  in CSS pixels
 */

const FLAG_HEIGHT = 18;
const MAX_LABEL_WIDTH = 150;

export class GroupChart {
  #minute = new Minute();
  /** On the clock of `now_ms`. @type {Marker[]} */
  #markers = [];
  /** @type {Size} */
  #size = { width: 0, height: 0 };

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.resizing = new ResizeObserver(([{ contentRect: { width, height } }]) => (this.#size = { width, height }));
    this.resizing.observe(canvas);
  }

  /** @param {Value[]} past @param {number} now_ms */
  restore(past, now_ms) {
    this.#minute.restore(past, now_ms);
  }

  /** Forget the minute, as when the data of somebody in it were deleted. */
  clear() {
    this.#minute.clear();
  }

  /** @param {number} now_ms */
  isEmpty(now_ms) {
    return this.#minute.isEmpty(now_ms);
  }

  /** @param {Shown} shown @param {Marker[]} markers @param {number} now_ms */
  add(shown, markers, now_ms) {
    this.#markers = markers;
    this.#minute.add(shown, now_ms);
    const context = this.#size.width > 0 && clearedContext(this.canvas, this.#size);
    if (context) this.#draw(context, now_ms);
  }

  stop() {
    this.resizing.disconnect();
  }

  /** @param {CanvasRenderingContext2D} context @param {number} now_ms */
  #draw(context, now_ms) {
    const area = { left: 0, top: 0, ...this.#size };
    const points = this.#minute.values(now_ms).map(({ at_ms, value }) => ({ position: 1 - (now_ms - at_ms) / SPAN_MS, shares: value && value.probabilities }));
    drawStack(context, area, points);
    drawGrid(context, area, styleOf(this.canvas, "--ink"));
    this.#drawMarkers(context, now_ms);
  }

  /**
   * A line for each marker, and its label in the uppermost row with room for it, the newest first.
   * @param {CanvasRenderingContext2D} context @param {number} now_ms
   */
  #drawMarkers(context, now_ms) {
    const { width, height } = this.#size;
    const [ink, paper] = [styleOf(this.canvas, "--ink"), styleOf(this.canvas, "--surface")];
    /** @type {[from: number, to: number][][]} */
    const rows = Array.from({ length: Math.floor(height / FLAG_HEIGHT) }, () => []);
    context.font = chartFont(12, 600);
    for (const { at_ms, label } of [...this.#markers].reverse()) {
      const x = width * (1 - (now_ms - at_ms) / SPAN_MS);
      if (x < 0) continue;
      context.fillStyle = ink;
      context.fillRect(x, 0, 1.5, height);
      const text = shortened(label, context);
      const flag_width = context.measureText(text).width + 10;
      const left = x + flag_width > width ? x + 1.5 - flag_width : x;
      const row = rows.findIndex((taken) => taken.every(([from, to]) => left >= to || left + flag_width <= from));
      if (row < 0) continue;
      rows[row].push([left, left + flag_width]);
      context.fillRect(left, row * FLAG_HEIGHT, flag_width, FLAG_HEIGHT - 1);
      context.fillStyle = paper;
      context.fillText(text, left + 5, row * FLAG_HEIGHT + 13);
    }
  }
}

/** A label that fits on a flag. @param {string} label @param {CanvasRenderingContext2D} context */
function shortened(label, context) {
  let text = label;
  while (context.measureText(text).width > MAX_LABEL_WIDTH) text = `${text.slice(0, -2).trimEnd()}…`;
  return text;
}
