import { minuteCsv } from "./minute_csv.js";
import { minuteImage } from "./minute_image.js";
import { imageOf, saveAs, timeInName } from "../../shared/download.js";

/**
 * What people keep of the live view, as files that the browser makes; nothing is sent.
 *
 * @typedef {import("./minute_log.js").Logged} Logged
 * @typedef {import("../panel/minute_chart.js").Sample} Sample
 */

/**
 * The last minute: everything measured as a table, and the chart as an image.
 * @param {readonly Logged[]} results @param {{samples: readonly Sample[], now_ms: number}} shown by the chart
 */
export async function saveMinute(results, { samples, now_ms }) {
  const origin_ms = Date.now() - performance.now(); // `timeOrigin` knows nothing of a computer that slept
  const end = new Date(origin_ms + now_ms);
  const name = `mien-minute-${timeInName(end)}`;
  const image = await imageOf(minuteImage(samples, now_ms, end));
  saveAs(new Blob([minuteCsv(results, origin_ms)], { type: "text/csv" }), `${name}.csv`);
  saveAs(image, `${name}.png`);
}

/** What is seen now: the video, mirrored or not, with boxes and labels. @param {import("../overlay/overlay.js").Overlay} overlay */
export async function saveSnapshot(overlay) {
  const name = `mien-snapshot-${timeInName(new Date())}.png`;
  const canvas = document.createElement("canvas");
  overlay.drawPicture(canvas);
  saveAs(await imageOf(canvas), name);
}
