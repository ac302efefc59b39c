import { chartFont } from "../../shared/chart_style.js";
import { COLOURS, LABELS, nameOf } from "../../shared/expressions.js";
import { drawMinute } from "../panel/minute_chart.js";
import { formatDate, t } from "../../shared/translate.js";

/**
 * The chart of the last minute as an image for documents: on white, with the time and a legend.
 *
 * @typedef {import("../panel/minute_chart.js").Sample} Sample
 */

const SIZE = { width: 960, height: 400 };
const PIXEL_RATIO = 2;
const MARGIN = 24;
const TITLE_HEIGHT = 40;
const LEGEND_HEIGHT = 36;
const SWATCH = 12;
const PAPER = "#ffffff";
const INK = "#14161b";

/** @param {readonly Sample[]} samples @param {number} now_ms when the minute ends @param {Date} end the same by the clock */
export function minuteImage(samples, now_ms, end) {
  const canvas = Object.assign(document.createElement("canvas"), { width: PIXEL_RATIO * SIZE.width, height: PIXEL_RATIO * SIZE.height });
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser cannot draw an image now.");
  context.scale(PIXEL_RATIO, PIXEL_RATIO);
  context.fillStyle = PAPER;
  context.fillRect(0, 0, SIZE.width, SIZE.height);
  drawTitle(context, t("Facial expressions, 60 seconds until %(time)s", { time: formatDate(end) }));
  drawChart(context, samples, now_ms);
  drawLegend(context);
  return canvas;
}

/** @param {CanvasRenderingContext2D} context @param {string} title */
function drawTitle(context, title) {
  const rightToLeft = document.documentElement.dir === "rtl";
  context.font = chartFont(16, 650);
  context.fillStyle = INK;
  context.textBaseline = "middle";
  context.textAlign = rightToLeft ? "right" : "left";
  context.fillText(title, rightToLeft ? SIZE.width - MARGIN : MARGIN, TITLE_HEIGHT / 2 + MARGIN / 4);
}

/** @param {CanvasRenderingContext2D} context @param {readonly Sample[]} samples @param {number} now_ms */
function drawChart(context, samples, now_ms) {
  context.save();
  context.translate(MARGIN, TITLE_HEIGHT);
  drawMinute(context, { width: SIZE.width - 2 * MARGIN, height: SIZE.height - TITLE_HEIGHT - LEGEND_HEIGHT }, samples, now_ms, INK);
  context.restore();
}

/** The seven expressions beside each other. @param {CanvasRenderingContext2D} context */
function drawLegend(context) {
  const step = (SIZE.width - 2 * MARGIN) / LABELS.length;
  const middle = SIZE.height - LEGEND_HEIGHT / 2;
  context.font = chartFont(13);
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (const [index, label] of LABELS.entries()) {
    const left = MARGIN + index * step;
    context.fillStyle = COLOURS[label];
    context.fillRect(left, middle - SWATCH / 2, SWATCH, SWATCH);
    context.fillStyle = INK;
    context.fillText(nameOf(label), left + 1.5 * SWATCH, middle, step - 2 * SWATCH);
  }
}
