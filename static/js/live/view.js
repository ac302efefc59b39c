import { Camera } from "./camera.js";
import { Capture } from "./capture.js";
import { element, every, write } from "../shared/dom.js";
import { Health } from "./health.js";
import { Link } from "../shared/connection.js";
import { Meter } from "./meter.js";
import { Notices } from "./notices.js";
import { Overlay } from "./overlay.js";
import { Panel } from "./panel.js";
import { isProblem } from "../shared/protocol.js";
import { RateController } from "./rate.js";
import { Scene } from "./scene.js";
import { WakeLock } from "../shared/wake_lock.js";

const METER_BEAT_MS = 500;

/** The live view: camera -> capture -> link, and the answers -> scene -> overlay and panel. */
export class Live {
  #paused = false;
  scene = new Scene();
  rate = new RateController();
  health = new Health();
  meter = new Meter();
  wakeLock = new WakeLock();

  /** @param {{max_bytes: number, smoothing: import("../shared/smoothing.js").SmoothingChoice, onCameraLost: () => void}} given */
  constructor({ max_bytes, smoothing, onCameraLost }) {
    this.smoothing = smoothing;
    this.video = element("video", HTMLVideoElement);
    this.stage = element("stage", HTMLElement);
    this.camera = new Camera(this.video, onCameraLost);
    this.notices = new Notices(element("notices", HTMLElement));
    this.max_bytes = max_bytes;
    this.onResize = () => this.#fitStage();
  }

  /** Ask for the camera. @param {string} [camera_id] @throws {import("./camera.js").CameraError} */
  async open(camera_id) {
    await this.camera.start(camera_id);
  }

  /** Begin to send and to draw; the camera is open and the view is on the page. */
  start() {
    this.link = this.createLink((state) => this.#onLink(state));
    this.overlay = new Overlay(element("overlay", HTMLCanvasElement), this.video, this.scene);
    this.panel = new Panel(this.scene);
    const onAnswer = this.#onAnswer.bind(this);
    const { video, link, rate, smoothing, max_bytes } = this;
    this.capture = new Capture({ video, link, rate, smoothing, max_bytes, onAnswer });
    this.beat = every(METER_BEAT_MS, () => this.#showHealth(performance.now()));
    this.video.addEventListener("resize", this.onResize);
    this.#fitStage();
    for (const part of [this.overlay, this.panel, this.capture, this.wakeLock]) part.start();
  }

  /** @param {(state: import("../shared/connection.js").LinkState) => void} onState */
  createLink(onState) {
    return new Link(onState);
  }

  /** What is shown of an answer. @param {import("../shared/protocol.js").Result} result */
  read(result) {
    return result;
  }

  stop() {
    this.video.removeEventListener("resize", this.onResize);
    for (const part of [this.capture, this.link, this.overlay, this.panel, this.beat, this.wakeLock]) part?.stop();
    this.camera.stop();
    this.notices.clear();
  }

  get paused() {
    return this.#paused;
  }

  /** Hold the picture and send nothing, or go on. @param {boolean} paused */
  pause(paused) {
    this.#paused = paused;
    this.overlay?.freeze(paused);
    this.panel?.pause(paused);
    this.health.reset();
    if (paused) {
      this.capture?.pause();
      this.video.pause();
    } else {
      this.capture?.start();
      void this.video.play();
    }
  }

  /** @param {string} id @throws {import("./camera.js").CameraError} */
  async changeCamera(id) {
    await this.camera.start(id);
    this.scene.clear();
    this.#fitStage();
  }

  /** @param {boolean} on */
  showLandmarks(on) {
    if (this.overlay) this.overlay.landmarks = on;
  }

  /** @param {import("./capture.js").Answered} answered */
  #onAnswer({ answer, captured_ms, round_trip_ms }) {
    const now_ms = performance.now();
    if (isProblem(answer)) return this.#onProblem(answer.problem, now_ms);
    this.rate.answered(round_trip_ms, now_ms);
    this.meter.count(round_trip_ms, now_ms);
    this.health.result(answer.faces.length, now_ms);
    this.scene.take(this.read(answer), captured_ms, now_ms, this.video.videoWidth / answer.width);
  }

  /** @param {import("../shared/protocol.js").Problem["problem"]} problem @param {number} now_ms */
  #onProblem({ code, message }, now_ms) {
    console.debug("The server has a problem with a picture:", code, message);
    this.health.problem(code, now_ms);
    if (code !== "unavailable") this.rate.refused(now_ms);
  }

  /** @param {import("../shared/connection.js").LinkState} state */
  #onLink(state) {
    const status = element("connection", HTMLElement);
    status.dataset.state = state;
    write(status, state === "connected" ? "Connected" : "Connecting …");
    this.notices.set("server-lost", state === "lost");
    if (state === "lost") this.health.reset();
  }

  /** @param {number} now_ms */
  #showHealth(now_ms) {
    const { busy, unavailable, noFace } = this.health.at(now_ms);
    this.notices.set("busy", busy);
    this.notices.set("unavailable", unavailable);
    this.notices.set("no-face", noFace);
    const { frames_per_s, round_trip_ms } = this.meter.at(now_ms);
    write(element("frames-per-s", HTMLElement), frames_per_s.toFixed(0));
    write(element("allowed-per-s", HTMLElement), `of ${this.rate.frames_per_s.toFixed(0)}`);
    write(element("round-trip", HTMLElement), round_trip_ms === null ? "–" : `${round_trip_ms.toFixed(0)} ms`);
  }

  /** Give the stage the shape of the video, and turn the video as a mirror does. */
  #fitStage() {
    const { videoWidth, videoHeight } = this.video;
    if (videoWidth > 0) this.stage.style.setProperty("--ratio", (videoWidth / videoHeight).toFixed(4));
    this.stage.classList.toggle("is-mirrored", this.camera.mirrored);
    if (this.overlay) this.overlay.mirrored = this.camera.mirrored;
  }
}
