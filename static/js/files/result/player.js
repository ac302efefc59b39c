import { element, write } from "../../shared/dom.js";
import { clockTime, t } from "../../shared/translate.js";
import { INTO_FRAME_S } from "./medium.js";

/** The digits after the point of the times that are shown. */
const DIGITS = 2;

/**
 * The buttons under a video, and what moves through it frame by frame.
 *
 * @typedef {import("./scrubber.js").Target} Target
 * @implements {Target}
 */
export class Player {
  #listening = new AbortController();

  /** @param {import("./medium.js").Medium} medium @param {import("./frames.js").Frames} frames */
  constructor(medium, frames) {
    this.medium = medium;
    this.frames = frames;
    this.playText = element("play-text", HTMLElement);
    this.playButton = element("play", HTMLButtonElement);
    this.time = element("time", HTMLElement);
  }

  start() {
    const { signal } = this.#listening;
    this.playButton.addEventListener("click", () => this.toggle(), { signal });
    element("step-back", HTMLButtonElement).addEventListener("click", () => this.step(-1), { signal });
    element("step-on", HTMLButtonElement).addEventListener("click", () => this.step(1), { signal });
  }

  stop() {
    this.#listening.abort();
  }

  get time_s() {
    return this.medium.time_s;
  }

  get end_s() {
    return this.medium.end_s;
  }

  toggle() {
    void this.medium.togglePlay();
  }

  /** @param {number} time_s */
  seek(time_s) {
    this.medium.seek(time_s);
  }

  /** Go to the analyzed frame beside the one that is shown. @param {1 | -1} frames */
  step(frames) {
    const { list, step_s } = this.frames;
    const index = Math.max(0, Math.min(list.length - 1, this.frames.indexAt(this.time_s) + frames));
    if (!this.medium.paused) this.toggle();
    this.seek(list[index].t + Math.min(INTO_FRAME_S, step_s / 4));
  }

  /** Show whether it plays, and the time where that `changed`. @param {boolean} paused @param {boolean} [changed] */
  update(paused, changed = false) {
    write(this.playText, paused ? t("Play") : t("Pause"));
    this.playButton.classList.toggle("is-playing", !paused);
    this.playButton.disabled = this.medium.source === "none";
    if (changed) write(this.time, `${clockTime(this.time_s, DIGITS)} / ${clockTime(this.end_s, DIGITS)}`);
  }
}
