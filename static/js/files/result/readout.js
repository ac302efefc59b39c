import { Bars } from "../../live/panel/bars.js";
import { element, write } from "../../shared/dom.js";
import { nameOf } from "../../shared/expressions.js";
import { formatPercent, t } from "../../shared/translate.js";
import { Picker } from "../../live/panel/picker.js";

/** The selected face beside the image: name, number, bars, and a button for each face. */
export class Readout {
  /** @param {import("./playback.js").Playback} playback */
  constructor(playback) {
    this.playback = playback;
    this.line = element("readout", HTMLElement);
    this.name = element("readout-name", HTMLElement);
    this.number = element("readout-number", HTMLElement);
    this.bars = new Bars(element("bars", HTMLElement));
    const group = element("faces", HTMLElement);
    group.replaceChildren();
    this.picker = new Picker(group, (id) => this.playback.select(id));
  }

  /** Show what is seen now. @returns {string} the same in words */
  update() {
    const { faces, selected_id } = this.playback;
    const shown = faces.find(({ id }) => id === selected_id)?.shown ?? null;
    const name = shown ? nameOf(shown.expression) : t("No face");
    this.picker.show(faces, selected_id);
    this.line.dataset.expression = shown?.expression ?? "";
    write(this.name, name);
    write(this.number, shown ? formatPercent(shown.confidence) : "–");
    this.bars.show(shown);
    return shown ? `${name} ${formatPercent(shown.confidence)}` : name;
  }
}
