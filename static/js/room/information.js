import { element } from "../shared/dom.js";

/** The text that a participant reads before they consent, in one of the languages that the room has it in. */
export class Information {
  #listening = new AbortController();

  constructor() {
    this.texts = [...document.querySelectorAll("[data-language]")].filter((text) => text instanceof HTMLElement);
    /** Rooms with one text have no menu. */
    this.menu = this.texts.length > 1 ? element("information-language", HTMLSelectElement) : null;
  }

  start() {
    this.menu?.addEventListener("change", () => this.#show(), { signal: this.#listening.signal });
  }

  stop() {
    this.#listening.abort();
  }

  /** Of the text that is shown; undefined where the host did not name it. @returns {string | undefined} */
  get language() {
    return this.texts.find((text) => !text.hidden)?.dataset.language || undefined;
  }

  #show() {
    for (const text of this.texts) text.hidden = text.dataset.language !== this.menu?.value;
  }
}
