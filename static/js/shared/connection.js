import { io } from "/static/vendor/socket.io.esm.min.js";

/**
 * The connection to the server: sends frames, returns their answers, reconnects by itself.
 *
 * @typedef {import("./protocol.js").FrameMeta} FrameMeta
 * @typedef {import("./protocol.js").Answer} Answer
 * @typedef {"connected" | "lost"} ConnectionState
 * @typedef {(state: ConnectionState) => void} StateListener
 *
 * @typedef {object} FrameChannel  what a live view needs to have its frames analyzed
 * @property {boolean} connected   whether frames can be sent now
 * @property {(meta: FrameMeta, image: ArrayBuffer) => Promise<Answer>} send
 *   fails when the connection is or gets lost, and when no answer comes in time
 * @property {() => void} stop
 */

/** An answer that takes longer is given up; the server itself gives up after about two seconds. */
const FRAME_TIMEOUT_MS = 5000;

/** A socket to this server, for every page. @param {Record<string, string>} [auth] sent with the connection */
export function openSocket(auth = {}) {
  return io({
    auth,
    transports: ["websocket", "polling"],
    tryAllTransports: true, // a proxy may block websockets
    reconnectionDelay: 400,
    reconnectionDelayMax: 3000,
    timeout: 5000,
  });
}

/** @implements {FrameChannel} */
export class Connection {
  /** @param {StateListener} onState @param {Record<string, string>} [auth] */
  constructor(onState, auth) {
    this.socket = openSocket(auth);
    this.socket.on("connect", () => onState("connected"));
    this.socket.on("disconnect", () => onState("lost"));
    this.socket.on("connect_error", () => onState("lost"));
  }

  get connected() {
    return this.socket.connected;
  }

  /** @param {FrameMeta} meta @param {ArrayBuffer} image @returns {Promise<Answer>} */
  async send(meta, image) {
    if (!this.connected) throw new Error("There is no connection to the server.");
    return this.ask(FRAME_TIMEOUT_MS, "frame", meta, image);
  }

  /**
   * Emit an event and wait for its answer.
   * @param {number} timeout_ms @param {string} event @param {unknown[]} data
   * @returns {Promise<any>} fails when the connection gets lost, and when no answer comes in time
   */
  ask(timeout_ms, event, ...data) {
    return this.socket.timeout(timeout_ms).emitWithAck(event, ...data);
  }

  stop() {
    this.socket.disconnect();
  }
}
