import { tn, t } from "../shared/translate.js";
import { baselineText } from "./tile/baseline_text.js";
import { statusOf } from "./tile/status.js";

/**
 * What a host should know about everybody at a glance: how many are ready, and who needs what. Pure.
 *
 * @typedef {import("./tile/tile.js").TileData} TileData
 */

/** How many names one reason lists. */
const MAX_NAMES = 6;

/** `4 of 6 ready`; empty where nobody's page tells. @param {TileData[]} people */
export function readyText(people) {
  const here = people.filter(({ warning }) => warning !== "left");
  if (!here.some(({ readiness }) => readiness)) return "";
  const ready = here.filter((person) => statusOf(person)?.kind === "ready").length;
  return tn("%(ready)s of %(count)s ready", "%(ready)s of %(count)s ready", here.length, { ready });
}

/** `Left: Ben · Too dark: Cleo, Dora · Baseline failed (no face): Emil`. @param {TileData[]} people */
export function attentionText(people) {
  const troubled = people.flatMap((person) => {
    const status = statusOf(person);
    return status?.kind === "warning" ? [{ ...status, alias: person.alias }] : [];
  }).sort((one, other) => one.rank - other.rank);
  const failed = people.filter(({ baseline }) => baseline === "failed").map((person) => ({ word: baselineText(person), alias: person.alias }));
  return [...grouped(troubled), ...grouped(failed)].join(" · ");
}

/** @param {{word: string, alias: string}[]} reasons */
function grouped(reasons) {
  /** @type {Map<string, string[]>} */
  const names = new Map();
  for (const { word, alias } of reasons) names.set(word, [...(names.get(word) ?? []), alias]);
  return [...names].map(([what, aliases]) => namesText(what, aliases));
}

/** @param {string} what @param {string[]} aliases */
function namesText(what, aliases) {
  const names = aliases.slice(0, MAX_NAMES).join(", ");
  const more = aliases.length - MAX_NAMES;
  return more > 0 ? t("%(what)s: %(names)s and %(count)s more", { what, names, count: more }) : t("%(what)s: %(names)s", { what, names });
}
