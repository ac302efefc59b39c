import { t } from "./translate.js";

/**
 * What is written of each check before the start: for participants what to do, for hosts a word or two.
 *
 * @typedef {Omit<import("../room/readiness.js").Readiness, "ready">} Checks
 * @typedef {typeof CHECKS[number]} CheckName
 * @typedef {{word: string, advice: string}} Problem
 */

/** The checks, in the order in which a person can do something about them. */
export const CHECKS = /** @type {const} */ (["face", "light", "size", "pose", "rate"]);

/** @type {Record<CheckName, () => string>} */
const GOOD = {
  face: () => t("Your face is visible"),
  light: () => t("Enough light"),
  size: () => t("Close enough"),
  pose: () => t("Facing the camera"),
  rate: () => t("Fast enough"),
};

/** Of what is wrong; no two checks use the same name. @type {Record<string, () => Problem>} */
const PROBLEMS = {
  none: () => ({ word: t("No face"), advice: t("Sit in front of the camera and look at it.") }),
  several: () => ({ word: t("Several faces"), advice: t("Only you should be in view.") }),
  dark: () => ({ word: t("Too dark"), advice: t("Turn on a light in front of you.") }),
  bright: () => ({ word: t("Too bright"), advice: t("Turn away from the lamp or the sun.") }),
  backlit: () => ({ word: t("Backlit"), advice: t("Turn around, so that the window or the lamp is in front of you.") }),
  flat: () => ({ word: t("Low contrast"), advice: t("Clean the camera, and keep lamps from shining into it.") }),
  far: () => ({ word: t("Too far"), advice: t("Come closer to the camera.") }),
  near: () => ({ word: t("Too close"), advice: t("Move back a little.") }),
  turned: () => ({ word: t("Turned away"), advice: t("Look at the camera, and place it at the height of your eyes.") }),
  tilted: () => ({ word: t("Tilted"), advice: t("Hold your head upright, or straighten the camera.") }),
  slow: () => ({ word: t("Slow"), advice: t("Frames arrive too slowly: close other programs, or move closer to the Wi-Fi.") }),
};

/** @param {Checks} checks */
export function isReady(checks) {
  return CHECKS.every((name) => checks[name] === "ok");
}

/** What a person should do something about first, if anything. @param {Checks} checks @returns {Problem | null} */
export function firstProblem(checks) {
  const wrong = CHECKS.map((name) => checks[name]).find((state) => state in PROBLEMS);
  return wrong ? PROBLEMS[wrong]() : null;
}

/** What is written of one check. @param {CheckName} name @param {string} state */
export function checkText(name, state) {
  return PROBLEMS[state]?.().word ?? GOOD[name]();
}

/** For a host: ready, or what is missing. @param {Checks} checks */
export function readinessWord(checks) {
  if (isReady(checks)) return t("Ready");
  return firstProblem(checks)?.word ?? t("Checking …");
}
