import { element, every, write } from "../shared/dom.js";
import { t } from "../shared/translate.js";

const GET_READY_S = 2;
const NEUTRAL_S = 5;
const MESSAGE_MS = 4000;

/** Asks a participant over the video to keep a neutral face, counts down, and says how it went. */
export class NeutralPrompt {
  /** @type {{stop: () => void} | null} */
  #countdown = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #hiding;

  /** @param {() => void} onReady called when the face should be neutral from now on */
  constructor(onReady) {
    this.onReady = onReady;
    this.box = element("neutral", HTMLElement);
    this.title = element("neutral-title", HTMLElement);
    this.text = element("neutral-count", HTMLElement);
  }

  start() {
    this.#countdown?.stop();
    let left_s = GET_READY_S + NEUTRAL_S;
    const step = () => {
      if (left_s === NEUTRAL_S) this.onReady();
      if (left_s === 0) return this.#countdown?.stop();
      this.#say(t("Please keep a neutral face"), left_s > NEUTRAL_S ? t("Starting in a moment") : t("%(count)s s", { count: left_s }));
      left_s -= 1;
    };
    this.#countdown = every(1000, step);
    step();
  }

  /** @param {string | null} failure why there is no baseline; null: there is one */
  showOutcome(failure) {
    if (failure === null) this.#say(t("Thank you"), "");
    else if (failure === "several_faces") this.#say(t("More than one face was visible"), t("Only you should be in view. Please try again."));
    else if (failure === "no_frames") this.#say(t("Too few frames arrived"), t("Check your connection and try again."));
    else this.#say(t("Your face was not clearly visible"), t("Look at the camera and try again."));
  }

  stop() {
    this.#countdown?.stop();
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
