import { clearedContext, styleOf } from "../shared/dom.js";
import { COLOURS, LABELS } from "../shared/expressions.js";
import { RollingWindow } from "../shared/rolling_window.js";

/**
 * The small charts of the board, drawn again with every summary: a participant's expression with its valence,
 * and the mean probabilities of the group.
 *
 * @typedef {{probabilities: number[], valence: number} | null} Shown  in the order of LABELS; null: no face
 * @typedef {{position: number, value: Shown}} Point  `position` from 0, a minute ago, to 1, now
 * @typedef {{width: number, height: number}} Size  in CSS pixels
 */

export const SPAN_MS = 60_000;

/** Of the line between pleasant and unpleasant. */
const NO_VALENCE = "rgba(127, 127, 127, 0.55)";

const FLAG_HEIGHT = 18;
const MAX_LABEL_WIDTH = 150;

/** Two summaries may come late; a longer gap is drawn as one. */
const MAX_STEP = 1000 / SPAN_MS;

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
      drawStack(context, points, size);
      this.#drawMarkers(context, size);
    });
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
  for (const { left, right, value } of columns(points, width)) {
    if (!value) continue;
    const best = value.probabilities.indexOf(Math.max(...value.probabilities));
    const column_height = value.probabilities[best] * height;
    context.fillStyle = COLOURS[LABELS[best]];
    context.fillRect(left, height - column_height, right - left, column_height);
  }
  context.fillStyle = NO_VALENCE;
  context.fillRect(0, Math.round(height / 2), width, 1);
  drawValence(context, points, { width, height });
}

/** @param {CanvasRenderingContext2D} context @param {Point[]} points @param {Size} size */
function drawStack(context, points, { width, height }) {
  for (const { left, right, value } of columns(points, width)) {
    let below = 0;
    for (const [index, probability] of [...(value?.probabilities.entries() ?? [])].reverse()) {
      context.fillStyle = COLOURS[LABELS[index]];
      context.fillRect(left, height * (1 - below - probability), right - left, height * probability + 0.5);
      below += probability;
    }
  }
}

/** @param {CanvasRenderingContext2D} context @param {Point[]} points @param {Size} size */
function drawValence(context, points, { width, height }) {
  const path = new Path2D();
  let drawing = false;
  for (const { position, value } of points) {
    const x = position * width;
    const y = value ? (height * (1 - value.valence)) / 2 : 0;
    if (value && drawing) path.lineTo(x, y);
    else if (value) path.moveTo(x, y);
    drawing = value !== null;
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

/**
 * From where to where each value is drawn. Columns end at pixels of the display, or a seam would show between two.
 * @param {Point[]} points
 * @param {number} width
 */
function columns(points, width) {
  const ratio = devicePixelRatio;
  const edge = (/** @type {number} */ position) => Math.round(Math.max(0, position) * width * ratio) / ratio;
  return points.map(({ position, value }, index) => {
    const from = index > 0 ? Math.max(points[index - 1].position, position - MAX_STEP) : position - MAX_STEP / 4;
    return { left: edge(from), right: edge(position), value };
  });
}
