import { element } from "../shared/dom.js";
import { ask } from "./api.js";

/** The ways to choose files: two buttons, dropping them anywhere on the page, pasting an image, and the example. */
export class Chooser {
  #listening = new AbortController();
  /** How many elements a drag has entered and not left. */
  #entered = 0;

  /** @param {(files: File[]) => void} onFiles @param {() => void} onUnreachable the example could not be loaded */
  constructor(onFiles, onUnreachable) {
    this.onFiles = onFiles;
    this.onUnreachable = onUnreachable;
    this.example = element("example", HTMLButtonElement);
    this.zone = element("drop", HTMLElement);
  }

  start() {
    const { signal } = this.#listening;
    for (const button of document.querySelectorAll("[data-choose]")) {
      const input = element(button.getAttribute("data-choose") ?? "", HTMLInputElement);
      button.addEventListener("click", () => input.click(), { signal });
      input.addEventListener("change", () => this.#take(input), { signal });
    }
    this.example.addEventListener("click", () => void this.#takeExample(), { signal });
    document.addEventListener("dragenter", (event) => this.#onDrag(event, 1), { signal });
    document.addEventListener("dragleave", (event) => this.#onDrag(event, -1), { signal });
    document.addEventListener("dragover", (event) => event.preventDefault(), { signal });
    document.addEventListener("drop", (event) => this.#onDrop(event), { signal });
    document.addEventListener("paste", ({ clipboardData }) => this.#give(clipboardData?.files), { signal });
  }

  stop() {
    this.#listening.abort();
  }

  /** @param {HTMLInputElement} input */
  #take(input) {
    this.#give(input.files);
    input.value = ""; // so that the same file can be chosen again
  }

  /** @param {FileList | undefined | null} files */
  #give(files) {
    if (files && files.length > 0) this.onFiles([...files]);
  }

  async #takeExample() {
    const url = this.example.dataset.url ?? "";
    const image = await loaded(url);
    if (!image) return this.onUnreachable();
    this.onFiles([new File([image], url.slice(url.lastIndexOf("/") + 1), { type: "image/jpeg" })]);
  }

  /** @param {DragEvent} event @param {1 | -1} step */
  #onDrag(event, step) {
    event.preventDefault();
    this.#entered += step;
    this.zone.classList.toggle("is-target", this.#entered > 0);
  }

  /** @param {DragEvent} event */
  #onDrop(event) {
    event.preventDefault();
    this.#entered = 0;
    this.zone.classList.remove("is-target");
    this.#give(event.dataTransfer?.files);
  }
}

/** What is at an address; null where the server does not give it. @param {string} url */
async function loaded(url) {
  try {
    const response = await ask(url);
    return response.ok ? await response.blob() : null;
  } catch (error) {
    console.debug("The example could not be loaded:", error);
    return null;
  }
}
