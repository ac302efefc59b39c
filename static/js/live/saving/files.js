import { minuteCsv } from "./minute_csv.js";
import { minutePicture } from "./minute_picture.js";
import { pictureOf, saveAs, timeInName } from "../../shared/download.js";

/**
 * What people keep of the live view, as files that the browser makes; nothing is sent.
 *
 * @typedef {import("./minute_log.js").Logged} Logged
 * @typedef {import("../panel/minute_chart.js").Sample} Sample
 */

/**
 * The last minute: everything measured as a table, and the chart as a picture.
 * @param {readonly Logged[]} results @param {{samples: readonly Sample[], now_ms: number}} shown by the chart
 */
export async function saveMinute(results, { samples, now_ms }) {
  const end = new Date(performance.timeOrigin + now_ms);
  const name = `mien-minute-${timeInName(end)}`;
  const picture = await pictureOf(minutePicture(samples, now_ms, end));
  saveAs(new Blob([minuteCsv(results, performance.timeOrigin)], { type: "text/csv" }), `${name}.csv`);
  saveAs(picture, `${name}.png`);
}

/** What is seen now: the video, mirrored or not, with boxes and labels. @param {import("../overlay/overlay.js").Overlay} overlay */
export async function saveSnapshot(overlay) {
  const name = `mien-snapshot-${timeInName(new Date())}.png`;
  const canvas = document.createElement("canvas");
  overlay.drawPicture(canvas);
  saveAs(await pictureOf(canvas), name);
}
