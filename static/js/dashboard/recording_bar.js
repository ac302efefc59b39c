import { element, write } from "../shared/dom.js";
import { formatNumber, formatTime, t, tn } from "../shared/translate.js";

/**
 * The line that says whether the room is recorded, and in red what a host must know at once.
 *
 * @typedef {object} Recording
 * @property {"started" | "stopped"} state
 * @property {number | null} started_ms
 * @property {number} stored
 * @property {number} waiting
 * @property {number} lost
 * @property {string | null} problem
 *
 * @typedef {"recording" | "open" | "closed" | "lost"} RoomState
 */

/** Samples wait for longer only when the database does not answer. */
const MAX_WAITING_MS = 4000;

/** How long a problem with an action is shown. */
const WARNING_MS = 6000;

/** @type {Record<RoomState, () => string>} */
const STATES = {
  recording: () => t("Recording"),
  open: () => t("Open"),
  closed: () => t("Closed"),
  lost: () => t("No connection"),
};

export class RecordingBar {
  #alarm = "";
  #warning = "";
  #warned_ms = -Infinity;
  #stored = 0;
  #stored_ms = 0;
  #recording = false;
  #lost = false;

  constructor() {
    this.chip = element("room-state", HTMLElement);
    this.record = element("record", HTMLButtonElement);
    this.alarm = element("alarm", HTMLElement);
    this.connection = element("connection", HTMLElement);
  }

  get isRecording() {
    return this.#recording;
  }

  get stored() {
    return this.#stored;
  }

  /** @param {Recording} recording @param {"open" | "closed"} room @param {number} server_ms */
  show(recording, room, server_ms) {
    const now_ms = performance.now();
    this.#recording = recording.state === "started";
    this.#lost = false;
    this.#showState(this.#recording ? "recording" : room);
    showClosed(room === "closed");
    say(this.connection, "");
    this.record.classList.toggle("is-on", this.#recording);
    write(element("record-text", HTMLElement), this.#recording ? t("Stop recording") : t("Start recording"));
    write(element("recorded-for", HTMLElement), recording.started_ms === null ? "–" : duration(server_ms - recording.started_ms));
    write(element("stored", HTMLElement), formatNumber(recording.stored));
    write(element("waiting", HTMLElement), formatNumber(recording.waiting));
    if (recording.stored !== this.#stored || recording.waiting === 0) this.#stored_ms = now_ms;
    this.#stored = recording.stored;
    this.#alarm = alarmOf(recording, now_ms - this.#stored_ms);
    if (now_ms - this.#warned_ms > WARNING_MS) this.#warning = "";
    this.#showAlarm();
  }

  /**
   * The server is silent. Whether it still records cannot be known here; that nothing of here reaches it can.
   * @param {number} since_ms on this page's clock
   */
  showLost(since_ms) {
    if (this.#lost) return;
    this.#lost = true;
    this.#showState("lost");
    this.record.classList.remove("is-on");
    const since = formatTime(new Date(Date.now() - performance.now() + since_ms));
    const lost = t("The server has not answered since %(time)s. This page reconnects by itself.", { time: since });
    const unsaved = t("Nothing is recorded now, as far as this page can tell: the server has not answered since %(time)s. This page reconnects by itself.", { time: since });
    say(this.connection, this.#recording ? unsaved : lost);
  }

  /** Say why an action failed. @param {string} text */
  warn(text) {
    this.#warned_ms = performance.now();
    this.#warning = text;
    this.#showAlarm();
  }

  #showAlarm() {
    say(this.alarm, [this.#alarm, this.#warning].filter(Boolean).join(" "));
  }

  /** @param {RoomState} state */
  #showState(state) {
    write(this.chip, STATES[state]());
    this.chip.className = `chip is-${state}`;
    this.record.disabled = state === "closed" || state === "lost";
    for (const id of ["ask-baselines", "close-room"]) element(id, HTMLButtonElement).disabled = this.record.disabled;
  }
}

/** Nobody joins a closed room, and it takes no markers; those that it has can still be changed. @param {boolean} isClosed */
function showClosed(isClosed) {
  element("join-menu", HTMLDetailsElement).hidden = isClosed;
  for (const control of element("marker-form", HTMLFormElement).elements) {
    if (control instanceof HTMLButtonElement || control instanceof HTMLInputElement) control.disabled = isClosed && control.id !== "open-markers";
  }
}

/** @param {HTMLElement} line @param {string} text */
function say(line, text) {
  write(line, text);
  line.hidden = text === "";
}

/**
 * What a host must know at once, without running numbers: screen readers read it again when it changes.
 * @param {Recording} recording @param {number} since_ms the last sample was stored
 */
function alarmOf({ problem, lost }, since_ms) {
  if (problem && lost) return t("Samples cannot be stored; the server's log says why. The buffer is full: new samples are lost.");
  if (problem) return t("Samples cannot be stored; the server's log says why. They are buffered, and stored once it works again.");
  if (since_ms > MAX_WAITING_MS) return t("The database does not answer. Samples are buffered, and stored once it works again.");
  if (lost === 0) return "";
  return tn("%(count)s sample was lost while the database was unavailable.", "%(count)s samples were lost while the database was unavailable.", lost);
}

/** `12:05`, `1:02:05`. @param {number} ms */
function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = `${String(minutes).padStart(hours ? 2 : 1, "0")}:${String(seconds % 60).padStart(2, "0")}`;
  return hours ? `${hours}:${tail}` : tail;
}
