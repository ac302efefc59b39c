import { COLOURS, nameOf } from "../../shared/expressions.js";
import { formatPercent } from "../../shared/translate.js";
import { Brush, unitOf } from "./brush.js";
import { Fit, movedWithBox } from "./geometry.js";
import { LabelPlacer } from "./labels.js";

/**
 * Draws faces with their boxes, landmarks and labels: over the live video, and into images of it.
 *
 * @typedef {import("../../shared/protocol.js").Box} Box
 * @typedef {import("./geometry.js").Size} Size
 * @typedef {import("../scene.js").DrawnFace} DrawnFace
 * @typedef {{drawn: DrawnFace, box: Box, caption: import("./brush.js").Caption}} Sketch  `box` in the view
 * @typedef {object} Told  what was drawn of a face
 * @property {number} id
 * @property {Box} box        in pixels of the video
 * @property {Box} drawn_box  in CSS pixels of the view, as `label_box`
 * @property {Box} label_box
 * @property {string} label
 * @property {string} colour
 * @property {number} opacity
 * @property {boolean} selected
 */

/** Labels show their numbers while those of all faces, side by side, are not wider than this many views. */
const MAX_ROWS_WITH_NUMBERS = 1.25;

/** About how wide a label with a number is, in heights of its text; the same for all names, so that nothing alternates. */
const LABEL_WIDTH_UNITS = 9;

export class Painter {
  #labels = new LabelPlacer(0);
  landmarks = true;
  mirrored = true;

  /**
   * @param {CanvasRenderingContext2D} context empty, in the pixels of the view
   * @param {Size} view @param {Size} frame the size of the video or image, of which the faces have pixels
   * @param {readonly DrawnFace[]} faces the selected one last
   * @returns {Told[]}
   */
  paint(context, view, frame, faces) {
    const fit = this.fit(view, frame);
    const brush = new Brush(context, view);
    const sketches = faces.map((drawn) => sketched(drawn, faces.length, isCrowded(faces, brush, view), fit));
    for (const sketch of sketches) this.#drawFace(brush, fit, sketch);
    const boxes = this.#drawLabels(brush, sketches, view);
    context.globalAlpha = 1;
    return sketches.map((sketch, index) => told(sketch, boxes[index]));
  }

  /** Where a frame lies in a view. @param {Size} view @param {Size} frame */
  fit(view, frame) {
    return new Fit(frame, view, this.mirrored);
  }

  /** @param {Brush} brush @param {Fit} fit @param {Sketch} sketch */
  #drawFace(brush, fit, { drawn: { face, box, opacity, selected }, box: drawnBox, caption }) {
    brush.context.globalAlpha = opacity;
    if (this.landmarks) {
      for (const line of Object.values(face.landmarks)) {
        brush.line(line.map((point) => fit.pointInView(movedWithBox(point, face.box, box))));
      }
    }
    brush.box(drawnBox, caption.colour, selected);
  }

  /** Labels go over all faces; where there is no room, that of the selected face is on top. @param {Brush} brush @param {Sketch[]} sketches @param {Size} view */
  #drawLabels(brush, sketches, view) {
    const labelled = sketches.map(({ drawn, box, caption }) => ({ id: drawn.id, box, label: brush.labelSize(caption) }));
    this.#labels.gap = unitOf(view) / 3;
    const places = this.#labels.place(labelled, view);
    sketches.forEach(({ drawn, caption }, index) => {
      brush.context.globalAlpha = drawn.opacity;
      brush.label(places[index], caption);
    });
    return places;
  }
}

/** What to draw of a face, and with which caption. @param {DrawnFace} drawn @param {number} count of faces @param {boolean} crowded @param {Fit} fit @returns {Sketch} */
function sketched(drawn, count, crowded, fit) {
  const { id, shown, box, selected } = drawn;
  const name = count > 1 ? `${id} · ${nameOf(shown.expression)}` : nameOf(shown.expression);
  const number = crowded && !selected ? "" : formatPercent(shown.confidence);
  return { drawn, box: fit.boxInView(box), caption: { name, number, colour: COLOURS[shown.expression] } };
}

/** @param {readonly DrawnFace[]} faces @param {Brush} brush @param {Size} view */
function isCrowded(faces, brush, view) {
  return faces.length * LABEL_WIDTH_UNITS * brush.unit > MAX_ROWS_WITH_NUMBERS * view.width;
}

/** @param {Sketch} sketch @param {Box} label_box @returns {Told} */
function told({ drawn: { id, box, opacity, selected }, box: drawn_box, caption }, label_box) {
  const label = [caption.name, caption.number].filter(Boolean).join(" ");
  return { id, box, drawn_box, label_box, label, colour: caption.colour, opacity, selected };
}
