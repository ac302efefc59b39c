import { clearedContext } from "../shared/dom.js";
import { COLOURS, nameOf, percent, textColourOn } from "../shared/expressions.js";
import { Fit, movedWithBox } from "./geometry.js";

/**
 * Draws the faces of a scene over the video, in step with the display.
 *
 * After each drawing the canvas dispatches the event `mien:drawn`, which tells what was drawn:
 * {"time_ms": on performance.now()'s clock, "mirrored": bool, "faces": [{"id", "box" in pixels of the video,
 * "drawn_box" in CSS pixels of the canvas, "label", "colour", "opacity", "selected"}]}.
 *
 * @typedef {import("../shared/protocol.js").Box} Box
 * @typedef {import("./scene.js").DrawnFace} DrawnFace
 */

/** Chips have room for the longest number, so that their width does not change with it. */
const WIDEST_NUMBER = "100%";

export class Overlay {
  #request = 0;
  /** @type {number | null} */
  #frozen_ms = null;
  landmarks = true;
  mirrored = true;

  /** @param {HTMLCanvasElement} canvas @param {HTMLVideoElement} video @param {import("./scene.js").Scene} scene */
  constructor(canvas, video, scene) {
    this.canvas = canvas;
    this.video = video;
    this.scene = scene;
    this.onClick = (/** @type {MouseEvent} */ event) => this.#select(event);
  }

  start() {
    this.canvas.addEventListener("click", this.onClick);
    const next = () => {
      this.#draw();
      this.#request = requestAnimationFrame(next);
    };
    next();
  }

  stop() {
    cancelAnimationFrame(this.#request);
    this.canvas.removeEventListener("click", this.onClick);
  }

  /** Keep the drawing as it is, or resume. @param {boolean} frozen */
  freeze(frozen) {
    this.#frozen_ms = frozen ? performance.now() : null;
  }

  get #now_ms() {
    return this.#frozen_ms ?? performance.now();
  }

  get #view() {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  get #fit() {
    const { videoWidth, videoHeight } = this.video;
    return new Fit({ width: videoWidth, height: videoHeight }, this.#view, this.mirrored);
  }

  #draw() {
    const context = clearedContext(this.canvas, this.#view);
    if (!context || this.video.videoWidth === 0) return;
    const fit = this.#fit;
    const brush = new Brush(context, this.#view);
    const faces = this.scene.at(this.#now_ms);
    const drawn = faces.map((face) => this.#drawFace(brush, fit, face, faces.length > 1));
    const detail = { time_ms: this.#now_ms, mirrored: this.mirrored, faces: drawn };
    this.canvas.dispatchEvent(new CustomEvent("mien:drawn", { detail }));
  }

  /** @param {Brush} brush @param {Fit} fit @param {DrawnFace} drawnFace @param {boolean} several */
  #drawFace(brush, fit, { id, face, box, shown, opacity, selected }, several) {
    const colour = COLOURS[shown.expression];
    const label = `${several ? `${id} · ` : ""}${nameOf(shown.expression)}`;
    const number = percent(shown.confidence);
    const drawnBox = fit.boxInView(box);
    brush.context.globalAlpha = opacity;
    if (this.landmarks) {
      for (const line of Object.values(face.landmarks)) {
        brush.line(line.map((point) => fit.pointInView(movedWithBox(point, face.box, box))));
      }
    }
    brush.box(drawnBox, colour, selected);
    brush.chip(drawnBox, label, number, colour);
    return { id, box, drawn_box: drawnBox, label: `${label} ${number}`, colour, opacity, selected };
  }

  /** @param {MouseEvent} event */
  #select({ offsetX, offsetY }) {
    this.scene.selectAt(this.#fit.pointInFrame([offsetX, offsetY]), this.#now_ms);
  }
}

/** Draws lines, boxes and chips whose sizes fit the width of the view. */
class Brush {
  /** @param {CanvasRenderingContext2D} context @param {import("./geometry.js").Size} view in CSS pixels */
  constructor(context, view) {
    this.context = context;
    this.view = view;
    this.unit = Math.min(Math.max(view.width / 44, 14), 30);
    context.lineJoin = "round";
    context.lineCap = "round";
  }

  /** @param {import("../shared/protocol.js").Point[]} points */
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

  /**
   * Name and number above the box, or below it where there is no room, and always in view.
   * @param {Box} box @param {string} label @param {string} number @param {string} colour
   */
  chip(box, label, number, colour) {
    const { context, unit } = this;
    const name = `${label}  `;
    context.font = `600 ${unit}px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif`;
    const chip_width = context.measureText(name + WIDEST_NUMBER).width + unit;
    const chip_height = 1.7 * unit;
    const [left, top] = this.#chipPosition(box, chip_width, chip_height);
    context.fillStyle = colour;
    context.beginPath();
    context.roundRect(left, top, chip_width, chip_height, unit / 2);
    context.fill();
    context.fillStyle = textColourOn(colour);
    context.textBaseline = "middle";
    context.fillText(name, left + unit / 2, top + chip_height / 2);
    context.textAlign = "right";
    context.fillText(number, left + chip_width - unit / 2, top + chip_height / 2);
    context.textAlign = "left";
  }

  /** @param {Box} box @param {number} chip_width @param {number} chip_height */
  #chipPosition([x, y, , height], chip_width, chip_height) {
    const gap = this.unit / 3;
    const left = Math.min(x, this.view.width - chip_width - gap);
    const above = y - chip_height - gap;
    const below = Math.min(y + height + gap, this.view.height - chip_height - gap);
    return [Math.max(left, gap), above >= gap ? above : Math.max(below, gap)];
  }

  /** @param {Path2D} path @param {string} colour @param {number} width */
  #stroke(path, colour, width) {
    this.context.strokeStyle = colour;
    this.context.lineWidth = width;
    this.context.stroke(path);
  }
}
