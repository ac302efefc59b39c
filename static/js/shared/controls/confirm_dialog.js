import { closeMenus } from "./menus.js";
import { element, write } from "../dom.js";

/**
 * Asks before something is lost: `templates/shared/confirm.html` on the page. Escape and "Cancel" mean no.
 *
 * @typedef {{title: string, text: string, action: string}} Question
 */
export class ConfirmDialog {
  constructor() {
    this.dialog = element("confirm", HTMLDialogElement);
  }

  /** @param {Question} question @returns {Promise<boolean>} */
  ask({ title, text, action }) {
    write(element("confirm-title", HTMLElement), title);
    write(element("confirm-text", HTMLElement), text);
    write(element("confirm-yes", HTMLButtonElement), action);
    this.dialog.returnValue = "";
    returnFocusTo()?.focus(); // a dialog gives the focus back to where it was, and a closed menu cannot take it
    closeMenus();
    this.dialog.showModal();
    return new Promise((answer) => {
      this.dialog.addEventListener("close", () => answer(this.dialog.returnValue === "yes"), { once: true });
    });
  }
}

/** @returns {HTMLElement | null | undefined} */
function returnFocusTo() {
  return document.activeElement?.closest("details")?.querySelector("summary");
}
