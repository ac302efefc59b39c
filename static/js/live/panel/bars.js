import { create, write } from "../../shared/dom.js";
import { LABELS, nameOf } from "../../shared/expressions.js";
import { formatPercent } from "../../shared/translate.js";

/** The seven probabilities as bars, each with its name and number. */
export class Bars {
  /** @param {HTMLElement} list */
  constructor(list) {
    this.rows = LABELS.map((label) => {
      const row = create("li", "bar");
      row.dataset.expression = label;
      const track = create("span", "bar-track");
      const fill = create("span", "bar-fill");
      const number = create("span", "bar-number");
      track.append(fill);
      row.append(create("span", "bar-name", nameOf(label)), track, number);
      return { label, row, fill, number };
    });
    list.replaceChildren(...this.rows.map(({ row }) => row));
    this.show(null);
  }

  /** @param {import("../scene.js").Shown | null} shown */
  show(shown) {
    for (const { label, row, fill, number } of this.rows) {
      const share = shown?.probabilities[label] ?? 0;
      write(number, shown ? formatPercent(share) : "–");
      fill.style.setProperty("--share", share.toFixed(3));
      row.classList.toggle("is-first", shown?.expression === label);
    }
  }
}
