/** Where the answer does not come, as after a click on the browser's stop button, a form may be sent again. */
const PAUSE_MS = 10_000;

/** Send each form once, however often its button is clicked: otherwise there would be a second room, or a key that nobody saw. */
export function sendFormsOnce() {
  /** @type {Map<EventTarget, number>} */
  const sent = new Map();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.method !== "post") return;
    if (event.timeStamp - (sent.get(form) ?? -Infinity) < PAUSE_MS) return event.preventDefault();
    sent.set(form, event.timeStamp);
  });
  window.addEventListener("pageshow", () => sent.clear()); // somebody came back to the form
}
