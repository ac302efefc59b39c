/**
 * Marks on their way to the server. What finds no server is kept and sent when it is back: a mark that is sent twice
 * counts once, and their order is that of their times.
 *
 * @typedef {object} Mark
 * @property {string} label
 * @property {number} time  milliseconds since 1970
 * @property {(answer: {label: string, time: unknown}) => void} onSet
 * @property {(code: string, message: string) => void} onRefused
 */

const MAX_KEPT = 1000;
const RETRY_MS = 1500;

/** At once on their way: the answer to one takes as long as the database, and trials may be short. */
const MAX_IN_FLIGHT = 4;

/** The server takes it soon. */
const TEMPORARY = new Set(["store_unavailable", "unavailable", "busy", "not_joined", "not_here", "too_many_attempts"]);

export class MarkQueue {
  /** @type {Mark[]} */
  #kept = [];
  #in_flight = 0;
  #stopped = false;
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
    this.send();
  }

  /** Send what is kept, as far as there is a connection. */
  send() {
    while (this.connection.connected && this.#in_flight < MAX_IN_FLIGHT) {
      const mark = this.#kept.shift();
      if (!mark) return;
      void this.#sendOne(mark);
    }
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#retry);
    for (const mark of this.#kept.splice(0)) refuseEnded(mark);
  }

  /** @param {Mark} mark */
  async #sendOne(mark) {
    this.#in_flight += 1;
    const isDone = await this.#isTaken(mark);
    this.#in_flight -= 1;
    if (isDone) return this.send();
    if (this.#stopped) return refuseEnded(mark);
    this.#kept.unshift(mark);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.send(), RETRY_MS);
  }

  /** Whether the server took a mark, or refused it for good. @param {Mark} mark */
  async #isTaken({ label, time, onSet, onRefused }) {
    try {
      const answer = await this.connection.mark(label, time);
      if (!("problem" in answer)) onSet(answer);
      else if (TEMPORARY.has(answer.problem.code)) return false;
      else onRefused(answer.problem.code, answer.problem.message);
      return true;
    } catch (error) {
      console.debug("A mark got no answer:", error);
      return false;
    }
  }
}

/** @param {Mark} mark */
function refuseEnded({ onRefused }) {
  onRefused("ended", "The session ended before the server took this mark.");
}
