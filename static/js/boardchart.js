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
      context.fillRect(from * width, height - high, (to - from) * width + 0.5, high);
    }
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
        context.fillRect(from * width, height * (1 - below - share), (to - from) * width + 0.5, height * share + 0.5);
        below += share;
      }
    }
    this.#drawMarkers(context, width, height);
  }

  /** @param {CanvasRenderingContext2D} context @param {number} width @param {number} height */
  #drawMarkers(context, width, height) {
    const ink = inkOf(this.canvas);
    context.font = "600 12px system-ui, sans-serif";
    for (const { at_ms, label } of this.markers) {
      const x = width * (1 - (this.now_ms - at_ms) / SPAN_MS);
      if (x < 0) continue;
      context.fillStyle = ink;
      context.fillRect(x, 0, 1.5, height);
      const wide = context.measureText(label).width + 10;
      const left = Math.min(x, width - wide);
      context.fillRect(left, 0, wide, 18);
      context.fillStyle = inkOf(this.canvas, "--surface");
      context.fillText(label, left + 5, 13);
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
