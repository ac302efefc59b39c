/**
 * What this tab remembers of a room, so that a reload or a crash brings the same participant back. Where the
 * browser offers pages no storage, it is remembered as long as the page is open.
 */
export class Memory {
  #text = "";

  /** @param {string} room @param {string} [participant] the id that a panel or an experiment gave: others are remembered apart */
  constructor(room, participant = "") {
    this.key = participant ? `mien:${room}:${participant}` : `mien:${room}`;
  }

  /** @returns {{resume: string, alias: string} | null} */
  get #kept() {
    const text = withStorage((storage) => storage.getItem(this.key)) ?? this.#text;
    return text ? JSON.parse(text) : null;
  }

  get resume() {
    return this.#kept?.resume ?? null;
  }

  get alias() {
    return this.#kept?.alias ?? null;
  }

  /** @param {import("./connection.js").Joined} joined */
  keep({ resume, alias }) {
    this.#text = JSON.stringify({ resume, alias });
    withStorage((storage) => storage.setItem(this.key, this.#text));
  }

  forget() {
    this.#text = "";
    withStorage((storage) => storage.removeItem(this.key));
  }
}

/** @template T @param {(storage: Storage) => T} use @returns {T | null} null where there is no storage */
function withStorage(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null;
  }
}
