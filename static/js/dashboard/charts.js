import { columnsOf, drawGrid, drawStack, SPAN_MS } from "../shared/chart_style.js";
import { clearedContext, styleOf } from "../shared/dom.js";
import { COLOURS, LABELS } from "../shared/expressions.js";
import { RollingWindow } from "../shared/rolling_window.js";

/**
 * The small charts of the board, drawn again with every summary: a participant's expression with its valence,
 * and the mean probabilities of the group. Nothing is drawn where nothing was measured.
 *
 * @typedef {{probabilities: number[], valence: number} | null} Shown  in the order of LABELS; null: no face
 * @typedef {{position: number, value: Shown}} Point  `position` from 0, a minute ago, to 1, now
 * @typedef {{width: number, height: number}} Size  in CSS pixels
 */

/** Of the line between pleasant and unpleasant. */
const NO_VALENCE = "rgba(127, 127, 127, 0.55)";

const FLAG_HEIGHT = 18;
const MAX_LABEL_WIDTH = 150;

/** A longer time without a value is a gap in a line too. */
const MAX_STEP = 1000 / SPAN_MS;

/** Values that are closer together than this say the same. */
const SAME_MS = 500;

/** The values of the last minute, drawn on a canvas by `draw`. */
class History {
  /** @type {RollingWindow<Shown>} */
  #window = new RollingWindow(SPAN_MS);
  /** Asked for at each drawing it would lay out the page again, for each of thirty tiles. @type {Size} */
  #size = { width: 0, height: 0 };

  /** @param {HTMLCanvasElement} canvas @param {(context: CanvasRenderingContext2D, points: Point[], size: Size) => void} draw */
  constructor(canvas, draw) {
    this.canvas = canvas;
    this.draw = draw;
    this.resizing = new ResizeObserver(([{ contentRect }]) => (this.#size = contentRect));
    this.resizing.observe(canvas);
  }

  /** @param {Shown} shown @param {number} now_ms */
  add(shown, now_ms) {
    this.#window.add(shown, now_ms);
    const context = this.#size.width > 0 && clearedContext(this.canvas, this.#size);
    if (context) this.draw(context, this.#points(now_ms), this.#size);
  }

  /** Fill the gaps with what was measured before, or meanwhile. @param {{at_ms: number, value: Shown}[]} past @param {number} now_ms */
  restore(past, now_ms) {
    const known = [...this.#window.items(now_ms)];
    const taken = new Set(known.filter(({ value }) => value).map(({ at_ms }) => Math.round(at_ms / SAME_MS)));
    const missing = past.filter(({ at_ms }) => !taken.has(Math.round(at_ms / SAME_MS)) && at_ms <= now_ms);
    this.#window.clear();
    for (const { at_ms, value } of [...known, ...missing].sort((one, other) => one.at_ms - other.at_ms)) {
      this.#window.add(value, at_ms);
    }
  }

  /** Whether anything was measured. @param {number} now_ms */
  isEmpty(now_ms) {
    return this.#window.values(now_ms).every((value) => value === null);
  }

  /** @param {number} now_ms @returns {Point[]} */
  #points(now_ms) {
    return this.#window.items(now_ms).map(({ at_ms, value }) => ({ position: 1 - (now_ms - at_ms) / SPAN_MS, value }));
  }

  stop() {
    this.resizing.disconnect();
  }
}

/** Columns in the colour of the expression, as high as it is probable; over them the valence as a line. */
export class TileChart {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.history = new History(canvas, drawTile);
  }

  /** @param {{at_ms: number, value: Shown}[]} past @param {number} now_ms */
  restore(past, now_ms) {
    this.history.restore(past, now_ms);
  }

  /** @param {Shown} shown @param {number} now_ms */
  add(shown, now_ms) {
    this.history.add(shown, now_ms);
  }

  stop() {
    this.history.stop();
  }
}

/** The seven mean probabilities stacked, neutral at the bottom; markers as lines. */
export class GroupChart {
  /** @type {{at_ms: number, label: string}[]} on the clock of `now_ms` */
  #markers = [];
  #now_ms = 0;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.history = new History(canvas, (context, points, size) => {
      const area = { left: 0, top: 0, ...sizeOf(size) };
      drawStack(context, area, points.map(({ position, value }) => ({ position, shares: value && value.probabilities })));
      drawGrid(context, area, styleOf(canvas, "--ink"));
      this.#drawMarkers(context, size);
    });
  }

  /** @param {{at_ms: number, value: Shown}[]} past @param {number} now_ms */
  restore(past, now_ms) {
    this.history.restore(past, now_ms);
  }

  /** @param {number} now_ms */
  isEmpty(now_ms) {
    return this.history.isEmpty(now_ms);
  }

  /** @param {Shown} shown @param {{at_ms: number, label: string}[]} markers @param {number} now_ms */
  add(shown, markers, now_ms) {
    this.#markers = markers;
    this.#now_ms = now_ms;
    this.history.add(shown, now_ms);
  }

  stop() {
    this.history.stop();
  }

  /**
   * A line for each marker, and its label in the uppermost row with room for it, the newest first.
   * @param {CanvasRenderingContext2D} context @param {Size} size
   */
  #drawMarkers(context, { width, height }) {
    const [ink, paper] = [styleOf(this.canvas, "--ink"), styleOf(this.canvas, "--surface")];
    /** @type {[from: number, to: number][][]} */
    const rows = Array.from({ length: Math.floor(height / FLAG_HEIGHT) }, () => []);
    context.font = "600 12px system-ui, sans-serif";
    for (const { at_ms, label } of [...this.#markers].reverse()) {
      const x = width * (1 - (this.#now_ms - at_ms) / SPAN_MS);
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

/** @param {CanvasRenderingContext2D} context @param {Point[]} points @param {Size} size */
function drawTile(context, points, { width, height }) {
  const measured = points.map(({ position, value }) => ({ position, shares: value && value.probabilities }));
  for (const { left, right, shares } of columnsOf({ left: 0, top: 0, width, height }, measured)) {
    const best = shares.indexOf(Math.max(...shares));
    context.fillStyle = COLOURS[LABELS[best]];
    context.fillRect(left, height * (1 - shares[best]), right - left, shares[best] * height);
  }
  context.fillStyle = NO_VALENCE;
  context.fillRect(0, Math.round(height / 2), width, 1);
  drawValence(context, points, { width, height });
}

/** @param {CanvasRenderingContext2D} context @param {Point[]} points @param {Size} size */
function drawValence(context, points, { width, height }) {
  const path = new Path2D();
  let last = -Infinity; // where the line has come to
  for (const { position, value } of points) {
    if (!value) {
      last = -Infinity;
      continue;
    }
    const [x, y] = [position * width, (height * (1 - value.valence)) / 2];
    if (position - last > MAX_STEP) path.moveTo(x, y);
    else path.lineTo(x, y);
    last = position;
  }
  for (const [colour, line_width] of /** @type {const} */ ([["rgba(255, 255, 255, 0.9)", 4], ["#14161b", 1.75]])) {
    context.strokeStyle = colour;
    context.lineWidth = line_width;
    context.lineJoin = "round";
    context.stroke(path);
  }
}

/** A label that fits on a flag. @param {string} label @param {CanvasRenderingContext2D} context */
function shortened(label, context) {
  let text = label;
  while (context.measureText(text).width > MAX_LABEL_WIDTH) text = `${text.slice(0, -2).trimEnd()}…`;
  return text;
}

/** A size without the rest of a rectangle. @param {Size} size @returns {Size} */
function sizeOf({ width, height }) {
  return { width, height };
}
