/**
 * Where a picture lies in the element that shows it whole and centred (`object-fit: contain`), mirrored or
 * not, and the way between the two. Pure.
 *
 * @typedef {import("../shared/protocol.js").Point} Point
 * @typedef {import("../shared/protocol.js").Box} Box
 * @typedef {{width: number, height: number}} Size
 */
export class Fit {
  /** @param {Size} picture in its own pixels @param {Size} view in the pixels to draw in @param {boolean} mirrored */
  constructor(picture, view, mirrored) {
    this.picture = picture;
    this.mirrored = mirrored;
    this.scale = Math.min(view.width / picture.width, view.height / picture.height);
    this.left = (view.width - this.scale * picture.width) / 2;
    this.top = (view.height - this.scale * picture.height) / 2;
  }

  /** @param {Point} point of the picture @returns {Point} in the view */
  point([x, y]) {
    const across = this.mirrored ? this.picture.width - x : x;
    return [this.left + this.scale * across, this.top + this.scale * y];
  }

  /** @param {Box} box of the picture @returns {Box} in the view */
  box([x, y, width, height]) {
    const [left, top] = this.point([this.mirrored ? x + width : x, y]);
    return [left, top, this.scale * width, this.scale * height];
  }

  /** @param {Point} point in the view @returns {Point} of the picture */
  back([x, y]) {
    const across = (x - this.left) / this.scale;
    return [this.mirrored ? this.picture.width - across : across, (y - this.top) / this.scale];
  }
}

/** Whether a point lies in a box. @param {Box} box @param {Point} point */
export function contains([x, y, width, height], [across, down]) {
  return across >= x && across <= x + width && down >= y && down <= y + height;
}

/**
 * A point that moves with a box: where it lies in `to` as it lay in `from`.
 * @param {Point} point @param {Box} from @param {Box} to @returns {Point}
 */
export function carried([x, y], from, to) {
  return [
    to[0] + ((x - from[0]) * to[2]) / from[2],
    to[1] + ((y - from[1]) * to[3]) / from[3],
  ];
}

/** Everything of a face in the pixels of a picture that is `scale` times as large. @param {import("../shared/protocol.js").Face} face @param {number} scale */
export function scaled(face, scale) {
  const [x, y, width, height] = face.box;
  const landmarks = Object.fromEntries(
    Object.entries(face.landmarks).map(([name, points]) => [
      name, points.map(([across, down]) => /** @type {Point} */ ([scale * across, scale * down])),
    ]),
  );
  return { ...face, landmarks, box: /** @type {Box} */ ([scale * x, scale * y, scale * width, scale * height]) };
}
