import { COLOURS } from "../shared/expressions.js";
import { LABELS } from "../shared/protocol.js";
import { History } from "../shared/history.js";

/**
 * The small charts of the board, drawn anew with every summary: a participant's expression with its valence,
 * and the shares of the group.
 *
 * @typedef {{probabilities: number[], valence: number} | null} Shown  in the order of LABELS; null: no face
 */

export const SPAN_MS = 60_000;

/** Of the line between pleasant and unpleasant. */
const NO_VALENCE = "rgba(127, 127, 127, 0.55)";

const FLAG_HEIGHT = 18;
const WIDEST_LABEL = 150;

/** Two summaries may come late; a longer gap is drawn as one. */
const WIDEST_STEP = 1000 / SPAN_MS;

class BoardChart {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.history = new History(SPAN_MS);
    /** In CSS pixels; asked for at each drawing they would lay the page out anew, for each of thirty tiles. */
    this.width = this.height = 0;
    new ResizeObserver(([{ contentRect }]) => {
      [this.width, this.height] = [contentRect.width, contentRect.height];
    }).observe(canvas);
  }

  /** @param {Shown} shown @param {number} now_ms */
  add(shown, now_ms) {
    this.history.add(shown, now_ms);
    const context = this.width > 0 && this.#prepare();
    if (context) this.draw(context, this.history.places(now_ms));
  }

  /** @param {CanvasRenderingContext2D} context @param {{place: number, value: Shown}[]} places */
  draw(context, places) {
    void context;
    void places;
  }

  /** An empty canvas with as many pixels as the display has under it. */
  #prepare() {
    const { canvas, width, height } = this;
    const ratio = devicePixelRatio;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
    const context = canvas.getContext("2d");
    context?.setTransform(ratio, 0, 0, ratio, 0, 0);
    context?.clearRect(0, 0, width, height);
    return context;
  }
}

/** Columns in the colour of the expression, as high as it is probable; over them the valence as a line. */
export class TileChart extends BoardChart {
  /** @param {CanvasRenderingContext2D} context @param {{place: number, value: Shown}[]} places */
  draw(context, places) {
    const { width, height } = this;
    for (const { left, right, value } of columns(places, width)) {
      if (!value) continue;
      const best = value.probabilities.indexOf(Math.max(...value.probabilities));
      const high = value.probabilities[best] * height;
      context.fillStyle = COLOURS[LABELS[best]];
      context.fillRect(left, height - high, right - left, high);
    }
    context.fillStyle = NO_VALENCE;
    context.fillRect(0, Math.round(height / 2), width, 1);
    valenceLine(context, places, width, height);
  }
}

/** The shares of the seven expressions, one upon the other, neutral at the bottom; markers as lines. */
export class GroupChart extends BoardChart {
  /** @type {{at_ms: number, label: string}[]} on the clock of `now_ms` */
  markers = [];
  now_ms = 0;

  /** @param {CanvasRenderingContext2D} context @param {{place: number, value: Shown}[]} places */
  draw(context, places) {
    const { width, height } = this;
    for (const { left, right, value } of columns(places, width)) {
      let below = 0;
      for (const [index, share] of [...(value?.probabilities.entries() ?? [])].reverse()) {
        context.fillStyle = COLOURS[LABELS[index]];
        context.fillRect(left, height * (1 - below - share), right - left, height * share + 0.5);
        below += share;
      }
    }
    this.#drawMarkers(context, width, height);
  }

  /** @param {CanvasRenderingContext2D} context @param {number} width @param {number} height */
  /** A line for each marker, and its label in the uppermost row with room for it, the newest first. @param {CanvasRenderingContext2D} context @param {number} width @param {number} height */
  #drawMarkers(context, width, height) {
    const [ink, paper] = [inkOf(this.canvas), inkOf(this.canvas, "--surface")];
    /** @type {[from: number, to: number][][]} */
    const rows = Array.from({ length: Math.floor(height / FLAG_HEIGHT) }, () => []);
    context.font = "600 12px system-ui, sans-serif";
    for (const { at_ms, label } of [...this.markers].reverse()) {
      const x = width * (1 - (this.now_ms - at_ms) / SPAN_MS);
      if (x < 0) continue;
      context.fillStyle = ink;
      context.fillRect(x, 0, 1.5, height);
      const text = shortened(label, context);
      const wide = context.measureText(text).width + 10;
      const left = x + wide > width ? x + 1.5 - wide : x;
      const row = rows.findIndex((taken) => taken.every(([from, to]) => left >= to || left + wide <= from));
      if (row < 0) continue;
      rows[row].push([left, left + wide]);
      context.fillRect(left, row * FLAG_HEIGHT, wide, FLAG_HEIGHT - 1);
      context.fillStyle = paper;
      context.fillText(text, left + 5, row * FLAG_HEIGHT + 13);
    }
  }
}

/** @param {CanvasRenderingContext2D} context @param {{place: number, value: Shown}[]} places @param {number} width @param {number} height */
function valenceLine(context, places, width, height) {
  const path = new Path2D();
  let pen = false;
  for (const { place, value } of places) {
    const x = place * width;
    const y = value ? (height * (1 - value.valence)) / 2 : 0;
    if (value && pen) path.lineTo(x, y);
    else if (value) path.moveTo(x, y);
    pen = value !== null;
  }
  for (const [colour, wide] of /** @type {const} */ ([["rgba(255, 255, 255, 0.9)", 4], ["#14161b", 1.75]])) {
    context.strokeStyle = colour;
    context.lineWidth = wide;
    context.lineJoin = "round";
    context.stroke(path);
  }
}

/** A label that fits on a flag. @param {string} label @param {CanvasRenderingContext2D} context */
function shortened(label, context) {
  let text = label;
  while (context.measureText(text).width > WIDEST_LABEL) text = `${text.slice(0, -2).trimEnd()}…`;
  return text;
}

/**
 * From where to where each value counts. Columns end with pixels of the display: between two they would show a seam.
 * @param {{place: number, value: Shown}[]} places
 * @param {number} width
 */
function columns(places, width) {
  const ratio = devicePixelRatio;
  const edge = (/** @type {number} */ share) => Math.round(Math.max(0, share) * width * ratio) / ratio;
  return places.map(({ place, value }, index) => {
    const from = index > 0 ? Math.max(places[index - 1].place, place - WIDEST_STEP) : place - WIDEST_STEP / 4;
    return { left: edge(from), right: edge(place), value };
  });
}

/** A colour of the page's present scheme. @param {Element} near @param {string} [variable] */
function inkOf(near, variable = "--ink") {
  return getComputedStyle(near).getPropertyValue(variable).trim();
}
