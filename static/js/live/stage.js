import { element } from "../shared/dom.js";

/**
 * Gives the stage the shape of the video, mirrored or not, and tells the style sheet how high the controls under it
 * are, so that both fit into the window.
 */
export class Stage {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    this.stage = element("stage", HTMLElement);
    this.controls = element("controls", HTMLElement);
    this.view = element("live", HTMLElement);
    this.onResize = () => this.#fit();
    this.resizing = new ResizeObserver(() => this.#measureControls());
  }

  start() {
    this.video.addEventListener("resize", this.onResize);
    this.resizing.observe(this.controls);
    this.#fit();
  }

  stop() {
    this.video.removeEventListener("resize", this.onResize);
    this.resizing.disconnect();
  }

  /** @param {boolean} on */
  mirror(on) {
    this.stage.classList.toggle("is-mirrored", on);
  }

  #fit() {
    const { videoWidth, videoHeight } = this.video;
    if (videoWidth === 0) return;
    this.view.style.setProperty("--ratio", (videoWidth / videoHeight).toFixed(4));
    this.view.classList.toggle("is-upright", videoWidth < videoHeight);
  }

  #measureControls() {
    this.view.style.setProperty("--controls-height", `${this.controls.offsetHeight}px`);
  }
}
