/**
 * What this tab remembers of a room, so that a reload or a crash brings the same participant back. Where the
 * browser offers pages no storage, it is remembered as long as the page is open.
 *
 * @typedef {{resume: string | null, alias: string | null, completion?: import("./completion.js").Given}} Kept
 */
export class Memory {
  #text = "";

  /** @param {string} room @param {string} [participant] the id that a panel or an experiment gave: others are remembered apart */
  constructor(room, participant = "") {
    this.key = participant ? `mien:${room}:${participant}` : `mien:${room}`;
  }

  /** @returns {Kept | null} */
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

  /** What the participant gets at the end: a page that is loaded again once the room is closed cannot ask for it. */
  get completion() {
    return this.#kept?.completion ?? {};
  }

  /** @param {import("./connection.js").Joined} joined */
  keep({ resume, alias, completion }) {
    this.#write({ resume, alias, completion: { ...completion, alias } });
  }

  /** @param {Kept} kept */
  #write(kept) {
    this.#text = JSON.stringify(kept);
    withStorage((storage) => storage.setItem(this.key, this.#text));
  }

  /** The participation has ended: who joins next in this tab is somebody else. What was given at its end stays. */
  end() {
    const { completion } = this;
    this.#write({ resume: null, alias: null, completion });
  }

  /** Nothing stays: the participant was removed, or their data were deleted. */
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
