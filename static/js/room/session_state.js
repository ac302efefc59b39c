import { element, write } from "../shared/dom.js";
import { t } from "../shared/translate.js";

/**
 * What a participant is told about the session: what happens now, and who sees it.
 *
 * @typedef {"joining" | "lost" | "paused" | "recording" | "idle"} State
 * @typedef {{title: string, text: string}} Explanation
 */

/** The line under a participant's video: one state at a time, in words, which screen readers read out. */
export class SessionState {
  #connected = false;
  /** Whether the room was joined once in this view; what is lost before that is still joining. */
  #joined = false;
  #paused = false;
  #recording = false;
  /** Whether the researcher sees the video. */
  #seen = false;

  constructor() {
    this.box = element("session", HTMLElement);
    this.chip = element("recording", HTMLElement);
    this.title = element("session-title", HTMLElement);
    this.text = element("session-text", HTMLElement);
    this.viewers = element("session-viewers", HTMLElement);
  }

  /** @param {{recording: boolean, video: boolean}} joined */
  join({ recording, video }) {
    this.#joined = true;
    this.#recording = recording;
    this.#seen = video;
    this.#show();
  }

  /** @param {import("../shared/connection.js").ConnectionState} state */
  connection(state) {
    this.#connected = state === "connected";
    this.#show();
  }

  /** @param {boolean} on */
  recording(on) {
    this.#recording = on;
    this.#show();
  }

  /** @param {boolean} on */
  paused(on) {
    this.#paused = on;
    this.#show();
  }

  /** For the next view. */
  reset() {
    this.#connected = this.#joined = this.#paused = this.#recording = this.#seen = false;
    this.#show();
  }

  /** @returns {State} */
  get #state() {
    if (!this.#joined) return "joining";
    if (!this.#connected) return "lost";
    if (this.#paused) return "paused";
    return this.#recording ? "recording" : "idle";
  }

  #show() {
    const state = this.#state;
    const { title, text } = explanations()[state];
    this.box.dataset.state = state;
    this.chip.hidden = state !== "recording";
    this.title.hidden = state === "recording";
    write(this.title, title);
    write(this.text, text);
    write(this.viewers, this.#viewersIn(state));
  }

  /** @param {State} state */
  #viewersIn(state) {
    if (state === "joining") return "";
    if (state === "lost" || state === "paused") return t("The researcher does not see you now.");
    if (this.#seen) return t("The researcher sees your video and your expression.");
    return t("The researcher sees your expression, but not your video.");
  }
}

/** @returns {Record<State, Explanation>} in the language of the page */
function explanations() {
  return {
    joining: { title: t("Joining …"), text: "" },
    lost: { title: t("Not connected"), text: t("Nothing is sent or recorded until the connection is back.") },
    paused: { title: t("Paused"), text: t("Your camera sends nothing until you resume.") },
    recording: { title: "", text: t("Numbers about your face are stored, but no images.") },
    idle: { title: t("Not recording"), text: t("Nothing about you is being stored.") },
  };
}
