/**
 * Marks on their way to the server, in order. What finds no server is kept and sent when it is back: a mark that is
 * sent twice counts once.
 *
 * @typedef {object} Mark
 * @property {string} label
 * @property {number} time  milliseconds since 1970
 * @property {(answer: {label: string, time: unknown}) => void} onSet
 * @property {(code: string, message: string) => void} onRefused
 */

const MAX_KEPT = 1000;
const RETRY_MS = 1500;

/** The server works again soon. */
const TEMPORARY = new Set(["store_unavailable", "unavailable", "busy", "not_joined"]);

export class MarkQueue {
  /** @type {Mark[]} */
  #kept = [];
  #sending = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;

  /** @param {{connected: boolean, mark: (label: string, time: number) => Promise<any>}} connection */
  constructor(connection) {
    this.connection = connection;
  }

  /** @param {Mark} mark */
  add(mark) {
    if (this.#kept.length >= MAX_KEPT) return mark.onRefused("server_lost", `The server is away, and ${MAX_KEPT} marks wait for it already.`);
    this.#kept.push(mark);
    void this.send();
  }

  /** Send what is kept, one after the other, as far as the server answers. */
  async send() {
    if (this.#sending) return;
    this.#sending = true;
    while (this.#kept.length > 0 && this.connection.connected && (await this.#sendFirst())) this.#kept.shift();
    this.#sending = false;
  }

  stop() {
    clearTimeout(this.#retry);
    for (const { onRefused } of this.#kept.splice(0)) onRefused("ended", "The session ended before the server took this mark.");
  }

  /** @returns {Promise<boolean>} whether it is done with */
  async #sendFirst() {
    const { label, time, onSet, onRefused } = this.#kept[0];
    try {
      const answer = await this.connection.mark(label, time);
      if (!("problem" in answer)) onSet(answer);
      else if (TEMPORARY.has(answer.problem.code)) return this.#tryLater();
      else onRefused(answer.problem.code, answer.problem.message);
      return true;
    } catch (error) {
      console.debug("A mark got no answer:", error);
      return this.#tryLater();
    }
  }

  #tryLater() {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.send(), RETRY_MS);
    return false;
  }
}
