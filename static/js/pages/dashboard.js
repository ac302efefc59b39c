import { DashboardActions } from "../dashboard/actions.js";
import { GroupChart } from "../dashboard/charts.js";
import { InView } from "../dashboard/in_view.js";
import { Tile, warningsText } from "../dashboard/tile.js";
import { Announcer } from "../shared/announcements.js";
import { openSocket } from "../shared/connection.js";
import { element, every, write } from "../shared/dom.js";
import { LABELS, percent } from "../shared/expressions.js";
import { RollingWindow } from "../shared/rolling_window.js";

/**
 * A room's board: shows the summaries that come four times a second, and video where the room has it.
 *
 * @typedef {object} Recording
 * @property {"started" | "stopped"} state
 * @property {number | null} started_ms
 * @property {number} stored
 * @property {number} waiting
 * @property {number} lost
 * @property {string | null} problem
 *
 * @typedef {object} Summary
 * @property {{code: string, name: string, state: "open" | "closed"}} room
 * @property {Recording} recording
 * @property {import("../dashboard/tile.js").TileData[]} participants
 * @property {Record<import("../shared/protocol.js").Label, number> | null} group
 * @property {{at_ms: number, label: string}[]} markers
 * @property {number} now_ms  on the server's clock, as all times here
 * @typedef {{pictures: import("../dashboard/tile_video.js").Frame[], images: ArrayBuffer}} Video  images: one after the other
 */

const STALE_MS = 3000;
const CLOCK_SPAN_MS = 30_000;
const MIN_WARNINGS_MS = 2000;
const SUBSCRIBE_TIMEOUT_MS = 5000;

/** With more people than this, tiles and charts are small, so that thirty fit on a screen. */
const MAX_LARGE_TILES = 12;

/** Samples wait for longer only when the database does not answer. */
const MAX_WAITING_MS = 4000;

/** How long a problem with an action is shown. */
const WARNING_MS = 6000;

class Dashboard {
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  #heard_ms = 0;
  #recording = false;
  #warned_ms = -Infinity;
  #stored = 0;
  #stored_ms = 0;
  /** By how much this page's clock is ahead of the server's, plus each summary's way here. @type {RollingWindow<number>} */
  #ahead = new RollingWindow(CLOCK_SPAN_MS);
  /** The best of them; it stays while no summary comes. @type {number | null} */
  #ahead_ms = null;

  constructor() {
    this.root = element("board", HTMLElement);
    this.code = this.root.dataset.room ?? "";
    this.actions = new DashboardActions({
      code: this.code,
      roomsUrl: this.root.dataset.roomsUrl ?? "/host",
      isRecording: () => this.#recording,
      serverTime: (at_ms) => this.#serverTime(at_ms),
      warn: (text) => this.#warn(text),
    });
    this.inView = new InView((participants) => this.socket?.emit("visible", { participants }));
    this.attention = new Announcer(element("attention", HTMLElement), MIN_WARNINGS_MS);
    this.list = element("tiles", HTMLElement);
    this.record = element("record", HTMLButtonElement);
    this.alarm = element("alarm", HTMLElement);
    this.group = new GroupChart(element("group", HTMLCanvasElement));
    this.shares = LABELS.map((label) => document.querySelector(`[data-share="${label}"]`));
  }

  start() {
    this.socket = openSocket();
    this.socket.on("connect", () => {
      void this.#subscribe();
      void this.actions.markers.flush();
    });
    this.socket.on("board", (/** @type {Summary | {room: {state: "deleted" | "signed_out"}}} */ summary) => this.#show(summary));
    this.socket.on("video", (/** @type {Video} */ video, /** @type {() => void} */ taken) => void this.#showVideo(video, taken));
    this.connectionChecks = every(1000, () => this.#showConnection());
    this.inView.start();
    this.actions.start();
  }

  stop() {
    this.socket?.disconnect();
    this.connectionChecks?.stop();
    for (const part of [this.inView, this.actions, this.group, ...this.#tiles.values()]) part.stop();
  }

  async #subscribe() {
    try {
      const answer = await this.socket?.timeout(SUBSCRIBE_TIMEOUT_MS).emitWithAck("subscribe", { room: this.code });
      if (answer?.problem) this.#warn(answer.problem.message);
      else this.inView.report();
    } catch (error) {
      console.debug("Subscribing got no answer:", error);
      if (this.socket?.connected) void this.#subscribe();
    }
  }

  /** A time of this page on the server's clock, as far as it is known; else null. @param {number} at_ms */
  #serverTime(at_ms) {
    return this.#ahead_ms === null ? null : at_ms - this.#ahead_ms;
  }

  /** Say why an action failed. @param {string} text */
  #warn(text) {
    this.#warned_ms = text ? performance.now() : -Infinity;
    this.#alarm(text);
  }

  /** @param {string} text */
  #alarm(text) {
    write(this.alarm, text);
    this.alarm.hidden = text === "";
  }

  /** @param {Summary | {room: {state: "deleted" | "signed_out"}}} summary */
  #show(summary) {
    if (!("participants" in summary)) return location.assign(this.root.dataset.roomsUrl ?? "/host");
    const now_ms = performance.now();
    this.#heard_ms = now_ms;
    this.#ahead.add(now_ms - summary.now_ms, now_ms);
    this.#ahead_ms = Math.min(...this.#ahead.values(now_ms));
    this.#showConnection();
    this.#showRecording(summary.recording, summary.room.state, summary.now_ms);
    this.#showTiles(summary.participants, now_ms);
    this.#showGroup(summary, now_ms);
  }

