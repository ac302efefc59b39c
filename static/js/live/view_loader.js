/**
 * Loads the modules of a live view when somebody starts it.
 *
 * @typedef {typeof import("./view.js").LiveView} LiveViewClass
 */

const ANSWER_TIMEOUT_MS = 8000;

export class ViewLoader {
  #hasFailed = false;

  /** @param {() => Promise<unknown>} loadOthers  loads what a page needs beside the view */
  constructor(loadOthers) {
    this.loadOthers = loadOthers;
  }

  /**
   * Chromium keeps a module that it could not fetch as failed while the page is open. So the server is asked first;
   * where a module failed nonetheless, only loading the page again helps.
   * @returns {Promise<LiveViewClass>} fails where the server cannot be reached
   */
  async load() {
    await reachServer();
    if (this.#hasFailed) await reloadPage();
    try {
      const [{ LiveView }] = await Promise.all([import("./view.js"), this.loadOthers()]);
      return LiveView;
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
  }
}

/** @returns {Promise<never>} */
function reloadPage() {
  location.reload();
  return new Promise(() => {}); // until the page is gone
}

async function reachServer() {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const response = await fetch(import.meta.url, { method: "HEAD", cache: "no-store", signal });
  if (!response.ok) throw new Error(`The server answers ${response.status}.`);
}
