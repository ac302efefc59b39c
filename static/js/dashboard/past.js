import { LABELS } from "../shared/expressions.js";

/**
 * The minute before a board was opened, as the server sends it: webapp/rooms/dashboard/history.py has the format.
 *
 * @typedef {import("./minute.js").Shown} Shown
 * @typedef {import("./minute.js").Value[]} Past
 * @typedef {{step_ms: number, age_ms: number, ids: string[], values: ArrayBuffer}} SentPast
 */

/** The id that stands for everybody together. */
export const GROUP = "";

const VALUE_BYTES = LABELS.length + 1;
const NOTHING = 255;
const PROBABILITY_STEPS = 250;
const VALENCE_STEPS = 100;

/**
 * What was measured of each, oldest first.
 * @param {SentPast} sent @param {number} now_ms on this page's clock @returns {Map<string, Past>}
 */
export function decodePast({ step_ms, age_ms, ids, values }, now_ms) {
  const bytes = new Uint8Array(values);
  const count = bytes.length / VALUE_BYTES / Math.max(1, ids.length);
  const time = (/** @type {number} */ at) => now_ms - age_ms - step_ms * (count - 1 - at);
  return new Map(ids.map((id, index) => {
    const rows = Array.from({ length: count }, (_, at) => ({ at_ms: time(at), row: rowOf(bytes, index * count + at) }));
    return [id, rows.filter(({ row }) => row[0] !== NOTHING).map(({ at_ms, row }) => ({ at_ms, value: shownOf(row) }))];
  }));
}

/** @param {Uint8Array} bytes @param {number} index */
function rowOf(bytes, index) {
  return bytes.subarray(index * VALUE_BYTES, (index + 1) * VALUE_BYTES);
}

/** @param {Uint8Array} row @returns {Shown} */
function shownOf(row) {
  const probabilities = [...row.subarray(0, LABELS.length)].map((share) => share / PROBABILITY_STEPS);
  return { probabilities, valence: row[LABELS.length] / VALENCE_STEPS - 1 };
}
