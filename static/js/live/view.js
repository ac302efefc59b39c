import { Camera } from "./camera.js";
import { Capture } from "./capture.js";
import { Notices } from "../shared/announcements.js";
import { element, every, write } from "../shared/dom.js";
import { saveMinute, saveSnapshot } from "./saving/files.js";
import { MinuteLog } from "./saving/minute_log.js";
import { Overlay } from "./overlay/overlay.js";
import { Panel } from "./panel/panel.js";
import { isProblem } from "../shared/protocol.js";
import { RateController } from "./rate.js";
import { Scene } from "./scene.js";
import { Stage } from "./stage.js";
import { Status } from "./status.js";
import { formatNumber, t } from "../shared/translate.js";
import { WakeLock } from "./wake_lock.js";

/**
 * What a page decides about its live view.
 *
 * @typedef {import("../shared/protocol.js").Result} Result
 * @typedef {import("../shared/connection.js").FrameChannel} FrameChannel
 * @typedef {import("../shared/connection.js").ConnectionState} ConnectionState
 * @typedef {object} ViewOptions
 * @property {number} max_bytes  of the largest image that the server accepts
 * @property {import("../shared/smoothing.js").SmoothingChoice} smoothing
 * @property {(onState: (state: ConnectionState) => void) => FrameChannel | Promise<FrameChannel>} connect
 * @property {(result: Result) => Result} present  turns an answer into what is shown of it
 * @property {() => void} onCameraLost
 */

const STATUS_MS = 500;

/** What can be saved of a view. @typedef {"minute" | "snapshot"} Saved */

/** The live view: camera -> capture -> connection, and the answers -> scene -> overlay and panel. */
export class LiveView {
  /** @type {number | null} */
  #paused_ms = null;
  /** How many frames were analyzed. */
  analyzed = 0;
  scene = new Scene();
  minute = new MinuteLog();
  rate = new RateController();
  status = new Status();
  wakeLock = new WakeLock();

  /** @param {ViewOptions} options */
  constructor(options) {
    this.options = options;
    this.video = element("video", HTMLVideoElement);
    this.camera = new Camera(this.video, options.onCameraLost);
    this.stage = new Stage(this.video);
    this.notices = new Notices(element("notices", HTMLElement));
  }

  /** Ask for the camera, then connect. @throws {import("./camera.js").CameraError} */
  async open() {
    await this.camera.startPreferred();
    this.connection = await this.options.connect((state) => this.#onConnection(state));
  }

  /** Begin to send and to draw; the view is open and on the page. */
  start() {
    const { video, rate, connection, options: { smoothing, max_bytes } } = this;
    if (!connection) throw new Error("The view starts before it is open; await open() first.");
    this.overlay = new Overlay(element("overlay", HTMLCanvasElement), video, this.scene);
    this.panel = new Panel(this.scene);
    const onAnswer = this.#onAnswer.bind(this);
    this.capture = new Capture({ video, connection, rate, smoothing, max_bytes, onAnswer });
    this.statusUpdates = every(STATUS_MS, () => this.#showStatus(performance.now()));
    for (const part of [this.stage, this.overlay, this.panel, this.capture, this.wakeLock]) part.start();
  }

  stop() {
    const parts = [this.capture, this.connection, this.overlay, this.panel, this.stage, this.statusUpdates, this.wakeLock];
    for (const part of parts) part?.stop();
    this.camera.stop();
    this.notices.clear();
  }

  get paused() {
    return this.#paused_ms !== null;
  }

  /** Freeze the video and send nothing, or resume. @param {boolean} paused */
  pause(paused) {
    this.#paused_ms = paused ? performance.now() : null;
    this.overlay?.freeze(paused);
    this.panel?.pause(paused);
    this.status.reset();
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
    if (await this.camera.choose(id)) this.scene.clear();
  }

  /** @param {boolean} on */
  showLandmarks(on) {
    if (this.overlay) this.overlay.landmarks = on;
  }

  /** @param {boolean} on */
  mirror(on) {
    this.stage.mirror(on);
    if (this.overlay) this.overlay.mirrored = on;
  }

  /** Save the last minute, or what is shown now, as files; the browser makes them. @param {Saved} what */
  async save(what) {
    if (!this.overlay || !this.panel) return;
    if (what === "snapshot") await saveSnapshot(this.overlay);
    else await saveMinute(this.minute.before(this.#paused_ms ?? performance.now()), this.panel.timeline.shown);
  }

  /** @param {import("./capture.js").Answered} answered */
  #onAnswer({ answer, captured_ms, round_trip_ms }) {
    const now_ms = performance.now();
    if (isProblem(answer)) return this.#onProblem(answer.problem, now_ms);
    this.analyzed += 1;
    this.rate.answered(round_trip_ms, now_ms);
    this.status.result(answer.faces.length, round_trip_ms, now_ms);
    this.minute.add(answer, captured_ms, now_ms);
    this.scene.update(this.options.present(answer), captured_ms, now_ms, this.video.videoWidth / answer.width);
  }

  /** @param {import("../shared/protocol.js").Problem["problem"]} problem @param {number} now_ms */
  #onProblem({ code, message }, now_ms) {
    console.debug("The server has a problem with a frame:", code, message);
    this.status.problem(code, now_ms);
    if (code !== "unavailable" && code !== "not_here") this.rate.refused(now_ms);
  }

  /** @param {ConnectionState} state */
  #onConnection(state) {
    if (state === "moving") return; // nobody notices
    const line = element("connection", HTMLElement);
    line.dataset.state = state;
    write(line, state === "connected" ? t("Connected") : t("Connecting …"));
    this.notices.set("server-lost", state === "lost");
    if (state === "lost") this.status.reset();
  }

  /** @param {number} now_ms */
  #showStatus(now_ms) {
    this.status.allow(this.rate.frames_per_s, now_ms);
    const { busy, unavailable, noFace, frames_per_s, allowed_per_s, round_trip_ms } = this.status.at(now_ms);
    this.notices.set("busy", busy);
    this.notices.set("unavailable", unavailable);
    this.notices.set("no-face", noFace);
    write(element("frames-per-s", HTMLElement), formatNumber(frames_per_s));
    write(element("allowed-per-s", HTMLElement), t("of %(limit)s", { limit: Math.round(allowed_per_s) }));
    write(element("round-trip", HTMLElement), round_trip_ms === null ? "–" : t("%(time)s ms", { time: Math.round(round_trip_ms) }));
  }
}
