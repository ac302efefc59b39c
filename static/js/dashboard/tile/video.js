import { COLOURS } from "../../shared/expressions.js";

/**
 * A participant's video on the board, with the boxes of the faces in it.
 *
 * @typedef {object} Frame  as the server describes it
 * @property {string} id          the participant's
 * @property {number} bytes       of the image, a JPEG, PNG or WebP
 * @property {number} width       of the frame that the boxes are pixels of
 * @property {number} height
 * @property {[number, number, number, number][]} boxes  x, y, width, height
 */

/** Of the frame's width. */
const LINE_WIDTH = 1 / 120;

export class TileVideo {
  #shown = 0;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.clear();
  }

  /**
   * Resolves when the frame is drawn.
   * @param {Frame} frame @param {ArrayBuffer} image @param {import("../../shared/protocol.js").Label | null} expression
   */
  async show(frame, image, expression) {
    const current = ++this.#shown;
    const bitmap = await createImageBitmap(new Blob([image]));
    if (current === this.#shown) this.#draw(bitmap, frame, expression);
    bitmap.close();
  }

  /** Show nothing any more. */
  clear() {
    this.#shown += 1;
    Object.assign(this.canvas, { width: 0, height: 0 }); // as empty as a canvas can be
  }

  /** @param {ImageBitmap} bitmap @param {Frame} frame @param {import("../../shared/protocol.js").Label | null} expression */
  #draw(bitmap, { width, height, boxes }, expression) {
    const wide = Math.round(this.canvas.clientWidth * devicePixelRatio);
    const high = Math.round((wide * height) / width);
    if (this.canvas.width !== wide || this.canvas.height !== high) Object.assign(this.canvas, { width: wide, height: high });
    const context = this.canvas.getContext("2d");
    if (!context) return;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(bitmap, 0, 0, wide, high);
    context.scale(wide / width, high / height);
    context.strokeStyle = expression ? COLOURS[expression] : "#FFFFFF";
    context.lineWidth = width * LINE_WIDTH;
    for (const box of boxes) context.strokeRect(...box);
  }
}
