import { write } from "../shared/dom.js";
import { t } from "../shared/translate.js";

/**
 * The recording of the live view on the start page, with a button to pause it. A still is shown while it is paused,
 * and always for people who want less motion.
 */
export class SampleLoop {
  #listening = new AbortController();

  /** @param {HTMLElement} figure with a button, and a picture whose first source is the still for less motion */
  constructor(figure) {
    const [still, button] = [figure.querySelector("source[media]"), figure.querySelector("button")];
    if (!(still instanceof HTMLSourceElement) || !button) throw new Error("The sample has no still or no button.");
    this.still = still;
    this.button = button;
    this.lessMotion = still.media;
  }

  start() {
    this.button.addEventListener("click", () => this.#toggle(), { signal: this.#listening.signal });
  }

  stop() {
    this.#listening.abort();
  }

  #toggle() {
    const paused = this.still.media === this.lessMotion;
    this.still.media = paused ? "all" : this.lessMotion;
    write(this.button, paused ? t("Play") : t("Pause"));
  }
}
