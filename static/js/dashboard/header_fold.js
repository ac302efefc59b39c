import { element } from "../shared/dom.js";

/** On narrow screens most of the header is folded away, behind a button. The style sheet says from which width on. */
export class HeaderFold {
  #listening = new AbortController();

  /** @param {HTMLElement} root that gets the class "is-unfolded" */
  constructor(root) {
    this.root = root;
    this.button = element("unfold", HTMLButtonElement);
  }

  start() {
    this.button.addEventListener("click", () => this.#toggle(), { signal: this.#listening.signal });
  }

  stop() {
    this.#listening.abort();
  }

  #toggle() {
    const isUnfolded = this.root.classList.toggle("is-unfolded");
    this.button.setAttribute("aria-expanded", String(isUnfolded));
  }
}
