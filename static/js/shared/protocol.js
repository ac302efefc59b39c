/**
 * The wire contract as types; `webapp/protocol.py` is the other side of it.
 *
 * The page emits `frame` with a FrameMeta and the encoded image, and is answered with one Answer.
 *
 * @typedef {"angry" | "disgust" | "fear" | "happy" | "sad" | "surprise" | "neutral"} Label
 * @typedef {[number, number]} Point             x to the right, y down, pixels
 * @typedef {[number, number, number, number]} Box    x, y, width, height, pixels
 * @typedef {Record<string, Point[]>} Landmarks  named polylines
 *
 * @typedef {object} FrameMeta
 * @property {number} seq
 * @property {number} captured_ms  milliseconds since 1970, by this computer's clock
 * @property {number} [smoothing_s]  the time constant of the probabilities; else the server's own
 *
 * @typedef {object} Face
 * @property {number} id           the same while a face is tracked
 * @property {Box} box
 * @property {number} score
 * @property {Landmarks} landmarks
 * @property {{yaw: number, pitch: number, roll: number}} pose
 * @property {Label} expression
 * @property {number} confidence
 * @property {number} valence
 * @property {Record<Label, number>} probabilities      smoothed by the server
 * @property {Record<Label, number>} raw_probabilities
 * @property {Record<Label, number>} [relative_probabilities]  compared with neutral: in a room, with a baseline
 *
 * @typedef {object} Result
 * @property {number} seq
 * @property {number} width        of the frame as sent
 * @property {number} height
 * @property {Face[]} faces
 * @property {Record<string, number>} timing_ms
 *
 * @typedef {object} Problem
 * @property {number | null} seq
 * @property {{code: "bad_frame" | "too_large" | "busy" | "unavailable" | "not_joined" | "not_here", message: string}} problem
 *
 * @typedef {Result | Problem} Answer
 */

/** @param {Answer} answer @returns {answer is Problem} */
export function isProblem(answer) {
  return "problem" in answer;
}
