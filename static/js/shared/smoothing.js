import { element, write } from "./dom.js";
import { formatNumber, t } from "./translate.js";
import { keep, kept } from "./preferences.js";

/** The time constants in seconds that can be chosen, from smooth to responsive: one for each step of the page's range input. */
export const TIMES_S = [1, 0.5, 0.25, 0.12, 0.05];

const CHOICE = "smoothing_s";

/** Whether expressions are smooth or responsive; the choice is kept in this browser. */
export class SmoothingChoice {
  constructor() {
    this.input = element("smoothing", HTMLInputElement);
    this.text = element("smoothing-text", HTMLElement);
    const step = TIMES_S.indexOf(Number(kept(CHOICE)));
    if (step >= 0) this.input.value = String(step);
    this.chosen = step >= 0;
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
    keep(CHOICE, String(this.time_s));
  }

  #describe() {
    const time_s = TIMES_S[this.input.valueAsNumber];
    const text = t("%(time)s s", { time: formatNumber(time_s, 2) });
    this.input.setAttribute("aria-valuetext", text);
    write(this.text, text);
  }
}
