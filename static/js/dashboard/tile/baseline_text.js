import { formatClock, t } from "../../shared/translate.js";

/**
 * How somebody's neutral baseline goes, in words. Pure.
 *
 * @typedef {object} BaselineData
 * @property {"none" | "asked" | "running" | "failed" | "set"} baseline
 * @property {number | null} baseline_left_s  while it runs
 * @property {"no_answer" | "no_frames" | "no_face" | "several_faces" | null} baseline_reason  where it failed
 * @property {number | null} baseline_ms      when it was set, since 1970; null: before the server's start
 */

/** @type {Record<string, () => string>} */
const REASONS = {
  no_answer: () => t("Baseline failed (no answer)"),
  no_frames: () => t("Baseline failed (too few frames)"),
  no_face: () => t("Baseline failed (no face)"),
  several_faces: () => t("Baseline failed (several faces)"),
};

/** @param {BaselineData} data */
export function baselineText({ baseline, baseline_left_s, baseline_reason, baseline_ms }) {
  if (baseline === "asked") return t("Baseline: asked, waiting …");
  if (baseline === "running") return t("Recording baseline … %(seconds)s s", { seconds: Math.ceil(baseline_left_s ?? 0) });
  if (baseline === "failed") return REASONS[baseline_reason ?? "no_face"]();
  if (baseline === "none") return t("No baseline yet");
  return baseline_ms === null ? t("Baseline set") : t("Baseline set at %(time)s", { time: formatClock(new Date(baseline_ms)) });
}

/** Whether it is under way or went wrong, so that a host sees it before anything else. @param {BaselineData} data */
export function isPending({ baseline }) {
  return baseline === "asked" || baseline === "running" || baseline === "failed";
}
