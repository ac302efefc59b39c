import { INTO_FRAME_S } from "./medium.js";

/**
 * Cuts faces out of the photo or video, in the browser, one after the other: a video of its own is moved from moment
 * to moment, so the one on the page stays where it is.
 *
 * @typedef {import("../../shared/protocol.js").Box} Box
 * @typedef {{canvas: HTMLCanvasElement, box: Box, t: number}} Cut
 */

/** How much around the box is shown, as a fraction of its longer side. */
const MARGIN = 0.3;

/** A moment that a damaged video does not come to is left out. */
const SEEK_TIMEOUT_MS = 8000;

export class Thumbnails {
  #stopped = new AbortController();

  /** @param {HTMLImageElement | string} source the image, or the address of the video */
  constructor(source) {
    this.source = source;
  }

  /** @param {readonly Cut[]} cuts */
  async start(cuts) {
    if (typeof this.source !== "string") {
      for (const cut of cuts) draw(cut, this.source, this.source.naturalWidth, this.source.naturalHeight);
      return;
    }
    const video = Object.assign(document.createElement("video"), { muted: true, preload: "auto", src: this.source });
    this.#stopped.signal.addEventListener("abort", () => release(video), { once: true });
    for (const cut of [...cuts].sort((first, second) => first.t - second.t)) {
      if (this.#stopped.signal.aborted) break;
      const there = await this.#seek(video, cut.t + INTO_FRAME_S);
      if (there && video.videoWidth > 0) draw(cut, video, video.videoWidth, video.videoHeight);
    }
    release(video);
  }

  stop() {
    this.#stopped.abort();
  }

  /** Whether the video got there. @param {HTMLVideoElement} video @param {number} time_s @returns {Promise<boolean>} */
  #seek(video, time_s) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), SEEK_TIMEOUT_MS);
      const finish = (/** @type {boolean} */ there) => {
        clearTimeout(timer);
        resolve(there);
      };
      video.addEventListener("seeked", () => finish(true), { once: true });
      video.addEventListener("error", () => finish(false), { once: true });
      this.#stopped.signal.addEventListener("abort", () => finish(false), { once: true });
      video.currentTime = time_s;
    });
  }
}

/** @param {HTMLVideoElement} video */
function release(video) {
  video.removeAttribute("src");
  video.load();
}

/** A square around the face; where it leaves the image, the canvas stays empty. @param {Cut} cut @param {CanvasImageSource} source @param {number} width @param {number} height */
function draw({ canvas, box: [x, y, across, down] }, source, width, height) {
  const side = (1 + 2 * MARGIN) * Math.max(across, down);
  const [left, top] = [x + (across - side) / 2, y + (down - side) / 2];
  const [from_x, from_y] = [Math.max(0, left), Math.max(0, top)];
  const [to_x, to_y] = [Math.min(width, left + side), Math.min(height, top + side)];
  if (to_x <= from_x || to_y <= from_y) return;
  const scale = canvas.width / side;
  const target = [scale * (from_x - left), scale * (from_y - top), scale * (to_x - from_x), scale * (to_y - from_y)];
  canvas.getContext("2d")?.drawImage(source, from_x, from_y, to_x - from_x, to_y - from_y, target[0], target[1], target[2], target[3]);
  canvas.classList.add("is-drawn");
}
