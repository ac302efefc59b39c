import { element } from "./dom.js";

/** The time constants in seconds that can be chosen, from calm to quick; the page's range input counts them. */
export const TIMES_S = [1, 0.5, 0.25, 0.12, 0.05];

const STORE_KEY = "mien:smoothing_s";

/** How calm or quick the expressions follow the face; kept in this browser. */
export class SmoothingChoice {
  constructor() {
    this.input = element("smoothing", HTMLInputElement);
    const kept = TIMES_S.indexOf(Number(read()));
    if (kept >= 0) this.input.value = String(kept);
    this.chosen = kept >= 0;
    this.input.addEventListener("input", () => this.#choose());
    this.#describe();
  }

  /** What was chosen, or nothing, where the server shall decide. @returns {number | undefined} */
  get time_s() {
    return this.chosen ? TIMES_S[this.input.valueAsNumber] : undefined;
  }

  #choose() {
    this.chosen = true;
    this.#describe();
    keep(String(this.time_s));
  }

  #describe() {
    const time_s = TIMES_S[this.input.valueAsNumber];
    this.input.setAttribute("aria-valuetext", time_s === 1 ? "1 second" : `${time_s} seconds`);
  }
}

/** What was kept; nothing where the browser gives pages no store. */
function read() {
  try {
    return localStorage.getItem(STORE_KEY);
  } catch {
    return null;
  }
}

/** @param {string} value */
function keep(value) {
  try {
    localStorage.setItem(STORE_KEY, value);
  } catch {
    // Without a store the choice lasts as long as the page.
  }
}
