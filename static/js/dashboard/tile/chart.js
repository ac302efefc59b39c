import { drawGrid, MAX_STEP_MS, SPAN_MS, stackOf } from "../../shared/chart_style.js";
import { clearedContext, styleOf } from "../../shared/dom.js";
import { COLOURS, LABELS } from "../../shared/expressions.js";
import { Minute } from "../minute.js";

/**
 * A participant's last minute as every chart shows it, and over it the valence as a line.
 *
 * Thirty of them are drawn four times a second. So the stack is kept on a strip of its own, one pixel wide for each
 * step of time, in a ring: a new value costs seven rectangles, and to draw the minute is to copy two parts of the
 * strip.
 *
 * @typedef {import("../minute.js").Shown} Shown
 * @typedef {import("../minute.js").Value} Value
 */

const STEP_MS = 250;
const STEPS = SPAN_MS / STEP_MS;

/** Of the line between pleasant and unpleasant: a light border under a dark line shows on every colour. */
const VALENCE_STROKES = /** @type {const} */ ([["rgba(255, 255, 255, 0.9)", 4], ["#14161b", 1.75]]);

export class TileChart {
  #minute = new Minute();
  /** Asked for at each drawing it would lay out the page again, for each of thirty tiles. */
  #size = { width: 0, height: 0 };
  #ink = "";
  /** The value before, and its step of time. */
  #last = { step: -Infinity, at_ms: -Infinity };

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.strip = Object.assign(document.createElement("canvas"), { width: STEPS, height: 0 });
    this.resizing = new ResizeObserver(([{ contentRect: { width, height } }]) => this.#resize(width, height));
    this.resizing.observe(canvas);
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.onScheme = () => (this.#ink = styleOf(canvas, "--ink"));
    this.dark.addEventListener("change", this.onScheme);
  }

  stop() {
    this.resizing.disconnect();
    this.dark.removeEventListener("change", this.onScheme);
  }

  /** @param {Shown} shown @param {number} now_ms */
  add(shown, now_ms) {
    this.#minute.add(shown, now_ms);
    this.#extend(shown, now_ms);
    this.#draw(now_ms);
  }

  /** @param {Value[]} past @param {number} now_ms */
  restore(past, now_ms) {
    this.#minute.restore(past, now_ms);
    this.#renew(now_ms);
  }

  /** @param {number} width @param {number} height */
  #resize(width, height) {
    this.#size = { width, height };
    this.#ink = styleOf(this.canvas, "--ink");
    this.strip.height = Math.round(height * devicePixelRatio);
    this.#renew(performance.now());
  }

  /** Draw the whole strip. @param {number} now_ms */
  #renew(now_ms) {
    this.strip.getContext("2d")?.clearRect(0, 0, STEPS, this.strip.height);
    this.#last = { step: -Infinity, at_ms: -Infinity };
    for (const { at_ms, value } of this.#minute.values(now_ms)) this.#extend(value, at_ms);
  }

  /** Draw the steps from the value before to this one; after a longer time they are a gap. @param {Shown} shown @param {number} at_ms */
  #extend(shown, at_ms) {
    const context = this.strip.getContext("2d");
    const step = Math.floor(at_ms / STEP_MS);
    const isGap = at_ms - this.#last.at_ms > MAX_STEP_MS;
    for (let at = Math.max(this.#last.step + 1, step - STEPS + 1); at < step; at += 1) {
      if (context) drawColumn(context, at, isGap ? null : shown, this.strip.height);
    }
    if (context) drawColumn(context, step, shown, this.strip.height);
    this.#last = { step, at_ms };
  }

  /** @param {number} now_ms */
  #draw(now_ms) {
    const { width, height } = this.#size;
    const context = width > 0 && this.strip.height > 0 ? clearedContext(this.canvas, this.#size) : null;
    if (!context) return;
    const newest = columnOf(this.#last.step) + 1;
    const older = (width * (STEPS - newest)) / STEPS;
    context.imageSmoothingEnabled = false;
    if (newest < STEPS) context.drawImage(this.strip, newest, 0, STEPS - newest, this.strip.height, 0, 0, older, height);
    context.drawImage(this.strip, 0, 0, newest, this.strip.height, older, 0, width - older, height);
    drawGrid(context, { left: 0, top: 0, width, height }, this.#ink);
    drawValence(context, this.#minute.values(now_ms), now_ms, this.#size);
  }
}

/** Where a step of time lies on the ring. What was measured before the page was opened has steps below 0. @param {number} step */
function columnOf(step) {
  return ((step % STEPS) + STEPS) % STEPS;
}

/**
 * One step of time on the strip.
 * @param {CanvasRenderingContext2D} context @param {number} step @param {Shown} shown @param {number} height
 */
function drawColumn(context, step, shown, height) {
  const across = columnOf(step);
  context.clearRect(across, 0, 1, height);
  for (const { index, top, share } of shown ? stackOf(shown.probabilities) : []) {
    context.fillStyle = COLOURS[LABELS[index]];
    context.fillRect(across, height * top, 1, height * share + 0.5);
  }
}

/**
 * @param {CanvasRenderingContext2D} context @param {readonly Value[]} values @param {number} now_ms
 * @param {{width: number, height: number}} size
 */
function drawValence(context, values, now_ms, { width, height }) {
  const path = new Path2D();
  let last_ms = -Infinity; // where the line has come to
  for (const { at_ms, value } of values) {
    if (!value) {
      last_ms = -Infinity;
      continue;
    }
    const [x, y] = [width * (1 - (now_ms - at_ms) / SPAN_MS), (height * (1 - value.valence)) / 2];
    if (at_ms - last_ms > MAX_STEP_MS) path.moveTo(x, y);
    else path.lineTo(x, y);
    last_ms = at_ms;
  }
  context.lineJoin = "round";
  for (const [colour, line_width] of VALENCE_STROKES) {
    context.strokeStyle = colour;
    context.lineWidth = line_width;
    context.stroke(path);
  }
}
