import { Announcer } from "../../shared/announcements.js";
import { Bars } from "./bars.js";
import { element, every, write } from "../../shared/dom.js";
import { nameOf } from "../../shared/expressions.js";
import { formatPercent, t } from "../../shared/translate.js";
import { Picker } from "./picker.js";
import { Timeline } from "./timeline.js";

/** Nothing in the panel or at the boxes changes more often than four times a second. */
const UPDATE_MS = 250;

/** Between two expressions that screen readers read out. */
const MIN_ANNOUNCE_MS = 1000;

/** The selected face beside the video: name, number, bars, timeline. */
export class Panel {
  /** @type {number | undefined} */
  #shown_id;
  /** @type {number | undefined} whose values the panel has; a paused one changes only for another face */
  #rendered_id;
  #paused = false;
  /** The faces that were in view together with the one shown last: other people, whose timeline is another. */
  #seen_together = new Set();

  /** @param {import("../scene.js").Scene} scene */
  constructor(scene) {
    this.scene = scene;
    this.readout = element("readout", HTMLElement);
    this.name = element("readout-name", HTMLElement);
    this.number = element("readout-number", HTMLElement);
    this.bars = new Bars(element("bars", HTMLElement));
    this.picker = new Picker(element("faces", HTMLElement), (id) => this.#choose(id));
    this.announcer = new Announcer(element("announcer", HTMLElement), MIN_ANNOUNCE_MS);
    this.timeline = new Timeline(element("timeline", HTMLCanvasElement));
  }

  start() {
    this.updates = every(UPDATE_MS, () => this.#show(performance.now()));
  }

  stop() {
    this.updates?.stop();
    this.announcer.stop();
    this.timeline.stop();
  }

  /** Keep what is shown, or resume. @param {boolean} paused */
  pause(paused) {
    this.#paused = paused;
  }

  /** @param {number} id */
  #choose(id) {
    this.scene.select(id);
    this.#show(performance.now());
  }

  /** @param {number} now_ms */
  #show(now_ms) {
    if (!this.#paused) this.scene.settle(now_ms);
    const selected = this.scene.selected;
    if (this.#paused && (!selected || selected.id === this.#rendered_id)) return;
    this.#rendered_id = selected?.id;
    this.picker.show(this.scene.faces, selected?.id);
    const name = selected ? nameOf(selected.shown.expression) : this.scene.isCurrent(now_ms) ? t("No face") : t("Waiting …");
    this.#showReadout(selected?.shown ?? null, name);
    this.bars.show(selected?.shown ?? null);
    this.announcer.say(name, now_ms);
    if (this.#paused) return;
    if (selected) this.#trackSelected(selected.id);
    this.timeline.add(selected?.shown.probabilities ?? null, now_ms);
  }

  /** Clear the timeline for another face; one that was lost for a moment comes back under a new id. @param {number} id */
  #trackSelected(id) {
    if (id !== this.#shown_id && this.#seen_together.has(id)) this.timeline.clear();
    this.#shown_id = id;
    const present = this.scene.faces.filter((face) => face.present).map((face) => face.id);
    this.#seen_together = new Set(present.includes(id) ? present : [id]);
  }

  /** @param {import("../scene.js").Shown | null} shown @param {string} name */
  #showReadout(shown, name) {
    this.readout.dataset.expression = shown?.expression ?? "";
    write(this.name, name);
    write(this.number, shown ? formatPercent(shown.confidence) : "–");
  }
}
