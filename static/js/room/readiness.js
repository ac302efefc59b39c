import { CHECKS } from "../shared/readiness_texts.js";
import { RollingWindow } from "../shared/rolling_window.js";

/**
 * Whether a camera's frames are good enough to be analyzed: light, size of the face, pose, frame rate, and one face.
 * Pure: what was measured and the clock come in as arguments.
 *
 *     const now = assess(result, { frames_per_s, light }, before);   // one result, with hysteresis if `before` is given
 *     const steady = new SteadyReadiness();                          // what may be shown: nothing that flickers
 *
 * docs/experiments.md, "Recording conditions", has the measurements behind the limits.
 *
 * @typedef {import("../shared/protocol.js").Result} Result
 * @typedef {import("../shared/protocol.js").Face} Face
 *
 * @typedef {object} Light  grey values from 0 to 255
 * @property {number | null} brightness  mean over the box of the main face; null where there is none
 * @property {number | null} contrast    standard deviation over it
 * @property {number} around             mean over the whole frame
 *
 * @typedef {object} Stats
 * @property {number | null} frames_per_s  results a second; null until it is known
 * @property {Light | null} light          null until it is known
 *
 * @typedef {object} Readiness  each is "ok", what is wrong, or "unknown"
 * @property {"ok" | "dark" | "bright" | "backlit" | "flat" | "unknown"} light
 * @property {"ok" | "far" | "near" | "unknown"} size
 * @property {"ok" | "turned" | "tilted" | "unknown"} pose
 * @property {"ok" | "slow" | "unknown"} rate
 * @property {"ok" | "none" | "several" | "unknown"} face
 * @property {boolean} ready  whether all of them are ok
 *
 * @typedef {{enough: number, keep: number}} Limit
 *   what is not good is so from `enough` on, and what is good stays so down (or up) to `keep`
 */

export { CHECKS };

/** Grey values of the face: at 26 accuracy is a point lower, at 13 seven, as a camera's noise stays. @type {Limit} */
export const MIN_BRIGHTNESS = { enough: 32, keep: 26 };

/** Brighter faces are clipped by the camera: at 190 accuracy is as ever, at 219 ten points lower. @type {Limit} */
export const MAX_BRIGHTNESS = { enough: 200, keep: 208 };

/** Standard deviation of the grey values: at 9 accuracy is a point lower, at 4 seven. @type {Limit} */
export const MIN_CONTRAST = { enough: 8, keep: 6 };

/** By how much the frame may be brighter than the face: behind it is a window. @type {Limit} */
export const MAX_BACKLIGHT = { enough: 60, keep: 75 };

/** Below this brightness a face counts as back-lit; above it a bright wall does no harm. */
export const BACKLIT_BELOW = 90;

/** Height of the face's box in pixels of the frame as sent: at 45 accuracy is three points lower. @type {Limit} */
export const MIN_HEIGHT = { enough: 56, keep: 48 };

/** Fraction of the frame's height that a face may take. @type {Limit} */
export const MAX_HEIGHT = { enough: 0.9, keep: 0.96 };

/** Degrees to either side. @type {Limit} */
export const MAX_YAW = { enough: 25, keep: 30 };

/** Degrees up or down. @type {Limit} */
export const MAX_PITCH = { enough: 20, keep: 25 };

/** Degrees to either shoulder. @type {Limit} */
export const MAX_ROLL = { enough: 25, keep: 30 };

/**
 * Results a second: with five, an expression of half a second is seen at least twice. Under five the page sends
 * smaller frames too.
 * @type {Limit}
 */
export const MIN_RATE = { enough: 5, keep: 4 };

/** A second face counts from this fraction of the main face's width on; smaller ones are people behind. */
export const OTHER_FACE = 0.5;

/** Something has to be so for this long before it is shown. */
export const HOLD_MS = 1000;

/** Over how long results are counted. */
const RATE_SPAN_MS = 3000;

/** @type {Readiness} */
export const UNKNOWN = Object.freeze({ light: "unknown", size: "unknown", pose: "unknown", rate: "unknown", face: "unknown", ready: false });

/**
 * What one result says.
 * @param {Result | null} result null: none came lately
 * @param {Stats} stats
 * @param {Readiness} [before] what was assessed before: its limits are kept a little longer
 * @returns {Readiness}
 */
export function assess(result, stats, before = UNKNOWN) {
  const main = result && mainFace(result);
  return withReady({
    light: lightOf(stats.light, before.light),
    size: result && main ? sizeOf(main, result, before.size) : "unknown",
    pose: main ? poseOf(main, before.pose) : "unknown",
    rate: rateOf(stats.frames_per_s, before.rate),
    face: result ? faceOf(result) : "unknown",
  });
}

/** The face that counts: the widest. @param {Result} result @returns {Face | null} */
export function mainFace({ faces }) {
  return faces.length > 0 ? faces.reduce((widest, next) => (next.box[2] > widest.box[2] ? next : widest)) : null;
}

