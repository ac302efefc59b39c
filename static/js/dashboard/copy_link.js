import { showDone } from "../shared/controls/done_text.js";
import { t } from "../shared/translate.js";

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
  try {
    await navigator.clipboard.writeText(button.dataset.copy ?? "");
    showDone(button, t("Copied"));
  } catch (error) {
    console.debug("The link could not be copied:", error);
    showDone(button, t("Could not copy"));
  }
}
