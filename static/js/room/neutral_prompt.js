import { element, every, write } from "../shared/dom.js";
import { t } from "../shared/translate.js";

const GET_READY_S = 2;
const NEUTRAL_S = 5;
const MESSAGE_MS = 4000;

/** After the countdown the server says how it went, with the next frame that it analyzes. */
const OUTCOME_TIMEOUT_MS = 3000;

/** Asks a participant over the video to keep a neutral face, counts down, and says how it went. */
export class NeutralPrompt {
  /** @type {{stop: () => void} | null} */
  #countdown = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #hiding;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #overdue;

  /** @param {() => Promise<boolean>} onReady called when the face should be neutral from now on; whether the server takes it */
  constructor(onReady) {
    this.onReady = onReady;
    this.box = element("neutral", HTMLElement);
    this.title = element("neutral-title", HTMLElement);
    this.text = element("neutral-count", HTMLElement);
  }

  start() {
    this.#endCountdown();
    let left_s = GET_READY_S + NEUTRAL_S;
    const step = () => {
      if (left_s === NEUTRAL_S) void this.#begin();
      if (left_s === 0) return this.#awaitOutcome();
      this.#say(t("Please keep a neutral face"), left_s > NEUTRAL_S ? t("Starting in a moment") : t("%(count)s s", { count: left_s }));
      left_s -= 1;
    };
    this.#countdown = every(1000, step);
    step();
  }

  async #begin() {
    const countdown = this.#countdown;
    const isTaken = await this.onReady();
    if (!isTaken && countdown && countdown === this.#countdown) this.showOutcome("no_answer");
  }

  #awaitOutcome() {
    this.#countdown?.stop();
    this.#overdue = setTimeout(() => this.showOutcome("no_answer"), OUTCOME_TIMEOUT_MS);
  }

  #endCountdown() {
    this.#countdown?.stop();
    this.#countdown = null;
    clearTimeout(this.#overdue);
  }

  /** @param {string | null} failure why there is no baseline; null: there is one */
  showOutcome(failure) {
    this.#endCountdown();
    if (failure === null) this.#say(t("Thank you"), "");
    else if (failure === "several_faces") this.#say(t("More than one face was visible"), t("Only you should be in view. Please try again."));
    else if (failure === "no_frames") this.#say(t("Too few frames arrived"), t("Check your connection and try again."));
    else if (failure === "no_answer") this.#say(t("The server did not answer"), t("Check your connection and try again."));
    else this.#say(t("Your face was not clearly visible"), t("Look at the camera and try again."));
  }

  stop() {
    this.#endCountdown();
    clearTimeout(this.#hiding);
    this.box.hidden = true;
  }

  /** @param {string} title @param {string} text */
  #say(title, text) {
    write(this.title, title);
    write(this.text, text);
    this.box.hidden = false;
    clearTimeout(this.#hiding);
    this.#hiding = setTimeout(() => (this.box.hidden = true), MESSAGE_MS);
  }
}
