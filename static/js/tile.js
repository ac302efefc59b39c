import { TileChart } from "./boardchart.js";
import { create, write } from "./dom.js";
import { nameOf, percent } from "./expressions.js";
import { LABELS } from "./protocol.js";
import { STANDS_OUT } from "./roomlive.js";

/**
 * One participant on the board.
 *
 * @typedef {object} TileData
 * @property {string} id
 * @property {string} alias
 * @property {string | null} warning
 * @property {import("./protocol.js").Label | null} expression
 * @property {number[] | null} probabilities  smoothed, in the order of LABELS
 * @property {number[] | null} relative       to the person's own neutral
 * @property {number | null} valence          -1 to 1
 * @property {number} frames_per_s
 * @property {number | null} latency_ms
 * @property {"none" | "running" | "set"} baseline
 */

/** @type {Record<string, string>} */
const WARNINGS = {
  left: "Left",
  "no frames": "No pictures",
  "no face": "No face",
  "several faces": "Several faces",
};

/** @type {Record<TileData["baseline"], string>} */
const BASELINES = { none: "", running: "Taking neutral …", set: "" };

export class Tile {
  /** @param {(what: "remove" | "delete", id: string, alias: string) => void} onRemove */
  constructor(onRemove) {
    this.root = create("li", "tile");
    this.swatch = create("span", "swatch");
    this.alias = create("span", "tile-alias");
    this.warning = create("span", "chip is-warning");
    this.name = create("span", "tile-name");
    this.number = create("span", "tile-number");
    this.relative = create("p", "tile-relative");
    this.canvas = create("canvas", "tile-canvas");
    this.facts = create("p", "tile-facts");
    this.data = /** @type {TileData | null} */ (null);
    this.#build(onRemove);
    this.chart = new TileChart(this.canvas);
  }

  /** @param {(what: "remove" | "delete", id: string, alias: string) => void} onRemove */
  #build(onRemove) {
    const head = create("div", "tile-head");
    const menu = create("details", "more is-small");
    const panel = create("div", "more-panel");
    for (const [what, text] of /** @type {const} */ ([["remove", "Remove"], ["delete", "Remove and delete data"]])) {
      const button = create("button", `button${what === "delete" ? " is-grave" : ""}`, text);
      button.type = "button";
      button.addEventListener("click", () => this.data && onRemove(what, this.data.id, this.data.alias));
      panel.append(button);
    }
    const dots = create("summary", "text-button", "⋯");
    dots.setAttribute("aria-label", "What can be done with this participant");
    menu.append(dots, panel);
    head.append(this.alias, this.warning, menu);
    const readout = create("p", "tile-readout");
    readout.append(this.swatch, this.name, this.number);
    this.canvas.setAttribute("role", "img");
    this.root.append(head, readout, this.relative, this.canvas, this.facts);
  }

  /** @param {TileData} data @param {number} now_ms */
  show(data, now_ms) {
    this.data = data;
    const { expression, probabilities, valence } = data;
    this.root.dataset.expression = expression ?? "";
    this.root.classList.toggle("is-away", data.warning === "left");
    write(this.alias, data.alias);
    write(this.warning, data.warning ? WARNINGS[data.warning] : "");
    this.warning.hidden = data.warning === null;
    write(this.name, expression ? nameOf(expression) : "–");
    write(this.number, expression && probabilities ? percent(probabilities[LABELS.indexOf(expression)]) : "");
    write(this.relative, relativeText(data));
    write(this.facts, factsOf(data));
    this.canvas.setAttribute("aria-label", `The last minute of ${data.alias}: expression and valence`);
    this.chart.add(probabilities && valence !== null ? { probabilities, valence } : null, now_ms);
  }
}

/** @param {TileData} data */
function relativeText({ relative, baseline }) {
  if (!relative) return BASELINES[baseline];
  const best = relative.indexOf(Math.max(...relative));
  return relative[best] < STANDS_OUT ? "Like own neutral" : `To own neutral: ${nameOf(LABELS[best])} ${percent(relative[best])}`;
}

/** @param {TileData} data */
function factsOf({ valence, frames_per_s, latency_ms }) {
  const signed = valence === null ? "–" : `${valence < 0 ? "−" : "+"}${Math.abs(valence).toFixed(2)}`;
  return `Valence ${signed} · ${frames_per_s.toFixed(0)}/s · ${latency_ms === null ? "–" : `${latency_ms} ms`}`;
}
