import { clearedContext } from "../../shared/dom.js";
import { COLOURS, nameOf } from "../../shared/expressions.js";
import { formatPercent } from "../../shared/translate.js";
import { Brush, unitOf } from "./brush.js";
import { Fit, movedWithBox } from "./geometry.js";
import { LabelPlacer } from "./labels.js";

/**
 * Draws the faces of a scene over the video, in step with the display.
 *
 * After each drawing the canvas dispatches the event `mien:drawn`, which tells what was drawn:
 * {"time_ms": on performance.now()'s clock, "mirrored": bool, "faces": [{"id", "box" in pixels of the video,
 * "drawn_box" and "label_box" in CSS pixels of the canvas, "label", "colour", "opacity", "selected"}]}.
 *
 * @typedef {import("../../shared/protocol.js").Box} Box
 * @typedef {import("../scene.js").DrawnFace} DrawnFace
 * @typedef {{drawn: DrawnFace, box: Box, caption: import("./brush.js").Caption}} Sketch  `box` in the view
 */

/** Labels show their numbers while those of all faces, side by side, are not wider than this many views. */
const MAX_ROWS_WITH_NUMBERS = 1.25;

/** About how wide a label with a number is, in heights of its text; the same for all names, so that nothing alternates. */
const LABEL_WIDTH_UNITS = 9;

export class Overlay {
  #request = 0;
  /** @type {number | null} */
  #frozen_ms = null;
  /** Asked for at each drawing it would lay out the page again. @type {import("./geometry.js").Size} */
  #view;
  #labels;
  landmarks = true;
  mirrored = true;

  /** @param {HTMLCanvasElement} canvas @param {HTMLVideoElement} video @param {import("../scene.js").Scene} scene */
  constructor(canvas, video, scene) {
    this.canvas = canvas;
    this.video = video;
    this.scene = scene;
    this.#view = { width: canvas.clientWidth, height: canvas.clientHeight };
    this.#labels = new LabelPlacer(unitOf(this.#view) / 3);
    this.resizing = new ResizeObserver(([{ contentRect }]) => this.#resize(contentRect));
    this.onClick = (/** @type {MouseEvent} */ event) => this.#select(event);
  }

  start() {
    this.resizing.observe(this.canvas);
    this.canvas.addEventListener("click", this.onClick);
    const next = () => {
      this.#draw();
      this.#request = requestAnimationFrame(next);
    };
    next();
  }

  stop() {
    cancelAnimationFrame(this.#request);
    this.resizing.disconnect();
    this.canvas.removeEventListener("click", this.onClick);
  }

  /** Keep the drawing as it is, or resume. @param {boolean} frozen */
  freeze(frozen) {
    this.#frozen_ms = frozen ? performance.now() : null;
  }

  get #now_ms() {
    return this.#frozen_ms ?? performance.now();
  }

  get #fit() {
    const { videoWidth, videoHeight } = this.video;
    return new Fit({ width: videoWidth, height: videoHeight }, this.#view, this.mirrored);
  }

  /** @param {import("./geometry.js").Size} view */
  #resize({ width, height }) {
    this.#view = { width, height };
    this.#labels.gap = unitOf(this.#view) / 3;
  }

  #draw() {
    const context = clearedContext(this.canvas, this.#view);
    if (!context || this.video.videoWidth === 0) return;
    const fit = this.#fit;
    const brush = new Brush(context, this.#view);
    const sketches = this.#sketches(brush, fit);
    for (const sketch of sketches) this.#drawFace(brush, fit, sketch);
    const boxes = this.#drawLabels(brush, sketches);
    const detail = { time_ms: this.#now_ms, mirrored: this.mirrored, faces: sketches.map((sketch, index) => told(sketch, boxes[index])) };
    this.canvas.dispatchEvent(new CustomEvent("mien:drawn", { detail }));
  }

  /** What to draw, and with which captions. @param {Brush} brush @param {Fit} fit @returns {Sketch[]} */
  #sketches(brush, fit) {
    const faces = this.scene.at(this.#now_ms);
    const crowded = faces.length * LABEL_WIDTH_UNITS * brush.unit > MAX_ROWS_WITH_NUMBERS * this.#view.width;
    return faces.map((drawn) => {
      const { id, shown, box, selected } = drawn;
      const name = faces.length > 1 ? `${id} · ${nameOf(shown.expression)}` : nameOf(shown.expression);
      const number = crowded && !selected ? "" : formatPercent(shown.confidence);
      return { drawn, box: fit.boxInView(box), caption: { name, number, colour: COLOURS[shown.expression] } };
    });
  }

  /** @param {Brush} brush @param {Fit} fit @param {Sketch} sketch */
  #drawFace(brush, fit, { drawn: { face, box, opacity, selected }, box: drawnBox, caption }) {
    brush.context.globalAlpha = opacity;
    if (this.landmarks) {
      for (const line of Object.values(face.landmarks)) {
        brush.line(line.map((point) => fit.pointInView(movedWithBox(point, face.box, box))));
      }
    }
    brush.box(drawnBox, caption.colour, selected);
  }

  /** Labels go over all faces; where there is no room, that of the selected face is on top. @param {Brush} brush @param {Sketch[]} sketches */
  #drawLabels(brush, sketches) {
    const labelled = sketches.map(({ drawn, box, caption }) => ({ id: drawn.id, box, label: brush.labelSize(caption) }));
    const places = this.#labels.place(labelled, this.#view);
    sketches.forEach(({ drawn, caption }, index) => {
      brush.context.globalAlpha = drawn.opacity;
      brush.label(places[index], caption);
    });
    return places;
  }

  /** @param {MouseEvent} event */
  #select({ offsetX, offsetY }) {
    this.scene.selectAt(this.#fit.pointInFrame([offsetX, offsetY]), this.#now_ms);
  }
}

/** What the event tells of a face. @param {Sketch} sketch @param {Box} label_box */
function told({ drawn: { id, box, opacity, selected }, box: drawn_box, caption }, label_box) {
  const label = [caption.name, caption.number].filter(Boolean).join(" ");
  return { id, box, drawn_box, label_box, label, colour: caption.colour, opacity, selected };
}
