/** Keeps the display awake while the live view runs, where the browser can. */
export class WakeLock {
  /** @type {WakeLockSentinel | null} */
  #lock = null;
  #wanted = false;

  constructor() {
    // The browser releases the lock while the page is hidden.
    this.onVisible = () => void this.#request();
  }

  start() {
    this.#wanted = true;
    document.addEventListener("visibilitychange", this.onVisible);
    void this.#request();
  }

  stop() {
    this.#wanted = false;
    document.removeEventListener("visibilitychange", this.onVisible);
    void this.#lock?.release();
  }

  async #request() {
    if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    try {
      this.#lock = await navigator.wakeLock.request("screen");
      if (!this.#wanted) await this.#lock.release();
    } catch (error) {
      console.debug("The display may go to sleep:", error); // an empty battery, or the browser's settings
    }
  }
}
