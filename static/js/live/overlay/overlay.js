import { clearedContext } from "../../shared/dom.js";
import { Painter } from "./painter.js";

/**
 * Draws faces over a video or an image, in step with the display.
 *
 * After each drawing the canvas dispatches the event `mien:drawn`, which tells what was drawn:
 * {"time_ms": on performance.now()'s clock, "mirrored": bool, "faces": [{"id", "box" in pixels of the video,
 * "drawn_box" and "label_box" in CSS pixels of the canvas, "label", "colour", "opacity", "selected"}]}.
 *
 * @typedef {import("./geometry.js").Size} Size
 * @typedef {HTMLVideoElement | HTMLImageElement} Medium
 * @typedef {object} Faces  where the faces come from: the live scene, or the results of a file
 * @property {(now_ms: number) => import("../scene.js").DrawnFace[]} at  those to draw, the selected one last
 * @property {(point: import("../../shared/protocol.js").Point, now_ms: number) => void} selectAt
 */

export class Overlay {
  #request = 0;
  /** @type {number | null} */
  #frozen_ms = null;
  /** Asked for at each drawing it would lay out the page again. @type {Size} */
  #view;
  #painter = new Painter();

  /** @param {HTMLCanvasElement} canvas @param {Medium} medium @param {Faces} faces */
  constructor(canvas, medium, faces) {
    this.canvas = canvas;
    this.medium = medium;
    this.faces = faces;
    this.#view = { width: canvas.clientWidth, height: canvas.clientHeight };
    this.resizing = new ResizeObserver(([{ contentRect: { width, height } }]) => (this.#view = { width, height }));
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

  /** @param {boolean} on */
  set landmarks(on) {
    this.#painter.landmarks = on;
  }

  /** @param {boolean} on */
  set mirrored(on) {
    this.#painter.mirrored = on;
  }

  get landmarks() {
    return this.#painter.landmarks;
  }

  get mirrored() {
    return this.#painter.mirrored;
  }

  get #now_ms() {
    return this.#frozen_ms ?? performance.now();
  }

  /**
   * Draw what is shown now, video and faces, into a canvas with the pixels of the video.
   * @param {HTMLCanvasElement} canvas
   */
  drawPicture(canvas) {
    const frame = sizeOf(this.medium);
    const { scale } = this.#painter.fit(this.#view, frame);
    const context = Object.assign(canvas, frame).getContext("2d");
    if (!context || frame.width === 0) return;
    if (this.mirrored) context.setTransform(-1, 0, 0, 1, frame.width, 0);
    context.drawImage(this.medium, 0, 0);
    context.setTransform(1 / scale, 0, 0, 1 / scale, 0, 0);
    const view = { width: scale * frame.width, height: scale * frame.height };
    this.#painter.paint(context, view, frame, this.faces.at(this.#now_ms));
  }

  #draw() {
    const context = clearedContext(this.canvas, this.#view);
    const frame = sizeOf(this.medium);
    if (!context || frame.width === 0) return;
    const time_ms = this.#now_ms;
    const faces = this.#painter.paint(context, this.#view, frame, this.faces.at(time_ms));
    const detail = { time_ms, mirrored: this.mirrored, faces };
    this.canvas.dispatchEvent(new CustomEvent("mien:drawn", { detail }));
  }

  /** @param {MouseEvent} event */
  #select({ offsetX, offsetY }) {
    const fit = this.#painter.fit(this.#view, sizeOf(this.medium));
    this.faces.selectAt(fit.pointInFrame([offsetX, offsetY]), this.#now_ms);
  }
}

/** In its own pixels; 0 while nothing of it is known. @param {Medium} medium @returns {Size} */
function sizeOf(medium) {
  return medium instanceof HTMLVideoElement
    ? { width: medium.videoWidth, height: medium.videoHeight }
    : { width: medium.naturalWidth, height: medium.naturalHeight };
}
