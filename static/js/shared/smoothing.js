import { element } from "./dom.js";

/** The time constants in seconds that can be chosen, from smooth to responsive: one for each step of the page's range input. */
export const TIMES_S = [1, 0.5, 0.25, 0.12, 0.05];

const STORE_KEY = "mien:smoothing_s";

/** Whether expressions are smooth or responsive; the choice is kept in this browser. */
export class SmoothingChoice {
  constructor() {
    this.input = element("smoothing", HTMLInputElement);
    const kept = TIMES_S.indexOf(Number(stored()));
    if (kept >= 0) this.input.value = String(kept);
    this.chosen = kept >= 0;
    this.onInput = () => this.#choose();
    this.#describe();
  }

  start() {
    this.input.addEventListener("input", this.onInput);
  }

  stop() {
    this.input.removeEventListener("input", this.onInput);
  }

  /** What was chosen; undefined leaves it to the server. @returns {number | undefined} */
  get time_s() {
    return this.chosen ? TIMES_S[this.input.valueAsNumber] : undefined;
  }

  #choose() {
    this.chosen = true;
    this.#describe();
    store(String(this.time_s));
  }

  #describe() {
    const time_s = TIMES_S[this.input.valueAsNumber];
    this.input.setAttribute("aria-valuetext", time_s === 1 ? "1 second" : `${time_s} seconds`);
  }
}

/** The stored choice; null where the browser offers pages no storage. */
function stored() {
  try {
    return localStorage.getItem(STORE_KEY);
  } catch {
    return null;
  }
}

/** @param {string} value */
function store(value) {
  try {
    localStorage.setItem(STORE_KEY, value);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}
