import { contains } from "../../live/overlay/geometry.js";
import { landmarksOf } from "./frames.js";

/**
 * The faces of a file at the time that its medium shows: what the overlay draws, and which face is selected.
 *
 * @typedef {import("../../live/scene.js").DrawnFace} DrawnFace
 * @typedef {import("../../live/scene.js").Shown} Shown
 * @typedef {import("../../live/overlay/overlay.js").Faces} Faces
 * @implements {Faces}
 */
export class Playback {
  /** @type {{index: number, landmarks: Map<number, import("../../shared/protocol.js").Landmarks>}} */
  #read = { index: -1, landmarks: new Map() };

  /**
   * @param {import("./frames.js").Frames} frames @param {() => number} time_s of the medium
   * @param {number | undefined} selected_id of the face to begin with
   * @param {(id: number) => void} onSelect
   */
  constructor(frames, time_s, selected_id, onSelect) {
    this.frames = frames;
    this.time_s = time_s;
    this.selected_id = selected_id;
    this.onSelect = onSelect;
  }

  /** @returns {DrawnFace[]} */
  at() {
    const time_s = this.time_s();
    const landmarks = this.#landmarksAt(this.frames.indexAt(time_s));
    return this.frames
      .at(time_s)
      .map(({ face, box }) => drawnOf(face, box, landmarks.get(face.id) ?? {}, face.id === this.selected_id))
      .sort((first, second) => Number(first.selected) - Number(second.selected));
  }

  /** @param {number} index of a frame */
  #landmarksAt(index) {
    const frame = this.frames.list[index];
    if (frame && index !== this.#read.index) this.#read = { index, landmarks: landmarksOf(frame) };
    return this.#read.landmarks;
  }

  /** @param {import("../../shared/protocol.js").Point} point of the medium */
  selectAt(point) {
    const face = this.at().findLast(({ box }) => contains(box, point));
    if (face) this.select(face.id);
  }

  /** @param {number} id */
  select(id) {
    this.selected_id = id;
    this.onSelect(id);
  }

  /** What is shown of each face now, by id. */
  get faces() {
    return this.frames.at(this.time_s()).map(({ face }) => ({ id: face.id, shown: shownOf(face) })).sort((a, b) => a.id - b.id);
  }
}

/** @param {import("./frames.js").SlimFace} face @param {import("./frames.js").Box} box @param {import("../../shared/protocol.js").Landmarks} landmarks @param {boolean} selected @returns {DrawnFace} */
function drawnOf(face, box, landmarks, selected) {
  const whole = { ...face, landmarks, raw_probabilities: face.probabilities };
  return { id: face.id, face: whole, box, shown: shownOf(face), opacity: 1, selected };
}

/** @param {import("./frames.js").SlimFace} face @returns {Shown} */
function shownOf({ expression, confidence, probabilities }) {
  return { expression, confidence, probabilities };
}
