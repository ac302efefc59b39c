/**
 * The notices over the video: what is wrong just now and what to do. One at a time, the gravest first.
 *
 * @typedef {"server-lost" | "unavailable" | "busy" | "no-face"} NoticeName  in this order
 */
export class Notices {
  /** @type {Set<string>} */
  #on = new Set();

  /** @param {HTMLElement} container with one element [data-notice] for each, gravest first */
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
