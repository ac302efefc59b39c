/**
 * Encodes frames of a video as JPEG: in a worker where the browser can, so that the page stays smooth, else here.
 *
 * @typedef {object} Encoder
 * @property {(video: HTMLVideoElement, side: number, quality: number) => Promise<Blob>} encode
 *   the video as it is now, its longer side at most `side` pixels, not mirrored; `quality` from 0 to 1
 * @property {() => void} stop
 *
 * @typedef {import("./encoder_worker.js").Encoded} Encoded
 */

/** The best one that this browser has. @returns {Encoder} */
export function createEncoder() {
  const offThread = typeof OffscreenCanvas === "function" && typeof createImageBitmap === "function";
  return offThread ? new WorkerEncoder() : new CanvasEncoder();
}

/** The size of a frame whose longer side is at most `side`. @param {HTMLVideoElement} video @param {number} side */
function sizeOf({ videoWidth, videoHeight }, side) {
  const scale = Math.min(1, side / Math.max(videoWidth, videoHeight));
  return { width: Math.round(scale * videoWidth), height: Math.round(scale * videoHeight) };
}

/** Sends bitmaps to a worker, which scales and encodes them. @implements {Encoder} */
class WorkerEncoder {
  #id = 0;
  /** @type {Map<number, (encoded: Encoded) => void>} */
  #waiting = new Map();
  #fallback = new CanvasEncoder();

  constructor() {
    /** @type {Worker | null} */
    this.worker = new Worker(new URL("./encoder_worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.#resolve(data);
    this.worker.onerror = () => this.stop(); // it did not load
  }

  /** @param {HTMLVideoElement} video @param {number} side @param {number} quality @returns {Promise<Blob>} */
  async encode(video, side, quality) {
    const size = sizeOf(video, side);
    const bitmap = this.worker && (await createImageBitmap(video));
    if (!this.worker || !bitmap) return this.#fallback.encode(video, side, quality);
    const id = this.#id++;
    this.worker.postMessage({ id, bitmap, ...size, quality }, [bitmap]);
    const { blob } = await new Promise((/** @type {(encoded: Encoded) => void} */ take) => this.#waiting.set(id, take));
    if (!blob) throw new Error("The browser could not encode the frame.");
    return blob;
  }

  stop() {
    this.worker?.terminate();
    this.worker = null;
    for (const id of [...this.#waiting.keys()]) this.#resolve({ id, blob: null });
  }

  /** @param {Encoded} encoded */
  #resolve(encoded) {
    this.#waiting.get(encoded.id)?.(encoded);
    this.#waiting.delete(encoded.id);
  }
}

/** Encodes with a canvas of the page. @implements {Encoder} */
class CanvasEncoder {
  #canvas = document.createElement("canvas");

  /** @param {HTMLVideoElement} video @param {number} side @param {number} quality @returns {Promise<Blob>} */
  async encode(video, side, quality) {
    const { width, height } = Object.assign(this.#canvas, sizeOf(video, side));
    this.#canvas.getContext("2d", { alpha: false })?.drawImage(video, 0, 0, width, height);
    const blob = await new Promise((/** @type {BlobCallback} */ take) => this.#canvas.toBlob(take, "image/jpeg", quality));
    if (!blob) throw new Error("The browser could not encode the frame.");
    return blob;
  }

  stop() {}
}
