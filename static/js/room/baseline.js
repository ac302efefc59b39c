import { LABELS, MIN_RELATIVE } from "../shared/expressions.js";

/**
 * A result as compared with a person's neutral face. Pure.
 *
 * @typedef {import("../shared/protocol.js").Result} Result
 * @typedef {import("../shared/protocol.js").Face} Face
 */

/** The result with relative probabilities in place of the plain ones. @param {Result} result @returns {Result} */
export function comparedWithNeutral(result) {
  return { ...result, faces: result.faces.map(comparedFace) };
}

/** @param {Face} face @returns {Face} */
function comparedFace(face) {
  const probabilities = face.relative_probabilities;
  if (!probabilities) return face;
  const first = LABELS.reduce((best, next) => (probabilities[next] > probabilities[best] ? next : best));
  const expression = probabilities[first] >= MIN_RELATIVE ? first : "neutral";
  return { ...face, probabilities, expression, confidence: probabilities[expression] };
}
