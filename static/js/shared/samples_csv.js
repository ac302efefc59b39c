import { LABELS } from "./expressions.js";

/**
 * Analyzed faces as CSV with the columns of the server's exports; `webapp/export/codebook.py` explains each. Pure.
 *
 * @typedef {import("./protocol.js").Face} Face
 * @typedef {Omit<Face, "landmarks" | "relative_probabilities">} Measured
 * @typedef {string | number | null} Cell
 */

/** The exports' names of the expressions, in the order of LABELS. */
const EXPORT_NAMES = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"];

const FACE_COLUMNS = [
  ..."face_id,FaceRectX,FaceRectY,FaceRectWidth,FaceRectHeight,FaceScore,Pitch,Roll,Yaw".split(","),
  ...EXPORT_NAMES,
  "valence",
  ...EXPORT_NAMES.map((name) => `smooth_${name}`),
];

/** In the order of FACE_COLUMNS. @param {Measured} face @returns {number[]} */
function cellsOf({ id, box, score, pose, raw_probabilities, probabilities }) {
  const alone = LABELS.map((label) => raw_probabilities[label]);
  const smooth = LABELS.map((label) => probabilities[label]);
  return [id, ...box, score, pose.pitch, pose.roll, pose.yaw, ...alone, valence(raw_probabilities), ...smooth];
}

/**
 * A row for each face, and one with empty cells for a frame without a face.
 * @param {readonly string[]} names of the columns before those of a face
 * @param {Iterable<{cells: readonly Cell[], faces: readonly Measured[]}>} frames
 */
export function samplesCsv(names, frames) {
  const lines = [[...names, ...FACE_COLUMNS].join(",")];
  for (const { cells, faces } of frames) {
    const start = cells.map(written);
    if (faces.length === 0) lines.push([...start, ...FACE_COLUMNS.map(() => "")].join(","));
    for (const face of faces) lines.push([...start, ...cellsOf(face)].join(","));
  }
  return `${lines.join("\n")}\n`;
}

/** Happiness minus the largest of anger, disgust, fear and sadness. @param {Record<string, number>} probabilities */
function valence({ happy, angry, disgust, fear, sad }) {
  return Number((happy - Math.max(angry, disgust, fear, sad)).toFixed(6));
}

/** What could begin a formula in a spreadsheet gets an apostrophe before it, as in the server's exports. */
const FORMULA = /^(?=[\t\n])|(?:^|[;\t\n])(?=\s*[=+\-@＝＋－＠])/g;

/** @param {Cell} cell */
function written(cell) {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  const safe = cell.replace(/\r\n?/g, "\n").replace(FORMULA, "$&'");
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
