import { COLOURS } from "../shared/expressions.js";

/**
 * A participant's picture on the board, with the boxes of its faces.
 *
 * @typedef {object} Picture
 * @property {string} id          the participant's
 * @property {number} bytes       of the image, a JPEG, PNG or WebP
 * @property {number} width       of the picture that the boxes are pixels of
 * @property {number} height
 * @property {[number, number, number, number][]} boxes  x, y, width, height
 */

const LINE_SHARE = 1 / 120;

export class TileVideo {
  #shown = 0;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.clear();
  }

  /** Resolves when the picture is drawn. @param {Picture} picture @param {ArrayBuffer} image @param {import("../shared/protocol.js").Label | null} expression */
  async show(picture, image, expression) {
    const mine = ++this.#shown;
    const bitmap = await createImageBitmap(new Blob([image]));
    if (mine === this.#shown) this.#draw(bitmap, picture, expression);
    bitmap.close();
  }

  /** Show nobody any more. */
  clear() {
    this.#shown += 1;
    Object.assign(this.canvas, { width: 0, height: 0 }); // as empty as a canvas can be
  }

  /** @param {ImageBitmap} bitmap @param {Picture} picture @param {import("../shared/protocol.js").Label | null} expression */
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
    context.lineWidth = width * LINE_SHARE;
    for (const box of boxes) context.strokeRect(...box);
  }
}