  /** @param {Recording} recording @param {"open" | "closed"} state @param {number} server_ms */
  #showRecording(recording, state, server_ms) {
    this.#recording = recording.state === "started";
    const chip = element("room-state", HTMLElement);
    const shown = this.#recording ? "Recording" : state === "open" ? "Open" : "Closed";
    write(chip, shown);
    chip.className = `chip is-${shown.toLowerCase()}`;
    this.record.disabled = state === "closed";
    for (const id of ["ask-baselines", "close-room"]) element(id, HTMLButtonElement).disabled = state === "closed";
    this.record.setAttribute("aria-pressed", String(this.#recording));
    write(element("record-text", HTMLElement), this.#recording ? "Stop recording" : "Start recording");
    write(element("recorded-for", HTMLElement), recording.started_ms === null ? "–" : duration(server_ms - recording.started_ms));
    write(element("stored", HTMLElement), recording.stored.toLocaleString("en"));
    write(element("waiting", HTMLElement), recording.waiting.toLocaleString("en"));
    if (recording.stored !== this.#stored || recording.waiting === 0) this.#stored_ms = performance.now();
    this.#stored = recording.stored;
    const alarm = alarmOf(recording, performance.now() - this.#stored_ms);
    if (alarm || performance.now() - this.#warned_ms > WARNING_MS) this.#alarm(alarm);
  }

  /** @param {import("../dashboard/tile.js").TileData[]} people @param {number} now_ms */
  #showTiles(people, now_ms) {
    const here = new Set(people.map(({ id }) => id));
    for (const [id, tile] of this.#tiles) {
      if (here.has(id)) continue;
      this.inView.remove(tile.root);
      tile.stop();
      this.#tiles.delete(id);
    }
    for (const person of people) this.#tileOf(person.id).show(person, now_ms);
    this.root.classList.toggle("is-dense", people.length > MAX_LARGE_TILES);
    this.attention.say(warningsText(people), now_ms);
    write(element("people", HTMLElement), String(people.filter(({ warning }) => warning !== "left").length));
    element("nobody", HTMLElement).hidden = people.length > 0;
  }

  /** @param {string} id */
  #tileOf(id) {
    const known = this.#tiles.get(id);
    if (known) return known;
    const tile = new Tile((what, participant, alias) => this.actions.remove(what, participant, alias));
    this.#tiles.set(id, tile);
    this.list.append(tile.root);
    this.inView.add(tile.root, id);
    return tile;
  }

  /** The server sends the next frames once these are drawn. @param {Video} video @param {() => void} taken */
  async #showVideo({ pictures, images }, taken) {
    let end = 0;
    const drawn = pictures.map((frame) => {
      const image = images.slice(end, (end += frame.bytes));
      return this.#tiles.get(frame.id)?.showFrame(frame, image);
    });
    try {
      await Promise.all(drawn);
    } catch (error) {
      console.debug("A frame could not be shown:", error);
    }
    taken();
  }

  /** @param {Summary} summary @param {number} now_ms */
  #showGroup({ group, markers, now_ms: server_ms }, now_ms) {
    const onPageClock = markers.map(({ at_ms, label }) => ({ at_ms: now_ms - (server_ms - at_ms), label }));
    this.group.add(group && { probabilities: LABELS.map((label) => group[label]), valence: 0 }, onPageClock, now_ms);
    LABELS.forEach((label, index) => {
      const target = this.shares[index];
      if (target) write(target, group ? percent(group[label]) : "");
    });
    const last = markers.at(-1);
    write(element("last-marker", HTMLElement), last ? `Last marker: ${last.label}` : "");
  }

  #showConnection() {
    const alive = this.socket?.connected && performance.now() - this.#heard_ms < STALE_MS;
    write(element("connection", HTMLElement), alive ? "" : "Connecting …");
    document.documentElement.classList.toggle("is-stale", !alive);
  }
}

/**
 * What a host must know at once, without running numbers: screen readers read it again when it changes.
 * @param {Recording} recording @param {number} since_ms the last sample was stored
 */
function alarmOf({ problem, lost }, since_ms) {
  const buffered = "Samples are buffered, and stored once it works again.";
  if (problem) return `Samples cannot be stored. ${problem} ${lost ? "The buffer is full: new samples are lost." : buffered}`;
  if (since_ms > MAX_WAITING_MS) return `The database does not answer. ${buffered}`;
  return lost ? `${lost} samples were lost while the database was unavailable.` : "";
}

/** `12:05`, `1:02:05`. @param {number} ms */
function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = `${String(minutes).padStart(hours ? 2 : 1, "0")}:${String(seconds % 60).padStart(2, "0")}`;
  return hours ? `${hours}:${tail}` : tail;
}

new Dashboard().start();
