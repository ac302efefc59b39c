import { create, write } from "../shared/dom.js";
import { ProblemDetail } from "./problem_detail.js";
import { formatClock, formatPercent, t, tn } from "../shared/translate.js";

/**
 * A file in the list: its name, its state with the time left, and what can be done with it.
 *
 * @typedef {import("./item.js").Item} Item
 * @typedef {{onOpen: (item: Item) => void, onRemove: (item: Item) => void}} Actions
 */
export class Card {
  /** @param {Item} item @param {Actions} actions */
  constructor(item, { onOpen, onRemove }) {
    this.item = item;
    this.row = create("li", "file");
    this.status = create("p", "file-status");
    this.detail = new ProblemDetail();
    this.bar = create("progress", "file-progress");
    this.openButton = create("button", "button", t("Show"));
    this.removeButton = create("button", "button");
    const name = create("p", "file-name");
    name.append(create("bdi", "", item.name));
    const buttons = create("div", "file-buttons");
    buttons.append(this.openButton, this.removeButton);
    this.row.append(name, this.status, this.detail.root, this.bar, buttons);
    this.openButton.addEventListener("click", () => onOpen(item));
    this.removeButton.addEventListener("click", () => onRemove(item));
    for (const button of [this.openButton, this.removeButton]) button.type = "button";
    this.bar.setAttribute("aria-label", t("Progress of “%(name)s”", { name: item.name }));
    this.update(false);
  }

  /** @param {boolean} isOpen whether its results are shown now */
  update(isOpen) {
    const { item } = this;
    const action = item.isFinished ? t("Delete") : t("Cancel");
    this.row.dataset.state = item.state;
    this.row.classList.toggle("is-open", isOpen);
    write(this.status, statusOf(item));
    this.detail.show(item.problem?.detail ?? "");
    this.bar.hidden = item.isFinished;
    if (isEndless(item)) this.bar.removeAttribute("value");
    else this.bar.value = item.progress;
    this.openButton.hidden = !item.hasResults;
    this.openButton.setAttribute("aria-pressed", String(isOpen));
    this.openButton.setAttribute("aria-label", t("Show “%(name)s”", { name: item.name }));
    write(this.removeButton, action);
    this.removeButton.setAttribute("aria-label", `${action}: ${item.name}`);
  }
}

/** @param {Item} item */
function statusOf({ state, progress, remaining_s, problem, expires }) {
  if (state === "failed") return problem?.text ?? "";
  if (state === "waiting") return t("Waiting …");
  if (state === "queued") return t("Waiting for its turn …");
  if (state === "sending" && progress >= 1) return t("Analyzing …");
  if (state === "done") return expires ? t("Done · stored until %(time)s", { time: formatClock(expires) }) : t("Done · not stored");
  const doing = state === "sending" ? t("Sending: %(share)s", { share: formatPercent(progress) }) : t("Analyzing: %(share)s", { share: formatPercent(progress) });
  return remaining_s === null || progress >= 1 ? doing : `${doing} · ${timeLeft(remaining_s)}`;
}

/** Whether nobody knows how long it will take. @param {Item} item */
function isEndless({ state, progress }) {
  return state === "waiting" || state === "queued" || (state === "sending" && progress >= 1);
}

/** @param {number} seconds */
function timeLeft(seconds) {
  if (seconds < 60) return tn("%(count)s second left", "%(count)s seconds left", Math.max(1, Math.round(seconds)));
  return tn("%(count)s minute left", "%(count)s minutes left", Math.round(seconds / 60));
}
