import { write } from "../dom.js";

/** How long a button says what it did. */
const DONE_MS = 2500;

/** What each button says otherwise, and when it says so again. @type {WeakMap<Element, {text: string, timer: ReturnType<typeof setTimeout>}>} */
const shown = new WeakMap();

/** Let a button say for a moment what it did; a second click begins that moment anew. @param {HTMLButtonElement} button @param {string} done */
export function showDone(button, done) {
  const target = button.querySelector("span") ?? button;
  const before = shown.get(target);
  if (before) clearTimeout(before.timer);
  const text = before?.text ?? target.textContent ?? "";
  write(target, done);
  shown.set(target, { text, timer: setTimeout(() => end(target), DONE_MS) });
}

/** @param {Element} target */
function end(target) {
  write(target, shown.get(target)?.text ?? "");
  shown.delete(target);
}
