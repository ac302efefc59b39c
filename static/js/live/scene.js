import { contains, scaled } from "./geometry.js";
import { BoxMotion } from "./motion.js";

/**
 * The faces in view, in pixels of the video: who they are, where they glide, which one is selected. Pure:
 * the clock comes in as an argument.
 *
 * What is shown of an expression changes only with `settle()`, so that names and numbers stay calm.
 *
 * @typedef {import("../shared/protocol.js").Face} Face
 * @typedef {import("../shared/protocol.js").Result} Result
 * @typedef {import("../shared/protocol.js").Label} Label
 * @typedef {import("../shared/protocol.js").Box} Box
 * @typedef {{expression: Label, confidence: number, probabilities: Record<Label, number>}} Shown
 * @typedef {{id: number, face: Face, box: Box, shown: Shown, opacity: number, selected: boolean}} DrawnFace
 * @typedef {{face: Face, motion: BoxMotion, shown: Shown, gone_ms: number | null}} Tracked
 *   `gone_ms`: when a result came without the face
 */

/** A face may be missed for this long before it begins to fade. */
const GRACE_MS = 150;
const FADE_MS = 200;

/** With no result for this long, all faces are gone. Far above a slow round trip, so that boxes stay then. */
const STALE_MS = 2000;

/** The largest face is shown in the panel until another is this much wider for this long. */
const CLEARLY_WIDER = 1.25;
const TAKEOVER_MS = 1000;

export class Scene {
  /** @type {Map<number, Tracked>} */
  #tracked = new Map();
  /** @type {number | null} */
  #chosen = null;
  /** @type {number | null} whose face is shown where none was chosen */
  #lead = null;
  #led_ms = -Infinity;
  #captured_ms = -Infinity;
  #taken_ms = -Infinity;

  /**
   * Take a result; one that a newer result overtook is left out.
   * @param {Result} result
   * @param {number} captured_ms when its picture was taken
   * @param {number} now_ms
   * @param {number} scale pixels of the video for one of the picture that was sent
   */
  take(result, captured_ms, now_ms, scale) {
    if (captured_ms <= this.#captured_ms) return;
    this.#captured_ms = captured_ms;
    this.#taken_ms = now_ms;
    for (const tracked of this.#tracked.values()) tracked.gone_ms ??= now_ms;
    for (const face of result.faces) this.#follow(scaled(face, scale), captured_ms);
    this.#chooseLead(now_ms);
  }

  /** @param {Face} face @param {number} captured_ms */
  #follow(face, captured_ms) {
    const known = this.#tracked.get(face.id);
    known?.motion.measure(face.box, captured_ms);
    const motion = known?.motion ?? new BoxMotion(face.box, captured_ms);
    this.#tracked.set(face.id, { face, motion, shown: known?.shown ?? shownOf(face), gone_ms: null });
  }

  /** Show the newest names and numbers from now on. @param {number} now_ms */
  settle(now_ms) {
    this.#forget(now_ms); // in a hidden tab nothing is drawn, so `at()` does not
    for (const tracked of this.#tracked.values()) tracked.shown = shownOf(tracked.face);
  }

  /** The faces to draw at a time, the selected one last. @param {number} now_ms @returns {DrawnFace[]} */
  at(now_ms) {
    this.#forget(now_ms);
    const selected = this.selected;
    return [...this.#tracked.values()]
      .map(({ face, motion, shown, gone_ms }) => ({
        id: face.id,
        face,
        box: motion.at(now_ms),
        shown,
        opacity: Math.min(1, 1 - (now_ms - (gone_ms ?? now_ms) - GRACE_MS) / FADE_MS),
        selected: face.id === selected?.id,
      }))
      .sort((first, second) => Number(first.selected) - Number(second.selected));
  }

  /** @param {number} now_ms */
  #forget(now_ms) {
    const stale = now_ms - this.#taken_ms > STALE_MS;
    for (const [id, tracked] of this.#tracked) {
      if (stale) tracked.gone_ms ??= now_ms;
      if (now_ms - (tracked.gone_ms ?? now_ms) > GRACE_MS + FADE_MS) this.#tracked.delete(id);
    }
  }

  /** What is shown of every face, by id. */
  get faces() {
    return [...this.#tracked.values()]
      .map(({ face, shown }) => ({ id: face.id, shown }))
      .sort((first, second) => first.id - second.id);
  }

  /** The face that was chosen while it is in view, else the one that leads. */
  get selected() {
    const tracked = this.#find(this.#chosen) ?? this.#find(this.#lead) ?? this.#largest();
    return tracked ? { id: tracked.face.id, shown: tracked.shown } : null;
  }

  /** Of two faces of about one size neither takes the lead from the other by a hair. @param {number} now_ms */
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
