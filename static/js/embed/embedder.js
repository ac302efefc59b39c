/**
 * The page around this frame, as far as it may talk to it: docs/embedding.md describes the messages.
 *
 * @typedef {{mien: number, type: string, id?: number, [field: string]: unknown}} Message
 */

export const VERSION = 1;

export class Embedder {
  /** Of the page around, once it has sent a message that was taken. */
  #origin = "";
  #listening = new AbortController();

  /**
   * @param {string[]} origins that the room names
   * @param {(message: Message) => void} onMessage
   * @param {(origin: string) => void} onRefused  a page of another origin sent a message; it was told so
   */
  constructor(origins, onMessage, onRefused) {
    this.origins = origins;
    this.onMessage = onMessage;
    this.onRefused = onRefused;
  }

  /** Whether there is a page around this one. */
  get isPresent() {
    return window.parent !== window;
  }

  start() {
    window.addEventListener("message", (event) => this.#receive(event), { signal: this.#listening.signal });
  }

  stop() {
    this.#listening.abort();
  }

  /** @param {MessageEvent} event */
  #receive({ source, origin, data }) {
    if (source !== window.parent || typeof data !== "object" || data === null || !("mien" in data)) return;
    if (!this.origins.includes(origin)) {
      tell(origin, { type: "error", code: "origin_refused", message: `This room does not name the origin ${origin}.` });
      return this.onRefused(origin);
    }
    if (data.mien !== VERSION || typeof data.type !== "string") {
      const message = `This server speaks version ${VERSION} of the messages; got ${String(data.mien)}.`;
      return tell(origin, { type: "error", code: "version_unsupported", message });
    }
    this.#origin = origin;
    this.onMessage(data);
  }

  /** @param {string} type @param {object} [fields] */
  send(type, fields = {}) {
    if (this.#origin) tell(this.#origin, { type, ...fields });
  }

  /** Answer a message that has an id. @param {Message} asked @param {unknown} value */
  answer({ id }, value) {
    this.send("answer", { id, value });
  }

  /** @param {Message} asked @param {string} code @param {string} message */
  refuse({ id }, code, message) {
    this.send("refused", { id, code, message });
  }
}

/** @param {string} origin @param {object} message */
function tell(origin, message) {
  if (origin !== "null") window.parent.postMessage({ mien: VERSION, ...message }, origin);
}
