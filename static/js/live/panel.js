import { Announcer } from "./announcer.js";
import { Bars } from "./bars.js";
import { Chart } from "./timeline.js";
import { element, every, write } from "../shared/dom.js";
import { nameOf, percent } from "../shared/expressions.js";
import { Picker } from "./picker.js";

/** Nothing in the panel or at the boxes changes more often: four times a second. */
const BEAT_MS = 250;

/** What the page says of the selected face beside the video: name, number, bars, timeline. */
export class Panel {
  /** @type {number | undefined} */
  #shown_id;
  #paused = false;
  /** Who was in view together with the face that was shown last. */
  #together = new Set();

  /** @param {import("./scene.js").Scene} scene */
  constructor(scene) {
    this.scene = scene;
    this.readout = element("readout", HTMLElement);
    this.name = element("readout-name", HTMLElement);
    this.number = element("readout-number", HTMLElement);
    this.bars = new Bars(element("bars", HTMLElement));
    this.picker = new Picker(element("faces", HTMLElement), (id) => this.#choose(id));
    this.announcer = new Announcer(element("announcer", HTMLElement));
    this.chart = new Chart(element("timeline", HTMLElement));
  }

  start() {
    this.beat = every(BEAT_MS, () => this.#show(performance.now()));
  }

  stop() {
    this.beat?.stop();
    this.chart.stop();
  }

  /** Keep what is shown, or go on. @param {boolean} paused */
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
    if (this.#paused) return;
    this.scene.settle(now_ms);
    const selected = this.scene.selected;
    this.picker.show(this.scene.faces, selected?.id);
    this.#showReadout(selected?.shown ?? null);
    this.bars.show(selected?.shown ?? null);
    this.announcer.say(selected?.shown.expression ?? null, now_ms);
    if (selected) this.#follow(selected.id);
    this.chart.add(selected?.shown.probabilities ?? null, now_ms);
  }

  /** Begin the timeline anew for another face; one that was lost for a moment comes back under a new id. @param {number} id */
  #follow(id) {
    if (id !== this.#shown_id && this.#together.has(id)) this.chart.clear();
    this.#shown_id = id;
    this.#together = new Set(this.scene.faces.map((face) => face.id));
  }

  /** @param {import("./scene.js").Shown | null} shown */
  #showReadout(shown) {
    this.readout.dataset.expression = shown?.expression ?? "";
    write(this.name, shown ? nameOf(shown.expression) : "No face");
    write(this.number, shown ? percent(shown.confidence) : "–");
  }
}
