import { write } from "../shared/dom.js";
import { t } from "../shared/translate.js";

/**
 * What a participant gets at the end: a code to copy, and the way back to the panel that sent them.
 *
 * @typedef {{return_url?: string, code?: string}} Given
 */
export class Completion {
  #listening = new AbortController();
  #code = "";

  /** @param {ParentNode} page with elements [data-completion], in the screens that show it */
  constructor(page = document) {
    this.boxes = [...page.querySelectorAll("[data-completion]")].filter((box) => box instanceof HTMLElement);
  }

  start() {
    const { signal } = this.#listening;
    for (const box of this.boxes) {
      const button = box.querySelector("[data-copy]");
      button?.addEventListener("click", () => void this.#copy(button), { signal });
    }
  }

  stop() {
    this.#listening.abort();
  }

  /** @param {Given} given */
  show({ return_url, code = "" }) {
    this.#code = code;
    for (const box of this.boxes) {
      box.hidden = !return_url && !code;
      const [line, shown, link] = ["[data-code-line]", "[data-code]", "[data-return]"].map((found) => box.querySelector(found));
      if (line instanceof HTMLElement) line.hidden = !code;
      if (shown) write(shown, code);
      if (link instanceof HTMLAnchorElement) {
        link.hidden = !return_url;
        if (return_url) link.href = return_url;
      }
    }
  }

  /** @param {Element} button */
  async #copy(button) {
    try {
      await navigator.clipboard.writeText(this.#code);
      write(button, t("Copied"));
    } catch (error) {
      console.debug("The code could not be copied:", error); // it can be selected and copied by hand
    }
  }
}
