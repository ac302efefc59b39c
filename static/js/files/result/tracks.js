import { LABELS } from "../../shared/expressions.js";

/**
 * The faces of a file as tracks: when each is seen, and the strongest moment of each expression that it leads with. Pure.
 *
 * @typedef {import("../../shared/protocol.js").Label} Label
 * @typedef {import("../../shared/protocol.js").Box} Box
 * @typedef {{label: Label, t: number, probability: number, box: Box}} Moment
 * @typedef {{id: number, start_s: number, end_s: number, frames: number, moments: Moment[]}} Track
 */

/** The one seen in most frames first. @param {import("./frames.js").Frames} frames @returns {Track[]} */
export function tracksOf({ list }) {
  /** @type {Map<number, Track & {best: Map<Label, Moment>}>} */
  const tracks = new Map();
  for (const { t, faces } of list) {
    for (const { id, box, expression, confidence } of faces) {
      const track = tracks.get(id) ?? { id, start_s: t, end_s: t, frames: 0, moments: [], best: new Map() };
      track.end_s = t;
      track.frames += 1;
      if (confidence > (track.best.get(expression)?.probability ?? 0)) track.best.set(expression, { label: expression, t, probability: confidence, box });
      tracks.set(id, track);
    }
  }
  return [...tracks.values()]
    .map(({ best, ...track }) => ({ ...track, moments: LABELS.flatMap((label) => best.get(label) ?? []) }))
    .sort((first, second) => second.frames - first.frames || first.id - second.id);
}

/** The probabilities of one face over time, null where it is not seen. @param {import("./frames.js").Frames} frames @param {number | undefined} id */
export function samplesOf({ list }, id) {
  return list.map(({ t, faces }) => ({ t, value: faces.find((face) => face.id === id)?.probabilities ?? null }));
}
