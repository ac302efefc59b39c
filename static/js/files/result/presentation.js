import { clockTime } from "../../shared/translate.js";
import { element } from "../../shared/dom.js";
import { fileOf } from "../api.js";
import { INTO_FRAME_S, Medium } from "./medium.js";
import { Overlay } from "../../live/overlay/overlay.js";
import { Playback } from "./playback.js";
import { Player } from "./player.js";
import { Readout } from "./readout.js";
import { samplesOf, tracksOf } from "./tracks.js";
import { Scrubber } from "./scrubber.js";
import { showTracks } from "./track_list.js";
import { Thumbnails } from "./thumbnails.js";

/** Numbers change at most four times a second while a video plays. */
const UPDATE_MS = 250;

/** The photo or video of a file with its faces, and all that moves along with it. */
export class Presentation {
  #listening = new AbortController();
  #request = 0;
  #shown = { at_ms: -Infinity, time_s: -1, id: -1 };

  /**
   * @param {import("../item.js").Item} item @param {import("./frames.js").Frames} frames @param {boolean} isVideo
   * @param {() => void} onSource called when the browser cannot show the file itself
   */
  constructor(item, frames, isVideo, onSource) {
    this.frames = frames;
    this.isVideo = isVideo;
    this.onSource = onSource;
    this.container = element("medium", HTMLElement);
    this.landmarksButton = element("landmarks", HTMLButtonElement);
    this.tracks = tracksOf(frames);
    this.medium = new Medium(element("image", HTMLImageElement), element("video", HTMLVideoElement), {
      isVideo,
      url: item.url,
      annotated_url: item.job ? fileOf(item.job.id, isVideo ? "annotated.mp4" : "annotated.jpg") : null,
      frames,
      onSource: () => this.#onSource(),
    });
    this.playback = new Playback(frames, () => this.medium.time_s, this.tracks[0]?.id, () => this.#showSamples());
    this.overlay = new Overlay(element("overlay", HTMLCanvasElement), this.medium.element, this.playback);
    this.player = new Player(this.medium, frames);
    this.scrubber = new Scrubber(element("scrubber", HTMLElement), this.player);
    this.readout = new Readout(this.playback);
  }

  start() {
    const { signal } = this.#listening;
    this.overlay.mirrored = false;
    this.#setLandmarks(this.landmarksButton.getAttribute("aria-pressed") === "true");
    this.landmarksButton.addEventListener("click", () => this.#setLandmarks(!this.overlay.landmarks), { signal });
    for (const event of ["load", "loadedmetadata", "resize"]) this.medium.element.addEventListener(event, () => this.#fit(), { signal });
    this.medium.element.addEventListener(this.isVideo ? "loadeddata" : "load", () => this.#cutThumbnails(), { once: true, signal });
    for (const part of [this.medium, this.overlay, this.player, this.scrubber]) part.start();
    this.cuts = showTracks(element("tracks", HTMLElement), this.tracks, this.isVideo, (id, moment) => this.#goTo(id, moment.t));
    this.#showSamples();
    this.#update(performance.now());
  }

  stop() {
    cancelAnimationFrame(this.#request);
    this.#listening.abort();
    for (const part of [this.overlay, this.player, this.scrubber, this.thumbnails, this.medium]) part?.stop();
  }

  /** @param {number} now_ms */
  #update(now_ms) {
    this.#request = requestAnimationFrame((next_ms) => this.#update(next_ms));
    const { paused, time_s } = this.medium;
    this.scrubber.move();
    const id = this.playback.selected_id ?? -1;
    const changed = time_s !== this.#shown.time_s || id !== this.#shown.id;
    if (!changed || (!paused && now_ms - this.#shown.at_ms < UPDATE_MS)) return this.player.update(paused);
    this.#shown = { at_ms: now_ms, time_s, id };
    this.player.update(paused, true);
    this.scrubber.describe(`${clockTime(time_s, 2)}, ${this.readout.update()}`);
  }

  #showSamples() {
    if (this.isVideo) this.scrubber.show(samplesOf(this.frames, this.playback.selected_id), this.frames.step_s);
  }

  /** @param {number} id @param {number} time_s */
  #goTo(id, time_s) {
    this.playback.select(id);
    this.medium.seek(time_s + Math.min(INTO_FRAME_S, this.frames.step_s / 4));
  }

  /** @param {boolean} on */
  #setLandmarks(on) {
    this.overlay.landmarks = on;
    this.landmarksButton.setAttribute("aria-pressed", String(on));
  }

  /** Give the frame around the medium its shape. */
  #fit() {
    const { width, height } = this.medium.size;
    if (width > 0) this.container.style.setProperty("--ratio", (width / height).toFixed(4));
    this.#showSamples(); // the video has told how long it is
  }

  #cutThumbnails() {
    const { element: shown } = this.medium;
    this.thumbnails = new Thumbnails(shown instanceof HTMLImageElement ? shown : shown.currentSrc);
    void this.thumbnails.start(this.cuts ?? []);
  }

  /** In the annotated copy the faces are drawn already. */
  #onSource() {
    const { source } = this.medium;
    element("overlay", HTMLCanvasElement).hidden = source !== "own";
    element("no-image", HTMLElement).hidden = source !== "none";
    this.onSource();
  }
}
