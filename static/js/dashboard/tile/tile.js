import { create, write } from "../../shared/dom.js";
import { LABELS, MIN_RELATIVE, nameOf } from "../../shared/expressions.js";
import { Icon } from "../../shared/controls/icons.js";
import { formatNumber, formatPercent, t } from "../../shared/translate.js";
import { baselineText, isPending } from "./baseline_text.js";
import { TileChart } from "./chart.js";
import { statusOf } from "./status.js";

/**
 * One participant on the board.
 *
 * @typedef {TileFacts & import("./status.js").Seen & import("./baseline_text.js").BaselineData} TileData
 * @typedef {"baseline" | "remove" | "delete"} TileAction
 * @typedef {(what: TileAction, id: string, alias: string) => void} OnAction
 *
 * @typedef {object} TileFacts
 * @property {string} id
 * @property {string} alias
 * @property {string | null} [label]  the id that a panel or an experiment gave
 * @property {import("../../shared/protocol.js").Label | null} expression
 * @property {number[] | null} probabilities  smoothed, in the order of LABELS
 * @property {number[] | null} relative       compared with the person's neutral face
 * @property {number | null} valence          -1 to 1
 * @property {number} frames_per_s
 * @property {number | null} latency_ms
 */

/** With these warnings there is no video to show any more. */
const WITHOUT_VIDEO = new Set(["left", "no frames"]);

/** @type {Record<import("./status.js").Kind, import("../../shared/controls/icons.js").IconName>} */
const ICONS = { warning: "alert", checking: "waiting", ready: "check" };

/** @type {[TileAction, () => string][]} */
const ACTIONS = [
  ["baseline", () => t("Record neutral baseline")],
  ["remove", () => t("Remove")],
  ["delete", () => t("Remove and delete data")],
];

export class Tile {
  /** @param {OnAction} onAction */
  constructor(onAction) {
    this.root = create("li", "tile");
    this.swatch = create("span", "swatch");
    this.alias = create("span", "tile-alias");
    this.status = create("span", "chip tile-status");
    this.statusIcon = new Icon();
    this.statusWord = create("span", "tile-status-word");
    this.name = create("span", "tile-name");
    this.number = create("span", "tile-number");
    this.relative = create("p", "tile-relative");
    this.canvas = create("canvas", "tile-canvas");
    this.frame = create("canvas", "tile-video");
    this.menu = create("summary", "text-button", "⋯");
    this.baseline = create("p", "tile-baseline");
    this.facts = create("p", "tile-facts");
    this.head = create("div", "tile-head");
    this.readout = create("p", "tile-readout");
    this.data = /** @type {TileData | null} */ (null);
    this.#build(onAction);
    this.chart = new TileChart(this.canvas);
    this.video = /** @type {import("./video.js").TileVideo | null} */ (null);
  }

  /** @param {OnAction} onAction */
  #build(onAction) {
    const menu = create("details", "more is-small");
    const panel = create("div", "more-panel");
    panel.append(this.baseline, ...ACTIONS.map(([what, name]) => this.#button(what, name(), () => {
      if (what === "baseline") this.#close(menu);
      if (this.data) onAction(what, this.data.id, this.data.alias);
    })));
    menu.append(this.menu, panel);
    this.status.append(this.statusIcon.root, this.statusWord);
    this.head.append(this.alias, menu);
    this.readout.append(this.swatch, this.name, this.number);
    this.canvas.setAttribute("role", "img");
    this.frame.setAttribute("role", "img");
    Object.assign(this.frame, { width: 0, height: 0 }); // nothing to see until the first frame
    this.root.append(this.head, this.frame, this.readout, this.relative, this.canvas, this.facts);
  }

  /** The focus stays where it can be seen. @param {HTMLDetailsElement} menu */
  #close(menu) {
    menu.open = false;
    this.menu.focus();
  }

  /** @param {TileAction} what @param {string} name @param {() => void} act */
  #button(what, name, act) {
    const button = create("button", `button${what === "delete" ? " is-grave" : ""}`, name);
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  }

  /** @param {TileData} data @param {number} now_ms */
  show(data, now_ms) {
    if (this.data?.alias !== data.alias) this.#name(data.alias);
    this.alias.title = data.label ? `${data.alias} · ${data.label}` : data.alias; // long ones are cut off
    this.data = data;
    const { expression, probabilities, valence } = data;
    if (WITHOUT_VIDEO.has(data.warning ?? "")) this.video?.clear();
    this.root.dataset.expression = expression ?? "";
    this.root.classList.toggle("is-away", data.warning === "left");
    this.#showStatus(statusOf(data), expression !== null);
    write(this.name, expression ? nameOf(expression) : "–");
    write(this.number, expression && probabilities ? formatPercent(probabilities[LABELS.indexOf(expression)]) : "");
    this.#showBaseline(data);
    write(this.facts, factsOf(data));
    this.chart.add(probabilities && valence !== null ? { probabilities, valence } : null, now_ms);
  }

  /** Beside the name, or in place of the expression where there is none. @param {import("./status.js").Status | null} status @param {boolean} hasExpression */
  #showStatus(status, hasExpression) {
    const isWarning = status?.kind === "warning";
    this.status.hidden = !status;
    this.name.hidden = isWarning && !hasExpression;
    if (!status) return;
    this.root.dataset.status = status.kind;
    this.status.title = status.word;
    this.statusIcon.show(ICONS[status.kind]);
    write(this.statusWord, status.word);
    const neighbour = isWarning && !hasExpression ? this.name : this.alias;
    if (this.status.previousElementSibling !== neighbour) neighbour.after(this.status);
  }

  /** @param {TileData} data */
  #showBaseline(data) {
    const text = baselineText(data);
    this.root.dataset.baseline = data.baseline;
    write(this.baseline, text);
    write(this.relative, isPending(data) ? text : relativeText(data) || (data.baseline === "set" ? text : ""));
  }

  /** Rooms without video load nothing of it. @param {import("./video.js").Frame} frame @param {ArrayBuffer} image */
  async showFrame(frame, image) {
    const { TileVideo } = await import("./video.js");
    this.video ??= new TileVideo(this.frame);
    await this.video.show(frame, image, this.data?.expression ?? null);
  }

  /** Fill the chart with the minute before. @param {import("../past.js").Past} past @param {number} now_ms */
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
