import { COLOURS } from "./expressions.js";
import { LABELS } from "./protocol.js";
import { History } from "./history.js";

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
  }

  /** @param {Shown} shown @param {number} now_ms */
  add(shown, now_ms) {
    this.history.add(shown, now_ms);
    const context = prepare(this.canvas);
    if (context) this.draw(context, this.history.places(now_ms));
  }

  /** @param {CanvasRenderingContext2D} context @param {{place: number, value: Shown}[]} places */
  draw(context, places) {
    void context;
    void places;
  }
}

/** Columns in the colour of the expression, as high as it is probable; over them the valence as a line. */
export class TileChart extends BoardChart {
  /** @param {CanvasRenderingContext2D} context @param {{place: number, value: Shown}[]} places */
  draw(context, places) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    for (const { from, to, value } of columns(places)) {
      if (!value) continue;
      const best = value.probabilities.indexOf(Math.max(...value.probabilities));
      const high = value.probabilities[best] * height;
      context.fillStyle = COLOURS[LABELS[best]];
      context.fillRect(pixel(from * width), height - high, pixel(to * width) - pixel(from * width), high);
    }
    context.fillStyle = NO_VALENCE;
    context.fillRect(0, pixel(height / 2), width, 1);
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
    const { clientWidth: width, clientHeight: height } = this.canvas;
    for (const { from, to, value } of columns(places)) {
      let below = 0;
      for (const [index, share] of [...(value?.probabilities.entries() ?? [])].reverse()) {
        context.fillStyle = COLOURS[LABELS[index]];
        context.fillRect(pixel(from * width), height * (1 - below - share), pixel(to * width) - pixel(from * width), height * share + 0.5);
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

/** The edge of a pixel of the display: columns that end between two show a seam. @param {number} x */
function pixel(x) {
  return Math.round(x * devicePixelRatio) / devicePixelRatio;
}

/** From where to where each value counts, in shares of the span. @param {{place: number, value: Shown}[]} places */
function columns(places) {
  return places.map(({ place, value }, index) => ({
    from: Math.max(0, index > 0 ? Math.max(places[index - 1].place, place - WIDEST_STEP) : place - WIDEST_STEP / 4),
    to: place,
    value,
  }));
}

/** An empty canvas with as many pixels as the display has under it. @param {HTMLCanvasElement} canvas */
function prepare(canvas) {
  const width = Math.round(canvas.clientWidth * devicePixelRatio);
  const height = Math.round(canvas.clientHeight * devicePixelRatio);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context?.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  context?.clearRect(0, 0, width, height);
  return context;
}

/** A colour of the page's present scheme. @param {Element} near @param {string} [variable] */
function inkOf(near, variable = "--ink") {
  return getComputedStyle(near).getPropertyValue(variable).trim();
}
