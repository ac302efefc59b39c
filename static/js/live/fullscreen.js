/**
 * Let a button show an element on the whole screen; hidden where the browser cannot do that.
 * @param {HTMLButtonElement} button @param {HTMLElement} target @param {AbortSignal} signal ends it
 */
export function prepareFullscreen(button, target, signal) {
  button.hidden = !document.fullscreenEnabled;
  const toggle = () => (document.fullscreenElement ? document.exitFullscreen() : target.requestFullscreen());
  const show = () => button.setAttribute("aria-pressed", String(document.fullscreenElement !== null));
  button.addEventListener("click", () => void toggle(), { signal });
  document.addEventListener("fullscreenchange", show, { signal });
}

/** Show the page again, as for a screen that follows the view. */
export function leaveFullscreen() {
  if (document.fullscreenElement) void document.exitFullscreen();
}
