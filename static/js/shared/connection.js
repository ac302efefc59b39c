import { io } from "/static/vendor/socket.io.esm.min.js";

/**
 * The connection to the server: sends frames, returns their answers, reconnects by itself.
 *
 * @typedef {import("./protocol.js").FrameMeta} FrameMeta
 * @typedef {import("./protocol.js").Answer} Answer
 * @typedef {"connected" | "moving" | "lost"} ConnectionState  `moving`: to another server, which takes a moment
 * @typedef {(state: ConnectionState) => void} StateListener
 *
 * @typedef {object} FrameChannel  what a live view needs to have its frames analyzed
 * @property {boolean} connected   whether frames can be sent now
 * @property {(meta: FrameMeta, image: ArrayBuffer) => Promise<Answer>} send
 *   fails when the connection is or gets lost, and when no answer comes in time
 * @property {() => void} stop
 */

/** An answer that takes longer is given up; the server itself gives up after at most three seconds. */
const FRAME_TIMEOUT_MS = 5000;

/** A move that takes longer counts as a loss. */
const MOVE_MS = 2000;

/**
 * A socket to this server, for every page. Each of its requests names the room, so that a proxy in front of several
 * nodes finds the one that serves it. That node says `not_here` when it gives the room up: then connect again at once.
 * @param {string} [room]
 */
export function openSocket(room) {
  const socket = io({
    auth: room ? { room } : {},
    query: room ? { room } : {},
    transports: ["websocket", "polling"],
    tryAllTransports: true, // a proxy may block websockets
    reconnectionDelay: 400,
    reconnectionDelayMax: 3000,
    timeout: 5000,
  });
  socket.on("not_here", () => void socket.disconnect().connect());
  return socket;
}

/** @implements {FrameChannel} */
export class Connection {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #move;
  #heard_ms = 0;

  /** @param {StateListener} onState @param {string} [room] */
  constructor(onState, room) {
    this.onState = onState;
    this.socket = openSocket(room);
    this.socket.on("connect", () => this.#onConnect());
    this.socket.on("disconnect", (reason) => (reason === "io client disconnect" ? this.#onMove() : this.#onLoss()));
    this.socket.on("connect_error", () => this.#onLoss());
  }

  #onConnect() {
    clearTimeout(this.#move);
    this.#move = undefined;
    const heard = () => void (this.#heard_ms = performance.now());
    heard();
    this.socket.io.engine.on("packet", heard);
    this.onState("connected");
  }

  /** The page itself disconnected, to connect again. */
  #onMove() {
    this.#move ??= setTimeout(() => {
      this.#move = undefined;
      if (!this.connected) this.onState("lost");
    }, MOVE_MS);
    this.onState("moving");
  }

  #onLoss() {
    if (this.#move === undefined) this.onState("lost");
  }

  get connected() {
    return this.socket.connected;
  }

  /**
   * A server that says nothing at all until the time is over is frozen, or the network swallows everything. Socket.IO
   * would notice after up to 45 s; another connection may reach another server.
   * @param {FrameMeta} meta @param {ArrayBuffer} image @returns {Promise<Answer>}
   */
  async send(meta, image) {
    if (!this.connected) throw new Error("There is no connection to the server.");
    const sent_ms = performance.now();
    try {
      return await this.ask(FRAME_TIMEOUT_MS, "frame", meta, image);
    } catch (error) {
      if (this.connected && this.#heard_ms < sent_ms) this.socket.disconnect().connect();
      throw error;
    }
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
    this.onState = () => {}; // it ends on purpose
    clearTimeout(this.#move);
    this.socket.disconnect();
  }
}
