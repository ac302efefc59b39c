import { CHECKS } from "../../room/readiness.js";
import { isReady, readinessWord } from "../../shared/readiness_texts.js";
import { t } from "../../shared/translate.js";

/**
 * Whether a participant is ready, or the one thing that a host should attend to. Pure.
 *
 * @typedef {"warning" | "checking" | "ready"} Kind
 * @typedef {{kind: Kind, word: string}} Status
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
  if (warning && (warning !== "several faces" || !readiness)) return { kind: "warning", word: WARNINGS[warning]() };
  if (!readiness) return null;
  return { kind: kindOf(readiness), word: readinessWord(readiness) };
}

/** @param {import("../../shared/readiness_texts.js").Checks} readiness @returns {Kind} */
function kindOf(readiness) {
  if (isReady(readiness)) return "ready";
  return CHECKS.some((name) => readiness[name] !== "ok" && readiness[name] !== "unknown") ? "warning" : "checking";
}
