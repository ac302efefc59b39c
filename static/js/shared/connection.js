import { io } from "/static/vendor/socket.io.esm.min.js";

/**
 * The connection to the server: sends pictures, gives their answers, connects again by itself.
 *
 * @typedef {import("./protocol.js").FrameMeta} FrameMeta
 * @typedef {import("./protocol.js").Answer} Answer
 * @typedef {"connected" | "lost"} LinkState
 */

/** An answer that takes longer is given up; the server itself gives up after about two seconds. */
const ANSWER_LIMIT_MS = 5000;

export class Link {
  /** @param {(state: LinkState) => void} onState @param {Record<string, string>} [auth] what the server hears first */
  constructor(onState, auth = {}) {
    this.onState = onState;
    this.socket = io({
      auth,
      transports: ["websocket", "polling"],
      tryAllTransports: true, // a proxy may stop websockets
      reconnectionDelay: 400,
      reconnectionDelayMax: 3000,
      timeout: 5000,
    });
    this.socket.on("connect", () => this.welcome());
    this.socket.on("disconnect", () => this.onState("lost"));
    this.socket.on("connect_error", () => this.onState("lost"));
  }

  /** There is a connection, the first or another one. */
  welcome() {
    this.onState("connected");
  }

  get connected() {
    return this.socket.connected;
  }

  /**
   * Send a picture. Fails when the connection is or gets lost, and when no answer comes in time.
   * @param {FrameMeta} meta
   * @param {ArrayBuffer} picture
   * @returns {Promise<Answer>}
   */
  async send(meta, picture) {
    if (!this.connected) throw new Error("There is no connection to the server.");
    return this.socket.timeout(ANSWER_LIMIT_MS).emitWithAck("frame", meta, picture);
  }

  stop() {
    this.socket.disconnect();
  }
}
