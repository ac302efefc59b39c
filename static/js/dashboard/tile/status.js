import { CHECKS, isReady, readinessWord } from "../../shared/readiness_texts.js";
import { t } from "../../shared/translate.js";

/**
 * Whether a participant is ready, or the one thing that a host should attend to. Pure.
 *
 * @typedef {"warning" | "checking" | "ready"} Kind
 * @typedef {{kind: Kind, word: string, rank: number}} Status  `rank`: the lower, the more serious
 * @typedef {{warning: string | null, readiness: import("../../shared/readiness_texts.js").Checks | null}} Seen
 */

/** What the server sees, the most serious first. @type {Record<string, () => string>} */
const WARNINGS = {
  left: () => t("Left"),
  "no frames": () => t("No frames"),
  "no face": () => t("No face"),
  "several faces": () => t("Several faces"),
};

/**
 * Null where nothing is known: a program that takes part says nothing about light. Of several faces its page knows
 * more, as it leaves out those far behind.
 * @param {Seen} seen @returns {Status | null}
 */
export function statusOf({ warning, readiness }) {
  if (warning && (warning !== "several faces" || !readiness)) return { kind: "warning", word: WARNINGS[warning](), rank: Object.keys(WARNINGS).indexOf(warning) };
  if (!readiness) return null;
  const wrong = CHECKS.findIndex((name) => isWrong(readiness[name]));
  return { kind: kindOf(readiness), word: readinessWord(readiness), rank: Object.keys(WARNINGS).length + wrong };
}

/** @param {import("../../shared/readiness_texts.js").Checks} readiness @returns {Kind} */
function kindOf(readiness) {
  if (isReady(readiness)) return "ready";
  return CHECKS.some((name) => isWrong(readiness[name])) ? "warning" : "checking";
}

/** @param {string} state */
function isWrong(state) {
  return state !== "ok" && state !== "unknown";
}
