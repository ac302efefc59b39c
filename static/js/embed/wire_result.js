import { mainFace } from "../room/readiness.js";

/**
 * A result as the page around gets it: of the main face, without its points.
 *
 * @typedef {import("../shared/protocol.js").Label} Label
 * @typedef {object} WireFace
 * @property {Label} expression
 * @property {number} confidence
 * @property {number} valence  -1 to 1, smoothed as the probabilities are
 * @property {Record<Label, number>} probabilities      smoothed over time
 * @property {Record<Label, number>} raw_probabilities  of this frame alone
 * @property {Record<Label, number>} [relative_probabilities]  compared with the person's own neutral
 * @property {number} score    how clearly the face is seen, 0 to 1
 * @property {{yaw: number, pitch: number, roll: number}} pose
 * @property {[number, number, number, number]} box
 *
 * @typedef {object} WireResult
 * @property {number} captured  milliseconds since 1970
 * @property {number} faces     how many were found
 * @property {WireFace | null} face  the widest one
 * @property {number} width     of the frame as sent, pixels
 * @property {number} height
 * @property {number} round_trip  milliseconds
 */

/** @param {import("../shared/protocol.js").Result} result @param {number} captured @param {number} round_trip @returns {WireResult} */
export function wireResult(result, captured, round_trip) {
  const { width, height, faces } = result;
  const main = mainFace(result);
  return { captured, faces: faces.length, face: main && wireFace(main), width, height, round_trip };
}

/** @param {import("../shared/protocol.js").Face} face @returns {WireFace} */
function wireFace({ expression, confidence, valence, probabilities, raw_probabilities, relative_probabilities, score, pose, box }) {
  const relative = relative_probabilities ? { relative_probabilities } : {};
  return { expression, confidence, valence, probabilities, raw_probabilities, ...relative, score, pose, box };
}
