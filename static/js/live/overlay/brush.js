import { chartFont } from "../../shared/chart_style.js";
import { textColourOn } from "../../shared/expressions.js";

/**
 * Draws lines, boxes and labels whose sizes fit the width of the view.
 *
 * @typedef {import("../../shared/protocol.js").Box} Box
 * @typedef {import("./geometry.js").Size} Size
 * @typedef {{name: string, number: string, colour: string}} Caption  `number` may be empty
 */

/** Text is not smaller than this many CSS pixels, on a phone either. */
const MIN_TEXT_PX = 14;
const MAX_TEXT_PX = 30;
const VIEW_WIDTHS_PER_TEXT = 44;

/** Labels have room for the longest number, so that their width does not change with it. */
const WIDEST_NUMBER = "100%";

/** The size of text, and of what is drawn with it, in a view. @param {Size} view in CSS pixels */
export function unitOf(view) {
  return Math.min(Math.max(view.width / VIEW_WIDTHS_PER_TEXT, MIN_TEXT_PX), MAX_TEXT_PX);
}

export class Brush {
  /** @param {CanvasRenderingContext2D} context @param {Size} view in CSS pixels */
  constructor(context, view) {
    this.context = context;
    this.unit = unitOf(view);
    this.rightToLeft = document.documentElement.dir === "rtl";
    context.lineJoin = "round";
    context.lineCap = "round";
    context.font = chartFont(this.unit, 600);
    context.textBaseline = "middle";
  }

  /** @param {import("../../shared/protocol.js").Point[]} points */
  line(points) {
    const path = new Path2D();
    points.forEach(([x, y], index) => (index === 0 ? path.moveTo(x, y) : path.lineTo(x, y)));
    this.#stroke(path, "rgba(0, 0, 0, 0.35)", this.unit / 6);
    this.#stroke(path, "rgba(255, 255, 255, 0.85)", this.unit / 14);
  }

  /** @param {Box} box @param {string} colour @param {boolean} strong */
  box([x, y, width, height], colour, strong) {
    const path = new Path2D();
    path.roundRect(x, y, width, height, this.unit / 2);
    const stroke = this.unit / (strong ? 4.5 : 7);
    this.#stroke(path, "rgba(0, 0, 0, 0.45)", stroke + 2);
    this.#stroke(path, colour, stroke);
  }

  /** The size of a label. @param {Caption} caption @returns {Size} */
  labelSize({ name, number }) {
    const text = number ? `${name}  ${WIDEST_NUMBER}` : name;
    return { width: this.context.measureText(text).width + this.unit, height: 1.7 * this.unit };
  }

  /** The name where lines begin in the page's language, the number where they end. @param {Box} box @param {Caption} caption */
  label([left, top, width, height], { name, number, colour }) {
    const { context, unit } = this;
    context.fillStyle = colour;
    context.beginPath();
    context.roundRect(left, top, width, height, unit / 2);
    context.fill();
    context.fillStyle = textColourOn(colour);
    const [atLeft, atRight] = this.rightToLeft ? [number, name] : [name, number];
    context.textAlign = "left";
    context.fillText(atLeft, left + unit / 2, top + height / 2);
    context.textAlign = "right";
    context.fillText(atRight, left + width - unit / 2, top + height / 2);
  }

  /** @param {Path2D} path @param {string} colour @param {number} width */
  #stroke(path, colour, width) {
    this.context.strokeStyle = colour;
    this.context.lineWidth = width;
    this.context.stroke(path);
  }
}
