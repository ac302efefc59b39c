import { element, write } from "../shared/dom.js";
import { problemText } from "../shared/problems.js";
import { t } from "../shared/translate.js";
import { NO_ANSWER } from "./connection.js";

/** @typedef {import("../shared/problems.js").Problem} Problem */

/** Asks before a participant's data are deleted, says what is lost, and says so if it did not work. */
export class WithdrawDialog {
  #listening = new AbortController();

  /** @param {() => Promise<Problem | null>} withdraw deletes the data; what kept it from that, or null */
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
    const problem = await this.withdraw();
    this.#showWaiting(false);
    if (problem === null) return this.close();
    write(this.problem, failureText(problem));
    this.problem.hidden = false;
  }

  /** @param {boolean} waiting */
  #showWaiting(waiting) {
    this.confirm.disabled = waiting;
    write(this.confirm, waiting ? t("Deleting …") : t("Delete my data and leave"));
  }
}

/** @param {Problem} problem */
function failureText(problem) {
  if (problem.code === NO_ANSWER.code) return t("The server did not answer, so nothing has been deleted yet. Try again, or tell the researcher.");
  return t("Nothing has been deleted yet. %(reason)s Try again, or tell the researcher.", { reason: problemText(problem) });
}
