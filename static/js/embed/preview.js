import { Overlay } from "../live/overlay/overlay.js";
import { Scene } from "../live/scene.js";
import { element } from "../shared/dom.js";
import { StreamCapture } from "./stream_capture.js";

/**
 * What the person sees of themselves: in a full view boxes and expressions over the video, in a small one the video
 * alone, and nothing in a hidden one, in which even the video rests.
 *
 * @typedef {import("../shared/protocol.js").Result} Result
 */
export class Preview {
  /** @type {Overlay | null} */
  #overlay = null;
  #scene = new Scene();
  #isHidden = false;
  #isWatched = false;

  /** @param {boolean} showsResults */
  constructor(showsResults) {
    this.showsResults = showsResults;
    this.video = element("video", HTMLVideoElement);
    this.stage = element("stage", HTMLElement);
    this.onResize = () => this.#fit();
  }

  /** @param {"hidden" | "small" | "full"} view */
  start(view) {
    this.video.addEventListener("resize", this.onResize);
    this.#fit();
    this.#isHidden = view === "hidden";
    this.watch(this.#isWatched); // also after the connection came back
    if (view !== "full" || !this.showsResults || this.#overlay) return;
    this.#overlay = new Overlay(element("overlay", HTMLCanvasElement), this.video, this.#scene);
    this.#overlay.landmarks = false;
    this.#overlay.start();
  }

  stop() {
    this.#isWatched = false;
    this.video.removeEventListener("resize", this.onResize);
    this.#overlay?.stop();
    this.#overlay = null;
    this.#scene.clear();
  }

  /** Have the video play for what looks at it; else it rests where nobody sees it, if frames are captured without it. @param {boolean} on */
  watch(on) {
    this.#isWatched = on;
    if (!this.#isHidden || !StreamCapture.isSupported) return;
    if (on) void this.video.play().catch((error) => console.debug("The video does not play:", error));
    else this.video.pause();
  }

  /** @param {Result} result @param {number} captured_ms on the clock of `performance.now()` */
  update(result, captured_ms) {
    if (this.#overlay) this.#scene.update(result, captured_ms, performance.now(), this.video.videoWidth / result.width);
  }

  #fit() {
    const { videoWidth, videoHeight } = this.video;
    if (videoWidth > 0) this.stage.style.aspectRatio = `${videoWidth} / ${videoHeight}`;
  }
}
