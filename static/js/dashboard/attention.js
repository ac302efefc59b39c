import { write } from "../shared/dom.js";
import { WARNINGS } from "./tile.js";

const NAMES_SHOWN = 6;
const LEAST_INTERVAL_MS = 2000;

/** Says in one line whom the host should look after, also to screen readers, so not too often. */
export class Attention {
  #said_ms = -Infinity;

  /** @param {Element} line */
  constructor(line) {
    this.line = line;
  }

  /** @param {import("./tile.js").TileData[]} people @param {number} now_ms */
  show(people, now_ms) {
    const text = attentionText(people);
    if (text === this.line.textContent || now_ms - this.#said_ms < LEAST_INTERVAL_MS) return;
    this.#said_ms = now_ms;
    write(this.line, text);
  }
}

/** `No face: Cleo, Dora · Left: Ben`. @param {Pick<import("./tile.js").TileData, "alias" | "warning">[]} people */
export function attentionText(people) {
  const parts = Object.entries(WARNINGS).map(([warning, name]) => {
    const aliases = people.filter((person) => person.warning === warning).map(({ alias }) => alias);
    const more = aliases.length - NAMES_SHOWN;
    const named = aliases.slice(0, NAMES_SHOWN).join(", ") + (more > 0 ? ` and ${more} more` : "");
    return aliases.length > 0 ? `${name}: ${named}` : "";
  });
  return parts.filter(Boolean).join(" · ");
}
