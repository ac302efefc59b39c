import { ApiError } from "./api.js";

/**
 * Markers on their way to the server, in the order in which they were set. Those that do not reach it wait, with
 * the time of their key or click, and are sent again until it answers; the server counts one that comes twice once.
 *
 * @typedef {object} Marker
 * @property {string} label
 * @property {number} at_ms  on this page's clock
 * @property {string} [time]  the same on the server's clock, as soon as that is known
 *
 * @typedef {{label: string, reason: string}} Refusal
 *
 * @typedef {object} MarkerView  what the queue needs to know of the board
 * @property {(marker: {label: string, time: string | undefined, source: "board"}) => Promise<unknown>} send
 * @property {(at_ms: number) => number | null} serverTime  of a time of this page, both in milliseconds
 * @property {(waiting: Marker[]) => void} onWaiting  markers could not be sent, or those that waited were
 * @property {(refused: Refusal[]) => void} onRefused  markers were not set, and will not be; said after all else
 */

const RETRY_MS = 2000;

/** Answers after which the same marker may still be taken: signed out, too many requests. */
const PASSING = [401, 408, 429];

export class MarkerQueue {
  /** @type {Marker[]} */
  #waiting = [];
  #sending = false;
  #failed = false;
  /** Those that were not said yet. @type {Refusal[]} */
  #refused = [];

  /** @param {MarkerView} view */
  constructor(view) {
    this.view = view;
  }

  get size() {
    return this.#waiting.length;
  }

  /** @param {string} label @param {number} at_ms */
  add(label, at_ms) {
    this.#waiting.push({ label, at_ms, time: this.#timeOf(at_ms) });
    if (this.#failed) this.view.onWaiting([...this.#waiting]);
    void this.flush();
  }

  /** Send what waits; also to be called when the server is back. */
  async flush() {
    if (this.#sending) return;
    this.#sending = true;
    clearTimeout(this.retry);
    let sent = true;
    while (sent && this.#waiting.length > 0) sent = await this.#sendFirst();
    this.#sending = false;
    if (!sent) this.retry = setTimeout(() => void this.flush(), RETRY_MS);
    if (!sent || this.#failed) this.view.onWaiting([...this.#waiting]);
    this.#failed = !sent;
    const refused = this.#refused.splice(0);
    if (refused.length > 0) this.view.onRefused(refused);
  }

  /** Whether the first marker is dealt with: set, or refused. */
  async #sendFirst() {
    const marker = this.#waiting[0];
    marker.time ??= this.#timeOf(marker.at_ms);
    try {
      await this.view.send({ label: marker.label, time: marker.time, source: "board" });
    } catch (error) {
      if (!(error instanceof ApiError) || isPassing(error)) return false;
      this.#refused.push({ label: marker.label, reason: error.message });
    }
    this.#waiting.shift();
    return true;
  }

  /** @param {number} at_ms */
  #timeOf(at_ms) {
    const server_ms = this.view.serverTime(at_ms);
    return server_ms === null ? undefined : new Date(server_ms).toISOString();
  }
}

/** @param {ApiError} error */
function isPassing({ status }) {
  return status >= 500 || PASSING.includes(status);
}
