import { reachServer } from "../shared/reach_server.js";

/**
 * Loads the modules of a live view when somebody starts it.
 *
 * @typedef {typeof import("./view.js").LiveView} LiveViewClass
 */

export class ViewLoader {
  #hasFailed = false;

  /** @param {() => Promise<unknown>} loadOthers  loads what a page needs beside the view */
  constructor(loadOthers) {
    this.loadOthers = loadOthers;
  }

  /**
   * The server is asked first; where a module failed nonetheless, only loading the page again helps.
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
