import { create } from "../../shared/dom.js";
import { nameOf } from "../../shared/expressions.js";
import { clockTime, formatPercent, t, tn } from "../../shared/translate.js";

/**
 * The faces of a file, each with a button for the strongest moment of each of its expressions.
 *
 * @typedef {import("./tracks.js").Track} Track
 * @typedef {import("./tracks.js").Moment} Moment
 */

/** Crowds have many; the files have them all. */
const MAX_TRACKS = 20;

const THUMBNAIL_PX = 96;

/**
 * Fill the list. @returns the canvases to draw the moments into
 * @param {HTMLElement} list @param {readonly Track[]} tracks @param {boolean} isVideo
 * @param {(id: number, moment: Moment) => void} onMoment
 */
export function showTracks(list, tracks, isVideo, onMoment) {
  /** @type {import("./thumbnails.js").Cut[]} */
  const cuts = [];
  list.replaceChildren(
    ...tracks.slice(0, MAX_TRACKS).map((track) => {
      const row = create("li", "track");
      const moments = create("div", "moments");
      const heading = create("div", "track-head");
      heading.append(create("h3", "track-name", t("Face %(number)s", { number: track.id })));
      if (isVideo) heading.append(spanOf(track));
      for (const moment of track.moments) {
        const { button, canvas } = momentButton(moment, isVideo);
        button.addEventListener("click", () => onMoment(track.id, moment));
        cuts.push({ canvas, box: moment.box, t: moment.t });
        moments.append(button);
      }
      row.append(heading, moments);
      return row;
    }),
  );
  const more = tracks.length - MAX_TRACKS;
  if (more > 0) list.append(create("li", "hint", tn("%(count)s more face is in the downloads.", "%(count)s more faces are in the downloads.", more)));
  return cuts;
}

/** From when to when it is seen. @param {Track} track */
function spanOf({ start_s, end_s, frames }) {
  const line = create("p", "hint");
  const times = create("bdi", "", `${clockTime(start_s, 1)} – ${clockTime(end_s, 1)}`);
  times.dir = "ltr"; // in every language, as the timeline
  line.append(times, " · ", tn("%(count)s frame", "%(count)s frames", frames));
  return line;
}

/** @param {Moment} moment @param {boolean} isVideo */
function momentButton({ label, t: time_s, probability }, isVideo) {
  const button = create("button", "moment");
  const canvas = create("canvas", "moment-image");
  const text = create("span", "moment-text");
  Object.assign(canvas, { width: 2 * THUMBNAIL_PX, height: 2 * THUMBNAIL_PX });
  button.type = "button";
  button.dataset.expression = label;
  text.append(create("span", "moment-name", nameOf(label)), ` ${formatPercent(probability)}`);
  button.append(canvas, text);
  if (isVideo) button.append(create("span", "moment-time", clockTime(time_s, 1)));
  return { button, canvas };
}
