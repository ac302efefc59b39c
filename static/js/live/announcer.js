import { write } from "../shared/dom.js";
import { nameOf } from "../shared/expressions.js";

/**
 * Says the selected face's expression to screen readers: when it changes, and at most once a second.
 * The clock comes in as an argument.
 */

const LEAST_INTERVAL_MS = 1000;

export class Announcer {
  #said = "";
  #said_ms = -Infinity;

  /** @param {Element} line an aria-live element */
  constructor(line) {
    this.line = line;
  }

  /** @param {import("../shared/protocol.js").Label | null} expression null while no face is in view @param {number} now_ms */
  say(expression, now_ms) {
    const text = expression ? nameOf(expression) : "No face in view";
    if (text === this.#said || now_ms - this.#said_ms < LEAST_INTERVAL_MS) return;
    this.#said = text;
    this.#said_ms = now_ms;
    write(this.line, text);
  }
}
