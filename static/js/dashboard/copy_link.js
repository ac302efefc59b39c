import { write } from "../shared/dom.js";
import { t } from "../shared/translate.js";

/** How long a button says what it did. */
const DONE_MS = 2500;

/** Buttons with `data-copy` copy that text, where the browser allows it: on secure pages only. */
export function watchCopyButtons() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!(button instanceof HTMLButtonElement)) continue;
    button.hidden = false;
    button.addEventListener("click", () => void copy(button));
  }
}

/** @param {HTMLButtonElement} button */
async function copy(button) {
  const text = button.querySelector("span") ?? button;
  const before = text.textContent ?? "";
  await navigator.clipboard.writeText(button.dataset.copy ?? "");
  write(text, t("Copied"));
  setTimeout(() => write(text, before), DONE_MS);
}
