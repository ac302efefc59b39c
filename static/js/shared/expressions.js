import { t } from "./translate.js";

/**
 * The expressions: their order, how each looks and what it is called, everywhere on the page.
 *
 * @typedef {import("./protocol.js").Label} Label
 */

/** In the order of the classifier. */
export const LABELS = /** @type {const} */ ([
  "angry", "disgust", "fear", "happy", "sad", "surprise", "neutral",
]);

/** Compared with neutral, an expression is named only where it stands out: a neutral face has 1/7 for each. */
export const MIN_RELATIVE = 0.25;

/**
 * Okabe and Ito's colours, told apart by colour-blind people too; `base.css` has the same.
 * @type {Record<Label, string>}
 */
export const COLOURS = {
  angry: "#D55E00",
  disgust: "#009E73",
  fear: "#CC79A7",
  happy: "#E69F00",
  sad: "#0072B2",
  surprise: "#56B4E9",
  neutral: "#7F7F7F",
};

/** @type {Record<Label, () => string>} */
const NAMES = {
  angry: () => t("Angry"),
  disgust: () => t("Disgust"),
  fear: () => t("Fear"),
  happy: () => t("Happy"),
  sad: () => t("Sad"),
  surprise: () => t("Surprise"),
  neutral: () => t("Neutral"),
};

/** What an expression is called in the language of the page. @param {Label} label */
export function nameOf(label) {
  return NAMES[label]();
}

/** Black or white, whichever has more contrast on `colour`. @param {string} colour "#RRGGBB" */
export function textColourOn(colour) {
  return contrast(colour, "#000000") >= contrast(colour, "#FFFFFF") ? "#000000" : "#FFFFFF";
}

/**
 * The contrast ratio of WCAG 2.2, from 1 to 21.
 * @param {string} first "#RRGGBB"
 * @param {string} second "#RRGGBB"
 */
export function contrast(first, second) {
  const [darker, lighter] = [luminance(first), luminance(second)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** WCAG 2.2's relative luminance. @param {string} colour "#RRGGBB" */
function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = parseInt(colour.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
