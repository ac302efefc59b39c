import { TileChart } from "./charts.js";
import { create, write } from "../shared/dom.js";
import { LABELS, MIN_RELATIVE, nameOf } from "../shared/expressions.js";
import { formatNumber, formatPercent, t } from "../shared/translate.js";
import { TileVideo } from "./tile_video.js";

/**
 * One participant on the board.
 *
 * @typedef {object} TileData
 * @property {string} id
 * @property {string} alias
 * @property {string | null} [label]  the id that a panel or an experiment gave
 * @property {string | null} warning
 * @property {import("../shared/protocol.js").Label | null} expression
 * @property {number[] | null} probabilities  smoothed, in the order of LABELS
 * @property {number[] | null} relative       compared with the person's neutral face
 * @property {number | null} valence          -1 to 1
 * @property {number} frames_per_s
 * @property {number | null} latency_ms
 * @property {"none" | "running" | "failed" | "set"} baseline
 */

/** The most serious first. @type {Record<string, () => string>} */
const WARNINGS = {
  left: () => t("Left"),
  "no frames": () => t("No frames"),
  "no face": () => t("No face"),
  "several faces": () => t("Several faces"),
};

/** With these warnings there is no video to show any more. */
const WITHOUT_VIDEO = new Set(["left", "no frames"]);

/** How the neutral baseline of somebody goes that is not done. @type {Partial<Record<TileData["baseline"], () => string>>} */
const BASELINES = {
  failed: () => t("Baseline failed"),
  running: () => t("Recording baseline …"),
};

/** How many names a warning lists. */
const MAX_NAMES = 6;

/** `Left: Ben · No face: Cleo, Dora · Baseline failed: Emil`. @param {Pick<TileData, "alias" | "warning" | "baseline">[]} people */
export function warningsText(people) {
  const warnings = Object.entries(WARNINGS).map(([warning, name]) => namesText(name(), people.filter((person) => person.warning === warning)));
  const baselines = Object.entries(BASELINES).map(([state, name]) => namesText(name(), people.filter((person) => person.baseline === state)));
  return [...warnings, ...baselines].filter(Boolean).join(" · ");
}

/** @param {string} what @param {Pick<TileData, "alias">[]} people */
function namesText(what, people) {
  if (people.length === 0) return "";
  const names = people.slice(0, MAX_NAMES).map(({ alias }) => alias).join(", ");
  const more = people.length - MAX_NAMES;
  return more > 0 ? t("%(what)s: %(names)s and %(count)s more", { what, names, count: more }) : t("%(what)s: %(names)s", { what, names });
}

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
    this.frame = create("canvas", "tile-video");
    this.menu = create("summary", "text-button", "⋯");
    this.facts = create("p", "tile-facts");
    this.head = create("div", "tile-head");
    this.readout = create("p", "tile-readout");
    this.data = /** @type {TileData | null} */ (null);
    this.#build(onRemove);
    this.chart = new TileChart(this.canvas);
    this.video = new TileVideo(this.frame);
  }

  /** @param {(what: "remove" | "delete", id: string, alias: string) => void} onRemove */
  #build(onRemove) {
    const menu = create("details", "more is-small");
    const panel = create("div", "more-panel");
    for (const [what, text] of /** @type {const} */ ([["remove", t("Remove")], ["delete", t("Remove and delete data")]])) {
      const button = create("button", `button${what === "delete" ? " is-grave" : ""}`, text);
      button.type = "button";
      button.addEventListener("click", () => this.data && onRemove(what, this.data.id, this.data.alias));
      panel.append(button);
    }
    menu.append(this.menu, panel);
    this.head.append(this.alias, menu);
    this.readout.append(this.swatch, this.name, this.number);
    this.canvas.setAttribute("role", "img");
    this.frame.setAttribute("role", "img");
    this.root.append(this.head, this.frame, this.readout, this.relative, this.canvas, this.facts);
  }

  /** @param {TileData} data @param {number} now_ms */
  show(data, now_ms) {
    if (this.data?.alias !== data.alias) this.#name(data.alias);
    this.alias.title = data.label ?? "";
    this.data = data;
    const { expression, probabilities, valence } = data;
    if (WITHOUT_VIDEO.has(data.warning ?? "")) this.video.clear();
    this.root.dataset.expression = expression ?? "";
    this.root.classList.toggle("is-away", data.warning === "left");
    this.root.classList.toggle("is-warned", data.warning !== null);
    write(this.warning, data.warning ? WARNINGS[data.warning]() : "");
    this.#placeWarning(data.warning !== null, expression !== null);
    write(this.name, expression ? nameOf(expression) : "–");
    write(this.number, expression && probabilities ? formatPercent(probabilities[LABELS.indexOf(expression)]) : "");
    write(this.relative, BASELINES[data.baseline]?.() ?? relativeText(data));
    this.root.dataset.baseline = data.baseline;
    write(this.facts, factsOf(data));
    this.chart.add(probabilities && valence !== null ? { probabilities, valence } : null, now_ms);
  }

  /** In place of the expression where there is none, else beside the name. @param {boolean} isWarned @param {boolean} hasExpression */
  #placeWarning(isWarned, hasExpression) {
    this.warning.hidden = !isWarned;
    this.name.hidden = isWarned && !hasExpression;
    const neighbour = hasExpression ? this.alias : this.name;
    if (isWarned && this.warning.previousElementSibling !== neighbour) neighbour.after(this.warning);
  }

  /** @param {import("./tile_video.js").Frame} frame @param {ArrayBuffer} image */
  showFrame(frame, image) {
    return this.video.show(frame, image, this.data?.expression ?? null);
  }

  /** Fill the chart with the minute before. @param {import("./past.js").Past} past @param {number} now_ms */
  restore(past, now_ms) {
    this.chart.restore(past, now_ms);
  }

  /** Take the tile off the board. */
  stop() {
    this.chart.stop();
    this.root.remove();
  }

  /** @param {string} alias */
  #name(alias) {
    write(this.alias, alias);
    this.alias.title = alias; // long ones are cut off
    this.menu.setAttribute("aria-label", t("Actions for %(alias)s", { alias }));
    this.canvas.setAttribute("aria-label", t("%(alias)s, last minute: expression and valence", { alias }));
    this.frame.setAttribute("aria-label", t("%(alias)s, live", { alias }));
  }
}

/** @param {TileData} data */
function relativeText({ relative }) {
  if (!relative) return "";
  const best = relative.indexOf(Math.max(...relative));
  if (relative[best] < MIN_RELATIVE) return t("Close to neutral");
  return t("%(expression)s %(percent)s compared with neutral", { expression: nameOf(LABELS[best]), percent: formatPercent(relative[best]) });
}

/** @param {TileData} data */
function factsOf({ valence, frames_per_s, latency_ms }) {
  const signed = valence === null ? "–" : `${valence < 0 ? "−" : "+"}${formatNumber(Math.abs(valence), 2)}`;
  const latency = latency_ms === null ? "–" : t("%(count)s ms", { count: latency_ms });
  return t("Valence %(valence)s · %(rate)s/s · %(latency)s", { valence: signed, rate: formatNumber(frames_per_s), latency });
}
