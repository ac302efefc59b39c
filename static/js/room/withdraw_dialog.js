import { element, write } from "../shared/dom.js";
import { t } from "../shared/translate.js";

/** Asks before a participant's data are deleted, says what is lost, and says so if it did not work. */
export class WithdrawDialog {
  #listening = new AbortController();

  /** @param {() => Promise<boolean>} withdraw deletes the data; whether that worked */
  constructor(withdraw) {
    this.withdraw = withdraw;
    this.dialog = element("withdraw-dialog", HTMLDialogElement);
    this.confirm = element("withdraw-confirm", HTMLButtonElement);
    this.problem = element("withdraw-problem", HTMLElement);
  }

  start() {
    const { signal } = this.#listening;
    this.confirm.addEventListener("click", () => void this.#onConfirm(), { signal });
    element("withdraw-cancel", HTMLButtonElement).addEventListener("click", () => this.close(), { signal });
  }

  stop() {
    this.#listening.abort();
    this.close();
  }

  open() {
    this.#showWaiting(false);
    this.problem.hidden = true;
    this.dialog.showModal();
  }

  close() {
    this.dialog.close();
  }

  async #onConfirm() {
    this.problem.hidden = true;
    this.#showWaiting(true);
    const deleted = await this.withdraw();
    this.#showWaiting(false);
    if (deleted) return this.close();
    write(this.problem, t("The server did not answer, so nothing has been deleted yet. Try again, or tell the researcher."));
    this.problem.hidden = false;
  }

  /** @param {boolean} waiting */
  #showWaiting(waiting) {
    this.confirm.disabled = waiting;
    write(this.confirm, waiting ? t("Deleting …") : t("Delete my data and leave"));
  }
}
