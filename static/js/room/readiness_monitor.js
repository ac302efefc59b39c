import { every } from "../shared/dom.js";
import { LightMeter } from "./light.js";
import { CHECKS, ResultRate, SteadyReadiness, UNKNOWN } from "./readiness.js";

/**
 * Watches a live view, and tells what is missing whenever that changes.
 *
 * @typedef {import("./readiness.js").Readiness} Readiness
 * @typedef {import("../shared/protocol.js").Result} Result
 */

/** Twice a second: measuring the light takes a millisecond or two. */
const CHECK_MS = 500;

/** An older result says nothing about now. */
const FRESH_MS = 2000;

export class ReadinessMonitor {
  #light = new LightMeter();
  #rate = new ResultRate();
  #steady = new SteadyReadiness();
  /** @type {Result | null} */
  #result = null;
  #result_ms = -Infinity;
  #told = UNKNOWN;
  /** @type {{stop: () => void} | null} */
  #checks = null;

  /** @param {HTMLVideoElement} video @param {(readiness: Readiness) => void} onChange */
  constructor(video, onChange) {
    this.video = video;
    this.onChange = onChange;
  }

  /** What was told last. @returns {Readiness} */
  get readiness() {
    return this.#told;
  }

  start() {
    this.stop();
    this.#checks = every(CHECK_MS, () => this.#check(performance.now()));
  }

  /** Watch no more, and know nothing any longer. */
  stop() {
    this.#checks?.stop();
    this.#checks = null;
    this.#rate.clear();
    this.#steady.clear();
    this.#result = null;
    this.#tell(UNKNOWN);
  }

  /** A result came. @param {Result} result */
  take(result) {
    this.#result = result;
    this.#result_ms = performance.now();
    this.#rate.count(this.#result_ms);
  }

  /** @param {number} now_ms */
  #check(now_ms) {
    const result = now_ms - this.#result_ms <= FRESH_MS ? this.#result : null;
    const light = this.#light.measure(this.video, result);
    const shown = this.#steady.take(result, { frames_per_s: this.#rate.at(now_ms), light }, now_ms);
    this.#tell(result ? shown : { ...UNKNOWN, rate: shown.rate });
  }

  /** @param {Readiness} readiness */
  #tell(readiness) {
    if (CHECKS.every((name) => readiness[name] === this.#told[name])) return;
    this.#told = readiness;
    this.onChange(readiness);
  }
}
