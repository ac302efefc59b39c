/**
 * The photo or video on the page, from the person's own file or from the server. Where the browser cannot show that,
 * the annotated copy takes its place; where it cannot show that either, the time still runs along the results.
 *
 * @typedef {"own" | "annotated" | "none"} Source
 * @typedef {object} MediumOptions
 * @property {boolean} isVideo
 * @property {string} url
 * @property {string | null} annotated_url  of the copy in which the faces are drawn already
 * @property {import("./frames.js").Frames} frames  its results
 * @property {() => void} onSource  called when another source is used
 */

/** A frame's time may be rounded: a seek goes this far into it, or a quarter of a short one. */
export const INTO_FRAME_S = 0.002;

export class Medium {
  #time_s = 0;
  #listening = new AbortController();
  /** @type {Source} */
  source = "own";

  /** @param {HTMLImageElement} image @param {HTMLVideoElement} video @param {MediumOptions} options */
  constructor(image, video, options) {
    this.options = options;
    this.video = video;
    this.element = options.isVideo ? video : image;
    this.other = options.isVideo ? image : video;
  }

  start() {
    const { signal } = this.#listening;
    this.element.addEventListener("error", () => this.#fallBack(), { signal });
    this.element.addEventListener("loadedmetadata", () => this.#checkPicture(), { signal });
    this.element.hidden = false;
    this.other.hidden = true;
    this.element.src = this.options.url;
  }

  stop() {
    this.#listening.abort();
    this.video.pause();
    this.element.removeAttribute("src");
    if (this.options.isVideo) this.video.load(); // lets go of the file
  }

  get size() {
    const { element } = this;
    return element instanceof HTMLVideoElement
      ? { width: element.videoWidth, height: element.videoHeight }
      : { width: element.naturalWidth, height: element.naturalHeight };
  }

  get time_s() {
    return this.#plays ? this.video.currentTime : this.#time_s;
  }

  /** The end of the video; of its results where it does not know how long it is, as some recordings do not. */
  get end_s() {
    const { last_s, end_s } = this.options.frames;
    const { duration } = this.video;
    return this.#plays && Number.isFinite(duration) && duration > last_s ? duration : end_s;
  }

  get paused() {
    return !this.#plays || this.video.paused;
  }

  /** @param {number} time_s */
  seek(time_s) {
    this.#time_s = Math.max(0, Math.min(time_s, this.end_s));
    if (this.#plays) this.video.currentTime = this.#time_s;
  }

  async togglePlay() {
    if (!this.#plays) return;
    if (!this.video.paused) return this.video.pause();
    await this.video.play().catch(() => undefined); // stopped before it began, or refused: the button shows it
  }

  get #plays() {
    return this.options.isVideo && this.source !== "none";
  }

  /** Some browsers play the sound of a video whose frames they cannot decode. */
  #checkPicture() {
    if (this.options.isVideo && this.video.videoWidth === 0) this.#fallBack();
  }

  #fallBack() {
    const { annotated_url, onSource } = this.options;
    if (this.source === "own" && annotated_url) {
      this.source = "annotated";
      this.element.src = annotated_url;
    } else {
      this.source = "none";
      this.element.hidden = true;
    }
    onSource();
  }
}
