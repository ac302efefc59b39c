import { samplesCsv } from "../../shared/samples_csv.js";

/**
 * The last minute as CSV: a row for each face in each analyzed frame, one with an empty `face_id` for a frame without
 * a face, and none for a time in which nothing was analyzed. Pure.
 *
 * `frame` counts from 0, `timestamp` is UTC by this computer's clock, `t` the seconds since the first frame.
 *
 * @param {readonly import("./minute_log.js").Logged[]} results in the order of their times
 * @param {number} origin_ms what `performance.now()` counts from, in milliseconds since 1970
 */
export function minuteCsv(results, origin_ms) {
  return samplesCsv(
    ["frame", "timestamp", "t", "width", "height"],
    results.map(({ captured_ms, width, height, faces }, frame) => {
      const t = Number(((captured_ms - results[0].captured_ms) / 1000).toFixed(3));
      return { cells: [frame, new Date(origin_ms + captured_ms).toISOString(), t, width, height], faces };
    }),
  );
}
