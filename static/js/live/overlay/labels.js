/**
 * Finds a place for the label of each face: at its box, in view, and off the other labels and faces. Pure.
 *
 * A place is relative to the box, so that a label moves with its face. It changes only for a clearly better one,
 * so that labels do not jump while people move.
 *
 * @typedef {import("../../shared/protocol.js").Box} Box
 * @typedef {import("./geometry.js").Size} Size
 * @typedef {{id: number, box: Box, label: Size}} Labelled  in the pixels to draw in
 * @typedef {{across: number, side: "above" | "below" | "inside" | "left" | "right"}} Place
 *   `across` from 0, at the left edges of box and label, to 1, at their right edges
 */

/** In the order of preference. @type {readonly Place[]} */
const PLACES = [
  { side: "above", across: 0 },
  { side: "above", across: 0.5 },
  { side: "above", across: 1 },
  { side: "below", across: 0 },
  { side: "below", across: 0.5 },
  { side: "below", across: 1 },
  { side: "left", across: 0 },
  { side: "right", across: 1 },
  { side: "inside", across: 0.5 },
];

/** What a place costs, in fractions of a label: another label hides text, another face is hidden by the label. */
const LABEL_OVERLAP_COST = 10;
const LABEL_TOUCH_COST = 1;
const FACE_OVERLAP_COST = 3;
const OUT_OF_VIEW_COST = 4;
const RANK_COST = 0.1;

/** A label stays where it is unless another place costs this much less; not where it would touch another label. */
const STAY_BONUS = 0.6;

/** After each round the labels know better where the others are. */
const MAX_ROUNDS = 3;

export class LabelPlacer {
  /** @type {Map<number, number>} indices of PLACES, by the ids of faces */
  #places = new Map();

  /** @param {number} gap between label and box, and between label and the edge of the view */
  constructor(gap) {
    this.gap = gap;
  }

  /**
   * The box of each face's label, in the order of `faces`.
   * @param {readonly Labelled[]} faces @param {Size} view @returns {Box[]}
   */
  place(faces, view) {
    const before = this.#places;
    const options = faces.map((face) => PLACES.map((place) => this.#optionAt(face, place, view)));
    const chosen = faces.map(({ id }) => before.get(id) ?? 0);
    for (let round = 0, changed = true; changed && round < MAX_ROUNDS; round += 1) {
      changed = false;
      faces.forEach((face, index) => {
        const others = faces.flatMap((other, at) => (at === index ? [] : [{ face: other.box, label: options[at][chosen[at]].box }]));
        const best = cheapest(options[index], others, before.get(face.id));
        changed ||= best !== chosen[index];
        chosen[index] = best;
      });
    }
    this.#places = new Map(faces.map(({ id }, index) => [id, chosen[index]]));
    return chosen.map((place, index) => options[index][place].box);
  }

  /** A label's box at a place, moved into the view, and how much of it had to be moved. @param {Labelled} face @param {Place} place @param {Size} view */
  #optionAt({ box, label }, place, view) {
    const wanted = boxAt(place, box, label, this.gap);
    const within = /** @type {Box} */ ([
      clamped(wanted[0], this.gap, view.width - label.width - this.gap),
      clamped(wanted[1], this.gap, view.height - label.height - this.gap),
      label.width,
      label.height,
    ]);
    const moved = Math.abs(within[0] - wanted[0]) / label.width + Math.abs(within[1] - wanted[1]) / label.height;
    return { box: within, cost: OUT_OF_VIEW_COST * moved + FACE_OVERLAP_COST * overlap(within, box) };
  }
}

/** @param {Place} place @param {Box} box @param {Size} label @param {number} gap @returns {Box} */
function boxAt({ side, across }, [x, y, width, height], label, gap) {
  const over = x + across * (width - label.width);
  const tops = { above: y - label.height - gap, below: y + height + gap, inside: y + gap, left: y, right: y };
  const lefts = { above: over, below: over, inside: over, left: x - label.width - gap, right: x + width + gap };
  return [lefts[side], tops[side], label.width, label.height];
}

/**
 * The index of the option that costs least.
 * @param {readonly {box: Box, cost: number}[]} options @param {readonly {face: Box, label: Box}[]} others
 * @param {number | undefined} before where the label was in the drawing before
 */
function cheapest(options, others, before) {
  const costs = options.map(({ box, cost }, index) => {
    const covered = others.map((other) => labelCost(overlap(box, other.label)) + FACE_OVERLAP_COST * overlap(box, other.face));
    return covered.reduce((sum, one) => sum + one, cost + RANK_COST * index - (index === before ? STAY_BONUS : 0));
  });
  return costs.indexOf(Math.min(...costs));
}

/** @param {number} fraction of the label that is covered */
function labelCost(fraction) {
  return fraction > 0 ? LABEL_TOUCH_COST + LABEL_OVERLAP_COST * fraction : 0;
}

/** The fraction of the first box that the second one covers. @param {Box} first @param {Box} second */
export function overlap([x, y, width, height], second) {
  const across = Math.min(x + width, second[0] + second[2]) - Math.max(x, second[0]);
  const down = Math.min(y + height, second[1] + second[3]) - Math.max(y, second[1]);
  return across > 0 && down > 0 ? (across * down) / (width * height) : 0;
}

/** @param {number} value @param {number} least @param {number} most */
function clamped(value, least, most) {
  return Math.max(least, Math.min(value, most));
}
