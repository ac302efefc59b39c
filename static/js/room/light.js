import { mainFace } from "./readiness.js";

/**
 * Measures how a face in a video is lit: over its box and over the whole frame, each reduced to 32 x 32 pixels.
 * Nothing of the image leaves this page.
 *
 * @typedef {import("./readiness.js").Light} Light
 * @typedef {import("../shared/protocol.js").Result} Result
 */

const SIDE = 32;

export class LightMeter {
  #context = createContext();

  /**
   * @param {HTMLVideoElement} video that shows about what the result is of
   * @param {Result | null} result
   * @returns {Light | null} null while the video has no frame
   */
  measure(video, result) {
    const { videoWidth, videoHeight } = video;
    if (!this.#context || videoWidth === 0) return null;
    const main = result && mainFace(result);
    const scale = result ? videoWidth / result.width : 1;
    const face = main && this.#greys(video, clipped(main.box, scale, videoWidth, videoHeight));
    const { mean: around } = this.#greys(video, [0, 0, videoWidth, videoHeight]);
    return { brightness: face && face.mean, contrast: face && face.deviation, around };
  }

  /** @param {HTMLVideoElement} video @param {import("../shared/protocol.js").Box} box in pixels of the video */
  #greys(video, [left, top, width, height]) {
    const context = /** @type {CanvasRenderingContext2D} */ (this.#context);
    context.drawImage(video, left, top, width, height, 0, 0, SIDE, SIDE);
    return statistics(context.getImageData(0, 0, SIDE, SIDE).data);
  }
}

/** Mean and standard deviation of the grey values of pixels in RGBA, by ITU-R BT.601. Pure. @param {ArrayLike<number>} pixels */
export function statistics(pixels) {
  let [sum, squares] = [0, 0];
  for (let at = 0; at < pixels.length; at += 4) {
    const grey = 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
    sum += grey;
    squares += grey * grey;
  }
  const count = pixels.length / 4;
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)) };
}

function createContext() {
  const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
  return canvas.getContext("2d", { alpha: false, willReadFrequently: true });
}

/**
 * The part of a face's box that is in the video, at least a pixel of it.
 * @param {import("../shared/protocol.js").Box} box @param {number} scale pixels of the video for each of the frame
 * @param {number} width @param {number} height of the video
 * @returns {import("../shared/protocol.js").Box}
 */
function clipped([x, y, wide, high], scale, width, height) {
  const [left, top] = [clamp(scale * x, 0, width - 1), clamp(scale * y, 0, height - 1)];
  const [right, bottom] = [clamp(scale * (x + wide), left + 1, width), clamp(scale * (y + high), top + 1, height)];
  return [left, top, right - left, bottom - top];
}

/** @param {number} value @param {number} low @param {number} high */
function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
