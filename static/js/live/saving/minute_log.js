import { RollingWindow } from "../../shared/rolling_window.js";
import { SPAN_MS } from "../../shared/chart_style.js";

/**
 * The results of the last minute, without landmarks: about two megabytes for one face at 30 frames a second. Pure.
 *
 * @typedef {import("../../shared/samples_csv.js").Measured} Measured
 * @typedef {{captured_ms: number, width: number, height: number, faces: Measured[]}} Logged
 *   `captured_ms` on the clock of `performance.now()`
 */
export class MinuteLog {
  /** @type {RollingWindow<Logged>} */
  #results = new RollingWindow(SPAN_MS);

  /** @param {import("../../shared/protocol.js").Result} result @param {number} captured_ms @param {number} now_ms */
  add({ width, height, faces }, captured_ms, now_ms) {
    this.#results.add({ captured_ms, width, height, faces: faces.map(measuredOf) }, now_ms);
  }

  /** Those captured in the minute before a time, in their order; answers may have overtaken each other. @param {number} now_ms @returns {Logged[]} */
  before(now_ms) {
    return this.#results
      .values(now_ms)
      .filter(({ captured_ms }) => now_ms - captured_ms < SPAN_MS)
      .sort((first, second) => first.captured_ms - second.captured_ms);
  }
}

/** @param {import("../../shared/protocol.js").Face} face @returns {Measured} */
function measuredOf({ landmarks: _left_out, relative_probabilities: _too, ...measured }) {
  return measured;
}
