import { Camera } from "../live/camera.js";
import { Capture } from "../live/capture.js";
import { RateController } from "../live/rate.js";
import { RoomConnection } from "../room/connection.js";
import { isProblem } from "../shared/protocol.js";
import { MarkQueue } from "./mark_queue.js";
import { ResultStream } from "./results.js";
import { StreamCapture } from "./stream_capture.js";

/**
 * A participant's session in a frame: camera -> capture -> connection, and marks. It draws nothing.
 *
 * @typedef {import("../shared/protocol.js").Result} Result
 * @typedef {import("../shared/connection.js").ConnectionState} ConnectionState
 * @typedef {import("../room/connection.js").Consent} Consent
 * @typedef {import("../room/connection.js").Listener} Listener
 * @typedef {import("../room/memory.js").Memory} Memory
 * @typedef {object} Parts
 * @property {HTMLVideoElement} video
 * @property {number} max_bytes  of the largest image that the server accepts
 * @property {Consent} consent
 * @property {Memory} memory
 * @property {Listener} listener
 * @property {(state: ConnectionState) => void} onConnection
 * @property {(result: Result, captured_ms: number, round_trip_ms: number) => void} onResult  `captured_ms` since 1970
 * @property {() => void} onCameraLost
 */

export class FrameSession {
  /** @type {StreamCapture | Capture | null} */
  #capture = null;
  #isStopped = false;
  rate = new RateController();

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    const { video, consent, memory, listener, onCameraLost } = parts;
    this.camera = new Camera(video, onCameraLost);
    this.connect = () => new RoomConnection((state) => this.#onConnection(state), consent, memory, listener);
  }

  /** Open the camera, then join. @throws {import("../live/camera.js").CameraError} */
  async open() {
    await this.camera.startPreferred();
    if (this.#isStopped) return;
    this.connection = this.connect();
    this.marks = new MarkQueue(this.connection);
    this.results = new ResultStream(this.connection, this.parts.onResult);
    this.#capture = this.#createCapture(this.results);
    this.#capture.start();
  }

  stop() {
    this.#isStopped = true;
    this.#capture?.stop();
    this.results?.stop();
    this.marks?.stop();
    this.connection?.stop();
    this.camera.stop();
  }

  /** @param {ResultStream} connection */
  #createCapture(connection) {
    const { rate, parts: { video, max_bytes } } = this;
    const stream = video.srcObject;
    /** @param {{answer: import("../shared/protocol.js").Answer, round_trip_ms: number}} answered */
    const onAnswer = ({ answer, round_trip_ms }) => this.#onAnswer(answer, round_trip_ms);
    if (StreamCapture.isSupported && stream instanceof MediaStream) {
      return new StreamCapture({ track: stream.getVideoTracks()[0], connection, rate, max_bytes, onAnswer });
    }
    const smoothing = { time_s: undefined }; // the server's own
    return new Capture({ video, connection, rate, smoothing, max_bytes, onAnswer });
  }

  /** @param {import("../shared/protocol.js").Answer} answer @param {number} round_trip_ms */
  #onAnswer(answer, round_trip_ms) {
    const now_ms = performance.now();
    if (!isProblem(answer)) this.rate.answered(round_trip_ms, now_ms);
    else if (!["unavailable", "not_here"].includes(answer.problem.code)) this.rate.refused(now_ms);
  }

  /** @param {ConnectionState} state */
  #onConnection(state) {
    if (state === "connected") this.marks?.send();
    if (state === "lost") this.results?.lose(performance.timeOrigin + performance.now());
    this.parts.onConnection(state);
  }
}
