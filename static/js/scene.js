import { contains, scaled } from "./geometry.js";
import { BoxMotion } from "./motion.js";

/**
 * The faces in view, in pixels of the video: who they are, where they glide, which one is selected. Pure:
 * the clock comes in as an argument.
 *
 * What is shown of an expression changes only with `settle()`, so that names and numbers stay calm.
 *
 * @typedef {import("./protocol.js").Face} Face
 * @typedef {import("./protocol.js").Result} Result
 * @typedef {import("./protocol.js").Label} Label
 * @typedef {import("./protocol.js").Box} Box
 * @typedef {{expression: Label, confidence: number, probabilities: Record<Label, number>}} Shown
 * @typedef {{id: number, face: Face, box: Box, shown: Shown, opacity: number, selected: boolean}} DrawnFace
 * @typedef {{face: Face, motion: BoxMotion, shown: Shown, seen_ms: number}} Tracked
 */

/** A face that no result has had for this long begins to fade. */
const KEEP_MS = 250;
const FADE_MS = 250;

export class Scene {
  /** @type {Map<number, Tracked>} */
  #tracked = new Map();
  /** @type {number | null} */
  #chosen = null;
  #captured_ms = -Infinity;

  /**
   * Take a result; one that a newer result overtook is left out.
   * @param {Result} result
   * @param {number} captured_ms when its picture was taken
   * @param {number} scale pixels of the video for one of the picture that was sent
   */
  take(result, captured_ms, scale) {
    if (captured_ms <= this.#captured_ms) return;
    this.#captured_ms = captured_ms;
    for (const face of result.faces) this.#follow(scaled(face, scale), captured_ms);
  }

  /** @param {Face} face @param {number} captured_ms */
  #follow(face, captured_ms) {
    const known = this.#tracked.get(face.id);
    known?.motion.measure(face.box, captured_ms);
    const motion = known?.motion ?? new BoxMotion(face.box, captured_ms);
    this.#tracked.set(face.id, { face, motion, shown: known?.shown ?? shownOf(face), seen_ms: captured_ms });
  }

  /** Show the newest names and numbers from now on. */
  settle() {
    for (const tracked of this.#tracked.values()) tracked.shown = shownOf(tracked.face);
  }

  /** The faces to draw at a time, the selected one last. @param {number} now_ms @returns {DrawnFace[]} */
  at(now_ms) {
    this.#forget(now_ms);
    const selected = this.selected;
    return [...this.#tracked.values()]
      .map(({ face, motion, shown, seen_ms }) => ({
        id: face.id,
        face,
        box: motion.at(now_ms),
        shown,
        opacity: Math.min(1, 1 - (now_ms - seen_ms - KEEP_MS - FADE_MS / 2) / (FADE_MS / 2)),
        selected: face.id === selected?.id,
      }))
      .sort((first, second) => Number(first.selected) - Number(second.selected));
  }

  /** @param {number} now_ms */
  #forget(now_ms) {
    for (const [id, { seen_ms }] of this.#tracked) {
      if (now_ms - seen_ms > KEEP_MS + FADE_MS) this.#tracked.delete(id);
    }
  }

  /** What is shown of every face, by id. */
  get faces() {
    return [...this.#tracked.values()]
      .map(({ face, shown }) => ({ id: face.id, shown }))
      .sort((first, second) => first.id - second.id);
  }

  /** The face that was chosen while it is in view, else the largest. */
  get selected() {
    const tracked = (this.#chosen !== null && this.#tracked.get(this.#chosen)) || this.#largest();
    return tracked ? { id: tracked.face.id, shown: tracked.shown } : null;
  }

  #largest() {
    const sizes = [...this.#tracked.values()];
    sizes.sort((first, second) => second.face.box[2] - first.face.box[2]);
    return sizes[0];
  }

  /** @param {number} id */
  select(id) {
    this.#chosen = id;
  }

  /** Choose the face under a point of the video. @param {import("./protocol.js").Point} point @param {number} now_ms */
  selectAt(point, now_ms) {
    const face = this.at(now_ms).findLast(({ box }) => contains(box, point));
    if (face) this.select(face.id);
  }

  /** Forget all faces, as with another camera. */
  clear() {
    this.#tracked.clear();
    this.#chosen = null;
  }
}

/** @param {Face} face @returns {Shown} */
function shownOf({ expression, confidence, probabilities }) {
  return { expression, confidence, probabilities };
}
