import { write } from "../shared/dom.js";
import { t } from "../shared/translate.js";

/**
 * What a participant gets at the end: the name under which they took part and, who took part to the end, a code to
 * copy and the way back to the panel that sent them.
 *
 * @typedef {{return_url?: string, code?: string, alias?: string}} Given
 */
export class Completion {
  #listening = new AbortController();
  /** @type {Given} */
  #given = {};

  /** @param {ParentNode} page with elements [data-completion] and [data-alias-line], in the screens that show them */
  constructor(page = document) {
    this.boxes = htmlElements(page, "[data-completion]");
    this.aliasLines = htmlElements(page, "[data-alias-line]");
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
  show(given) {
    this.#given = given;
    const { return_url = "", code = "", alias = "" } = given;
    for (const box of this.boxes) showBox(box, return_url, code);
    for (const line of this.aliasLines) {
      line.hidden = !alias;
      write(line, t("You took part as %(alias)s.", { alias: isolated(alias) }));
    }
  }

  /** Show no more of these. @param {(keyof Given)[]} names */
  takeBack(names) {
    this.show({ ...this.#given, ...Object.fromEntries(names.map((name) => [name, ""])) });
  }

  /** @param {Element} button */
  async #copy(button) {
    try {
      await navigator.clipboard.writeText(this.#given.code ?? "");
      write(button, t("Copied"));
    } catch (error) {
      console.debug("The code could not be copied:", error); // it can be selected and copied by hand
    }
  }
}

/** @param {HTMLElement} box @param {string} return_url @param {string} code shown by boxes that have a place for it */
function showBox(box, return_url, code) {
  const [line] = htmlElements(box, "[data-code-line]");
  const shown = box.querySelector("[data-code]");
  const link = box.querySelector("[data-return]");
  box.hidden = !return_url && !(code && line);
  if (line) line.hidden = !code;
  if (shown) write(shown, code);
  if (!(link instanceof HTMLAnchorElement)) return;
  link.hidden = !return_url;
  if (return_url) link.href = return_url;
  else link.removeAttribute("href");
}

/** @param {ParentNode} parent @param {string} selector */
function htmlElements(parent, selector) {
  return [...parent.querySelectorAll(selector)].filter((found) => found instanceof HTMLElement);
}

/** A name within a sentence, which may run in the other direction. @param {string} name */
function isolated(name) {
  return `\u2068${name}\u2069`;
}
