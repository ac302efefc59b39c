/** A form may be sent again after this time, for instance when loading was stopped. */
const PAUSE_MS = 10_000;

/** Send a form once even if its button is clicked twice, which would create a second key, and nobody would see the first one. */
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
