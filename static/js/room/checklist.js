import { Announcer } from "../shared/announcements.js";
import { create, element, write } from "../shared/dom.js";
import { Icon } from "../shared/controls/icons.js";
import { checkText, firstProblem } from "../shared/readiness_texts.js";
import { t } from "../shared/translate.js";
import { CHECKS, UNKNOWN } from "./readiness.js";

/**
 * What a participant sees before the start: each check with a sign, and what to do about the first that is not good.
 *
 * @typedef {import("./readiness.js").Readiness} Readiness
 * @typedef {{root: HTMLLIElement, icon: Icon, text: HTMLElement, state: HTMLElement}} Line
 */

/** Between two texts that are read out. */
const MIN_INTERVAL_MS = 4000;

export class Checklist {
  #readiness = UNKNOWN;

  constructor() {
    this.box = element("checks", HTMLElement);
    this.list = element("checks-list", HTMLElement);
    this.advice = element("checks-advice", HTMLElement);
    this.announcer = new Announcer(element("checks-announcer", HTMLElement), MIN_INTERVAL_MS);
    /** @type {Map<typeof CHECKS[number], Line>} */
    this.lines = new Map(CHECKS.map((name) => [name, createLine()]));
    this.list.replaceChildren(...[...this.lines.values()].map(({ root }) => root));
    this.show(UNKNOWN);
  }

  /** @param {Readiness} readiness */
  show(readiness) {
    this.#readiness = readiness;
    for (const [name, line] of this.lines) showLine(line, checkText(name, readiness[name]), readiness[name]);
    const advice = adviceFor(readiness);
    this.box.dataset.ready = String(readiness.ready);
    write(this.advice, advice);
    if (!this.box.hidden) this.announcer.say(advice, performance.now());
  }

  /** Nothing is asked of people while they are recorded. @param {boolean} on */
  recording(on) {
    this.box.hidden = on;
    this.show(this.#readiness);
  }
}

/** @param {Readiness} readiness */
function adviceFor(readiness) {
  if (readiness.ready) return t("You are ready.");
  return firstProblem(readiness)?.advice ?? t("Checking your camera …");
}

/** @returns {Line} */
function createLine() {
  const [root, icon, text, state] = [create("li", "check"), new Icon(), create("span", ""), create("span", "for-readers")];
  root.append(icon.root, text, state);
  return { root, icon, text, state };
}

/** @param {Line} line @param {string} words @param {string} state */
function showLine({ root, icon, text, state: forReaders }, words, state) {
  const kind = state === "ok" || state === "unknown" ? state : "wrong";
  root.dataset.state = kind;
  icon.show(kind === "ok" ? "check" : kind === "unknown" ? "waiting" : "alert");
  write(text, words);
  write(forReaders, kind === "unknown" ? t("(checking)") : kind === "wrong" ? t("(not yet)") : "");
}
