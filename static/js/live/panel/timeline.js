import { SPAN_MS } from "../../shared/chart_style.js";
import { clearedContext } from "../../shared/dom.js";
import { drawMinute } from "./minute_chart.js";
import { RollingWindow } from "../../shared/rolling_window.js";

/**
 * The probabilities of the selected face over the last minute.
 *
 * @typedef {import("./minute_chart.js").Probabilities} Probabilities
 */
export class Timeline {
  /** @type {RollingWindow<Probabilities>} */
  #window = new RollingWindow(SPAN_MS);
  #now_ms = 0;
  #size = { width: 0, height: 0 };

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.#draw();
    this.dark.addEventListener("change", this.redraw);
    this.resizing = new ResizeObserver(([{ contentRect }]) => {
      this.#size = contentRect;
      this.#draw();
    });
    this.resizing.observe(canvas);
  }

  /** @param {Probabilities} probabilities @param {number} now_ms */
  add(probabilities, now_ms) {
    this.#window.add(probabilities, now_ms);
    this.#now_ms = now_ms;
    this.#draw();
  }

  /** Start over, as for another face. */
  clear() {
    this.#window.clear();
    this.#draw();
  }

  stop() {
    this.resizing.disconnect();
    this.dark.removeEventListener("change", this.redraw);
  }

  /** What the chart shows, and at what time it ends. */
  get shown() {
    return { samples: this.#window.items(this.#now_ms), now_ms: this.#now_ms };
  }

  #draw() {
    const context = this.#size.width > 0 ? clearedContext(this.canvas, this.#size) : null;
    if (!context) return;
    const { samples, now_ms } = this.shown;
    drawMinute(context, this.#size, samples, now_ms, getComputedStyle(this.canvas).color); // follows high contrast too
  }
}
