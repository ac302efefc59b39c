import { bucketed, chartFont, drawGrid, drawStack } from "../../shared/chart_style.js";
import { clearedContext } from "../../shared/dom.js";
import { LABELS } from "../../shared/expressions.js";
import { clockTime, formatPercent } from "../../shared/translate.js";

/**
 * The probabilities of the selected face over the whole video, as a slider along which one moves through it: the left
 * and right arrows go to the frames beside, up and down a second, the page keys ten seconds.
 *
 * @typedef {{t: number, value: Record<import("../../shared/protocol.js").Label, number> | null}} Sample
 * @typedef {object} Target  what is moved through
 * @property {number} time_s
 * @property {number} end_s
 * @property {(time_s: number) => void} seek
 * @property {(frames: 1 | -1) => void} step
 * @property {() => void} toggle  play, or pause
 */

const TEXT_PX = 13;
const AXIS_WIDTH_PX = 44;
const AXIS_HEIGHT_PX = 22;
const TICK_WIDTH_PX = 90;
const TICKS_S = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600];

/** @type {Record<string, number>} seconds by key */
const MOVES_S = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity };

export class Scrubber {
  #listening = new AbortController();
  #size = { width: 0, height: 0 };
  /** @type {readonly Sample[]} */
  #samples = [];
  #step_s = 0;

  /** @param {HTMLElement} slider with a canvas and the line of the present time @param {Target} target */
  constructor(slider, target) {
    const canvas = slider.querySelector("canvas");
    if (!canvas) throw new Error("The slider has no canvas.");
    this.slider = slider;
    this.canvas = canvas;
    this.target = target;
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.resizing = new ResizeObserver(([{ contentRect: { width, height } }]) => {
      this.#size = { width, height };
      this.#draw();
    });
  }

  start() {
    const { signal } = this.#listening;
    this.resizing.observe(this.canvas);
    this.dark.addEventListener("change", () => this.#draw(), { signal });
    this.slider.addEventListener("keydown", (event) => this.#onKey(event), { signal });
    this.slider.addEventListener("pointerdown", (event) => this.#onPointer(event), { signal });
    this.slider.addEventListener("pointermove", (event) => event.buttons > 0 && this.#onPointer(event), { signal });
  }

  stop() {
    this.resizing.disconnect();
    this.#listening.abort();
  }

  /** @param {readonly Sample[]} samples of the selected face @param {number} step_s between two frames */
  show(samples, step_s) {
    this.#samples = samples;
    this.#step_s = step_s;
    this.#draw();
  }

  /** Bring the line to the present time. */
  move() {
    const { time_s, end_s } = this.target;
    const { left, width } = this.#area;
    const across = `${(left + (end_s > 0 ? (width * time_s) / end_s : 0)).toFixed(1)}px`;
    if (this.slider.style.getPropertyValue("--at") !== across) this.slider.style.setProperty("--at", across);
  }

  /** Tell screen readers of the present time. @param {string} text what is seen at it */
  describe(text) {
    this.slider.setAttribute("aria-valuemax", this.target.end_s.toFixed(2));
    this.slider.setAttribute("aria-valuenow", this.target.time_s.toFixed(2));
    this.slider.setAttribute("aria-valuetext", text);
  }

  get #area() {
    const { width, height } = this.#size;
    return { left: AXIS_WIDTH_PX, top: 1, width: Math.max(1, width - AXIS_WIDTH_PX - 1), height: height - AXIS_HEIGHT_PX };
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const { key } = event;
    const { target } = this;
    if (key === "ArrowRight") target.step(1);
    else if (key === "ArrowLeft") target.step(-1);
    else if (key === " ") target.toggle();
    else if (key in MOVES_S) target.seek(Math.max(0, Math.min(target.end_s, target.time_s + MOVES_S[key])));
    else return;
    event.preventDefault();
  }

  /** @param {PointerEvent} event */
  #onPointer(event) {
    if (event.type === "pointerdown") this.slider.setPointerCapture(event.pointerId);
    const { left, width } = this.#area;
    const share = (event.clientX - this.canvas.getBoundingClientRect().left - left) / width;
    this.target.seek(Math.max(0, Math.min(1, share)) * this.target.end_s);
  }

  #draw() {
    const context = this.#size.width > 0 ? clearedContext(this.canvas, this.#size) : null;
    if (!context) return;
    const area = this.#area;
    const { end_s } = this.target;
    const ink = getComputedStyle(this.canvas).color; // follows high contrast too
    const step = Math.max(this.#step_s, 1e-6) / end_s;
    const points = this.#samples.map(({ t, value }) => ({
      position: t / end_s + step,
      shares: value && LABELS.map((label) => value[label]),
    }));
    const shown = bucketed(points, Math.floor(area.width * devicePixelRatio));
    drawStack(context, area, shown, { longest: 2.5 * Math.max(step, 1 / (area.width * devicePixelRatio)), single: step });
    const ticks = ticksOf(end_s, area.width);
    drawGrid(context, area, ink, ticks.map((seconds) => seconds / end_s));
    drawAxes(context, area, ink, ticks, end_s);
  }
}

/** Round times along the axis, not too close. @param {number} end_s @param {number} width */
export function ticksOf(end_s, width) {
  const count = Math.max(1, Math.floor(width / TICK_WIDTH_PX));
  const step = TICKS_S.find((seconds) => end_s / seconds <= count) ?? Math.ceil(end_s / count / 3600) * 3600;
  return Array.from({ length: Math.floor(end_s / step) + 1 }, (_, index) => index * step);
}

/**
 * @param {CanvasRenderingContext2D} context @param {import("../../shared/chart_style.js").Area} area
 * @param {string} ink @param {readonly number[]} ticks @param {number} end_s
 */
function drawAxes(context, { left, top, width, height }, ink, ticks, end_s) {
  context.font = chartFont(TEXT_PX);
  context.fillStyle = ink;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const share of [0, 0.5, 1]) {
    context.fillText(formatPercent(share), left - 6, Math.max(top + TEXT_PX / 2, top + height * (1 - share)));
  }
  context.textBaseline = "alphabetic";
  for (const seconds of ticks) {
    const across = left + (width * seconds) / end_s;
    context.textAlign = seconds === 0 ? "left" : across > left + width - 20 ? "right" : "center";
    context.fillText(clockTime(seconds, ticks[1] < 1 ? 1 : 0), across, top + height + AXIS_HEIGHT_PX - 6);
  }
}
