/**
 * Where a frame lies in the element that shows it whole and centered (`object-fit: contain`), mirrored or
 * not, and how to convert between the two. Pure.
 *
 * @typedef {import("../../shared/protocol.js").Point} Point
 * @typedef {import("../../shared/protocol.js").Box} Box
 * @typedef {{width: number, height: number}} Size
 */
export class Fit {
  /** @param {Size} frame in its own pixels @param {Size} view in the pixels to draw in @param {boolean} mirrored */
  constructor(frame, view, mirrored) {
    this.frame = frame;
    this.mirrored = mirrored;
    this.scale = Math.min(view.width / frame.width, view.height / frame.height);
    this.left = (view.width - this.scale * frame.width) / 2;
    this.top = (view.height - this.scale * frame.height) / 2;
  }

  /** @param {Point} point of the frame @returns {Point} in the view */
  pointInView([x, y]) {
    const across = this.mirrored ? this.frame.width - x : x;
    return [this.left + this.scale * across, this.top + this.scale * y];
  }

  /** @param {Box} box of the frame @returns {Box} in the view */
  boxInView([x, y, width, height]) {
    const [left, top] = this.pointInView([this.mirrored ? x + width : x, y]);
    return [left, top, this.scale * width, this.scale * height];
  }

  /** @param {Point} point in the view @returns {Point} of the frame */
  pointInFrame([x, y]) {
    const across = (x - this.left) / this.scale;
    return [this.mirrored ? this.frame.width - across : across, (y - this.top) / this.scale];
  }
}

/** Whether a point lies in a box. @param {Box} box @param {Point} point */
export function contains([x, y, width, height], [across, down]) {
  return across >= x && across <= x + width && down >= y && down <= y + height;
}

/**
 * A point moved along with a box: as far across and down in `to` as it was in `from`.
 * @param {Point} point @param {Box} from @param {Box} to @returns {Point}
 */
export function movedWithBox([x, y], from, to) {
  return [
    to[0] + ((x - from[0]) * to[2]) / from[2],
    to[1] + ((y - from[1]) * to[3]) / from[3],
  ];
}

/**
 * A face in the pixels of a frame that is `scale` times as large.
 * @param {import("../../shared/protocol.js").Face} face @param {number} scale
 */
export function scaledFace(face, scale) {
  const [x, y, width, height] = face.box;
  const landmarks = Object.fromEntries(
    Object.entries(face.landmarks).map(([name, points]) => [
      name, points.map(([across, down]) => /** @type {Point} */ ([scale * across, scale * down])),
    ]),
  );
  return { ...face, landmarks, box: /** @type {Box} */ ([scale * x, scale * y, scale * width, scale * height]) };
}
