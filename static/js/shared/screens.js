/**
 * Shows one screen of the page at a time and brings keyboard and screen reader to its heading.
 *
 * @typedef {"start" | "opening" | "live" | "stopped" | "unreachable" | "unplugged" | import("../live/camera.js").CameraReason} LiveScreen
 * @typedef {"declined" | "left" | "erased" | "removed" | "closed" | "deleted"} RoomEnding
 * @typedef {LiveScreen | RoomEnding} ScreenName
 */
export class Screens {
  /** @param {HTMLElement} container with one element [data-screen] for each */
  constructor(container) {
    this.container = container;
    this.items = [...container.querySelectorAll("[data-screen]")].filter((item) => item instanceof HTMLElement);
  }

  /** @param {ScreenName} name @param {boolean} [takesFocus]  false: it stays where it is */
  show(name, takesFocus = true) {
    const first = document.documentElement.dataset.shown === undefined;
    for (const item of this.items) item.hidden = item.dataset.screen !== name;
    document.documentElement.dataset.shown = name;
    if (first || !takesFocus) return; // at first the browser begins at the top by itself
    const heading = this.items.find((item) => !item.hidden)?.querySelector("[tabindex='-1']");
    if (heading instanceof HTMLElement) heading.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
}
