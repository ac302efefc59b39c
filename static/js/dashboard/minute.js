import { SPAN_MS } from "../shared/chart_style.js";
import { RollingWindow } from "../shared/rolling_window.js";

/**
 * The values of the last minute, which can be filled up with what the server kept.
 *
 * @typedef {{probabilities: number[], valence: number} | null} Shown  in the order of LABELS; null: no face
 * @typedef {{at_ms: number, value: Shown}} Value
 */

/** Values that are closer together than this say the same. */
const SAME_MS = 500;

export class Minute {
  /** @type {RollingWindow<Shown>} */
  #window = new RollingWindow(SPAN_MS);

  /** @param {Shown} shown @param {number} now_ms */
  add(shown, now_ms) {
    this.#window.add(shown, now_ms);
  }

  /** Oldest first. @param {number} now_ms @returns {readonly Value[]} */
  values(now_ms) {
    return this.#window.items(now_ms);
  }

  /** Fill the gaps with what was measured before, or meanwhile. @param {Value[]} past @param {number} now_ms */
  restore(past, now_ms) {
    const known = [...this.#window.items(now_ms)];
    const taken = new Set(known.filter(({ value }) => value).map(({ at_ms }) => Math.round(at_ms / SAME_MS)));
    const missing = past.filter(({ at_ms }) => !taken.has(Math.round(at_ms / SAME_MS)) && at_ms <= now_ms);
    this.#window.clear();
    for (const { at_ms, value } of [...known, ...missing].sort((one, other) => one.at_ms - other.at_ms)) {
      this.#window.add(value, at_ms);
    }
  }

  /** Whether anything was measured. @param {number} now_ms */
  isEmpty(now_ms) {
    return this.#window.values(now_ms).every((value) => value === null);
  }

  clear() {
    this.#window.clear();
  }
}