/** @param {Light | null} light @param {string} before @returns {Readiness["light"]} */
function lightOf(light, before) {
  if (!light) return "unknown";
  const { contrast, around } = light;
  const brightness = light.brightness ?? around;
  if (!isAtMost(around - brightness, MAX_BACKLIGHT, before !== "backlit") && brightness < BACKLIT_BELOW) return "backlit";
  if (!isAtLeast(brightness, MIN_BRIGHTNESS, before !== "dark")) return "dark";
  if (!isAtMost(brightness, MAX_BRIGHTNESS, before !== "bright")) return "bright";
  if (contrast !== null && !isAtLeast(contrast, MIN_CONTRAST, before !== "flat")) return "flat";
  return light.brightness === null ? "unknown" : "ok";
}

/** @param {Face} face @param {Result} result @param {string} before @returns {Readiness["size"]} */
function sizeOf({ box: [, , , high] }, { height }, before) {
  if (!isAtLeast(high, MIN_HEIGHT, before !== "far")) return "far";
  return isAtMost(high / height, MAX_HEIGHT, before !== "near") ? "ok" : "near";
}

/** @param {Face} face @param {string} before @returns {Readiness["pose"]} */
function poseOf({ pose: { yaw, pitch, roll } }, before) {
  const straight = before !== "turned";
  if (!isAtMost(Math.abs(yaw), MAX_YAW, straight) || !isAtMost(Math.abs(pitch), MAX_PITCH, straight)) return "turned";
  return isAtMost(Math.abs(roll), MAX_ROLL, before !== "tilted") ? "ok" : "tilted";
}

/** @param {number | null} frames_per_s @param {string} before @returns {Readiness["rate"]} */
function rateOf(frames_per_s, before) {
  if (frames_per_s === null) return "unknown";
  return isAtLeast(frames_per_s, MIN_RATE, before !== "slow") ? "ok" : "slow";
}

/** @param {Result} result @returns {Readiness["face"]} */
function faceOf(result) {
  const main = mainFace(result);
  if (!main) return "none";
  const large = result.faces.filter(({ box }) => box[2] >= OTHER_FACE * main.box[2]);
  return large.length > 1 ? "several" : "ok";
}

/** @param {number} value @param {Limit} limit @param {boolean} wasGood */
function isAtLeast(value, { enough, keep }, wasGood) {
  return value >= (wasGood ? keep : enough);
}

/** @param {number} value @param {Limit} limit @param {boolean} wasGood */
function isAtMost(value, { enough, keep }, wasGood) {
  return value <= (wasGood ? keep : enough);
}

/** @param {Omit<Readiness, "ready">} checks @returns {Readiness} */
function withReady(checks) {
  return { ...checks, ready: CHECKS.every((name) => checks[name] === "ok") };
}

/** Assessments that may be shown: each check changes only once it has been otherwise for `HOLD_MS`. */
export class SteadyReadiness {
  /** @type {Readiness} */
  #shown = UNKNOWN;
  /** @type {Readiness} */
  #newest = UNKNOWN;
  /** Since when each check is what it is now. @type {Map<string, number>} */
  #since_ms = new Map();

  /** What to show. @returns {Readiness} */
  get shown() {
    return this.#shown;
  }

  /** @param {Result | null} result @param {Stats} stats @param {number} now_ms @returns {Readiness} what to show */
  take(result, stats, now_ms) {
    const assessed = assess(result, stats, this.#newest);
    for (const name of CHECKS) {
      if (assessed[name] !== this.#newest[name] || !this.#since_ms.has(name)) this.#since_ms.set(name, now_ms);
    }
    this.#newest = assessed;
    const settled = (/** @type {typeof CHECKS[number]} */ name) => now_ms - (this.#since_ms.get(name) ?? now_ms) >= HOLD_MS;
    const checks = CHECKS.map((name) => [name, settled(name) ? assessed[name] : this.#shown[name]]);
    this.#shown = withReady(Object.fromEntries(checks));
    return this.#shown;
  }

  /** Start over, as after a pause or with another camera. */
  clear() {
    this.#shown = this.#newest = UNKNOWN;
    this.#since_ms.clear();
  }
}

/** How many results a second come; null until that can be said. */
export class ResultRate {
  /** @type {RollingWindow<null>} */
  #results = new RollingWindow(RATE_SPAN_MS);
  /** @type {number | null} */
  #began_ms = null;

  /** A result came. @param {number} now_ms */
  count(now_ms) {
    this.#began_ms ??= now_ms;
    this.#results.add(null, now_ms);
  }

  /** @param {number} now_ms @returns {number | null} */
  at(now_ms) {
    if (this.#began_ms === null || now_ms - this.#began_ms < RATE_SPAN_MS) return null;
    return (1000 * this.#results.items(now_ms).length) / RATE_SPAN_MS;
  }

  clear() {
    this.#results.clear();
    this.#began_ms = null;
  }
}
