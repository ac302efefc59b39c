import { write } from "./dom.js";

/**
 * What a page says in words beside what it shows: notices over the video, and lines that are read out.
 *
 * @typedef {"server-lost" | "unavailable" | "busy" | "no-face"} NoticeName  the most serious first
 */

/** The notices over the video: what is wrong right now and what to do. One at a time, the most serious first. */
export class Notices {
  /** @type {Set<string>} */
  #on = new Set();

  /** @param {HTMLElement} container with one element [data-notice] for each, the most serious first */
  constructor(container) {
    this.items = [...container.querySelectorAll("[data-notice]")].filter((item) => item instanceof HTMLElement);
  }

  /** @param {NoticeName} name @param {boolean} on */
  set(name, on) {
    if (this.#on.has(name) === on) return;
    if (on) this.#on.add(name);
    else this.#on.delete(name);
    this.#render();
  }

  clear() {
    this.#on.clear();
    this.#render();
  }

  #render() {
    const first = this.items.find((item) => this.#on.has(item.dataset.notice ?? ""));
    for (const item of this.items) item.hidden = item !== first;
  }
}

/** A line that screen readers read out: changed only for a new text, and not too often; the newest waits for its turn. */
export class Announcer {
  #text = "";
  #changed_ms = -Infinity;
  #timer = 0;

  /** @param {Element} line an aria-live element @param {number} min_interval_ms between two texts */
  constructor(line, min_interval_ms) {
    this.line = line;
    this.min_interval_ms = min_interval_ms;
  }

  /** @param {string} text @param {number} now_ms */
  say(text, now_ms) {
    this.stop();
    if (text === this.#text) return;
    const due_ms = this.#changed_ms + this.min_interval_ms;
    if (now_ms < due_ms) {
      this.#timer = setTimeout(() => this.say(text, due_ms), due_ms - now_ms);
      return;
    }
    this.#text = text;
    this.#changed_ms = now_ms;
    write(this.line, text);
  }

  /** Say nothing that still waits for its turn. */
  stop() {
    clearTimeout(this.#timer);
  }
}
