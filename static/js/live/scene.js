import { contains, scaledFace } from "./overlay/geometry.js";
import { BoxMotion } from "./overlay/motion.js";

/**
 * The faces in view, in pixels of the video: who they are, how they move, which one is selected. Pure:
 * the clock comes in as an argument.
 *
 * What is shown of an expression changes only with `settle()`, so that names and numbers stay readable.
 *
 * @typedef {import("../shared/protocol.js").Face} Face
 * @typedef {import("../shared/protocol.js").Result} Result
 * @typedef {import("../shared/protocol.js").Label} Label
 * @typedef {import("../shared/protocol.js").Box} Box
 * @typedef {{expression: Label, confidence: number, probabilities: Record<Label, number>}} Shown
 * @typedef {{id: number, face: Face, box: Box, shown: Shown, opacity: number, selected: boolean}} DrawnFace
 * @typedef {{face: Face, motion: BoxMotion, shown: Shown, missing_since_ms: number | null}} Tracked
 *   `missing_since_ms`: when a result first came without the face
 */

/** A face may be missing for this long before it begins to fade. */
const MAX_MISSING_MS = 150;
const FADE_MS = 200;

/** With no result for this long, nothing is known of the faces; far above a slow round trip, so that boxes survive one. */
const STALE_MS = 2000;

/** The largest face leads, and is shown in the panel, until another is this much wider for this long. */
const CLEARLY_WIDER = 1.25;
const TAKEOVER_MS = 1000;

export class Scene {
  /** @type {Map<number, Tracked>} */
  #tracked = new Map();
  /** @type {number | null} */
  #chosen = null;
  /** @type {number | null} the face to show where none was chosen */
  #lead = null;
  #led_ms = -Infinity;
  #last_captured_ms = -Infinity;
  #updated_ms = -Infinity;

  /**
   * Take in a result, unless a newer one has overtaken it.
   * @param {Result} result
   * @param {number} captured_ms when its frame was captured
   * @param {number} now_ms
   * @param {number} scale pixels of the video for each pixel of the frame that was sent
   */
  update(result, captured_ms, now_ms, scale) {
    if (captured_ms <= this.#last_captured_ms) return;
    this.#last_captured_ms = captured_ms;
    this.#updated_ms = now_ms;
    for (const tracked of this.#tracked.values()) tracked.missing_since_ms ??= now_ms;
    for (const face of result.faces) this.#track(scaledFace(face, scale), captured_ms);
    this.#chooseLead(now_ms);
  }

  /** @param {Face} face @param {number} captured_ms */
  #track(face, captured_ms) {
    const known = this.#tracked.get(face.id);
    known?.motion.measure(face.box, captured_ms);
    const motion = known?.motion ?? new BoxMotion(face.box, captured_ms);
    this.#tracked.set(face.id, { face, motion, shown: known?.shown ?? shownOf(face), missing_since_ms: null });
  }

  /** Show the newest names and numbers from now on. @param {number} now_ms */
  settle(now_ms) {
    this.#forget(now_ms); // in a hidden tab nothing is drawn, so `at()` does not
    for (const tracked of this.#tracked.values()) tracked.shown = shownOf(tracked.face);
  }

  /** Whether results came lately, so that what is shown is of now. @param {number} now_ms */
  isCurrent(now_ms) {
    return now_ms - this.#updated_ms <= STALE_MS;
  }

  /** The faces to draw at a time, the selected one last. @param {number} now_ms @returns {DrawnFace[]} */
  at(now_ms) {
    this.#forget(now_ms);
    const selected = this.selected;
    return [...this.#tracked.values()]
      .map(({ face, motion, shown, missing_since_ms }) => ({
        id: face.id,
        face,
        box: motion.at(now_ms),
        shown,
        opacity: Math.min(1, 1 - (now_ms - (missing_since_ms ?? now_ms) - MAX_MISSING_MS) / FADE_MS),
        selected: face.id === selected?.id,
      }))
      .sort((first, second) => Number(first.selected) - Number(second.selected));
  }

  /** @param {number} now_ms */
  #forget(now_ms) {
    const stale = !this.isCurrent(now_ms);
    for (const [id, tracked] of this.#tracked) {
      if (stale) tracked.missing_since_ms ??= now_ms;
      if (now_ms - (tracked.missing_since_ms ?? now_ms) > MAX_MISSING_MS + FADE_MS) this.#tracked.delete(id);
    }
  }

  /** What is shown of every face, by id; `present`: the last result had it. */
  get faces() {
    return [...this.#tracked.values()]
      .map(({ face, shown, missing_since_ms }) => ({ id: face.id, shown, present: missing_since_ms === null }))
      .sort((first, second) => first.id - second.id);
  }

  /** The chosen face while it is in view, else the leading one. */
  get selected() {
    const tracked = this.#find(this.#chosen) ?? this.#find(this.#lead) ?? this.#largest();
    return tracked ? { id: tracked.face.id, shown: tracked.shown } : null;
  }

  /** The lead changes only for a clearly larger face, so that two of about the same size do not alternate. @param {number} now_ms */
  #chooseLead(now_ms) {
    const lead = this.#find(this.#lead);
    const largest = this.#largest();
    if (lead && largest.face.box[2] < CLEARLY_WIDER * lead.face.box[2]) this.#led_ms = now_ms;
    if (lead && now_ms - this.#led_ms < TAKEOVER_MS) return;
    this.#lead = largest?.face.id ?? null;
    this.#led_ms = now_ms;
  }

  /** @param {number | null} id */
  #find(id) {
    return id === null ? undefined : this.#tracked.get(id);
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

  /** Choose the face under a point of the video. @param {import("../shared/protocol.js").Point} point @param {number} now_ms */
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
