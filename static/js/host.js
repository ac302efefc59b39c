import { io } from "/static/vendor/socket.io.esm.min.js";
import { GroupChart } from "./boardchart.js";
import { element, every, write } from "./dom.js";
import { percent } from "./expressions.js";
import { History } from "./history.js";
import { ApiError, request } from "./hostapi.js";
import { LABELS } from "./protocol.js";
import { Tile } from "./tile.js";

/**
 * A room's board: shows the summaries that come four times a second, and does what its buttons say.
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
 * @property {import("./tile.js").TileData[]} participants
 * @property {Record<import("./protocol.js").Label, number> | null} group
 * @property {{at_ms: number, label: string}[]} markers
 * @property {number} now_ms  on the server's clock, as all times here
 */

const STALE_MS = 3000;
const CLOCK_SPAN_MS = 30_000;

/** How long a problem with an action stays to be read. */
const SAID_MS = 6000;

class Board {
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  #heard_ms = 0;
  #recording = false;
  #said_ms = -Infinity;
  /** How far this page's clock is ahead of the server's; each time too much by the way here. */
  #ahead = new History(CLOCK_SPAN_MS);

  constructor() {
    const root = element("board", HTMLElement);
    this.code = root.dataset.room ?? "";
    this.roomsUrl = root.dataset.roomsUrl ?? "/host";
    this.list = element("tiles", HTMLElement);
    this.record = element("record", HTMLButtonElement);
    this.alarm = element("alarm", HTMLElement);
    this.group = new GroupChart(element("group", HTMLCanvasElement));
    this.shares = LABELS.map((label) => document.querySelector(`[data-share="${label}"]`));
  }

  start() {
    this.socket = io({ transports: ["websocket", "polling"], tryAllTransports: true, reconnectionDelayMax: 3000 });
    this.socket.on("connect", () => void this.#watch());
    this.socket.on("board", (/** @type {Summary | {room: {state: "deleted"}}} */ summary) => this.#show(summary));
    every(1000, () => this.#showConnection());
    this.#listen();
  }

  async #watch() {
    const answer = await this.socket?.timeout(5000).emitWithAck("watch", { room: this.code });
    if (answer?.problem) this.#warn(answer.problem.message);
  }

  #listen() {
    this.record.addEventListener("click", () => this.#do("POST", "/recording", { state: this.#recording ? "stopped" : "started" }));
    element("ask-baselines", HTMLButtonElement).addEventListener("click", () => this.#do("POST", "/baseline"));
    element("close-room", HTMLButtonElement).addEventListener("click", () => {
      if (confirm("Close the room? Recording stops, everybody is sent away, and nobody can join again.")) this.#do("POST", "/closing");
    });
    element("delete-room", HTMLButtonElement).addEventListener("click", () => void this.#delete());
    element("copy-link", HTMLButtonElement).addEventListener("click", () => {
      void navigator.clipboard?.writeText(element("join-url", HTMLAnchorElement).href);
    });
    for (const button of document.querySelectorAll("[data-label]")) {
      button.addEventListener("click", (event) => {
        if (button instanceof HTMLElement) this.#mark(button.dataset.label ?? "", event.timeStamp);
      });
    }
    element("marker-form", HTMLFormElement).addEventListener("submit", (event) => this.#markOwn(event));
    document.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** A number key sets the marker of that number. @param {KeyboardEvent} event */
  #onKey(event) {
    const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
    if (typing || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    const button = document.querySelectorAll("[data-label]")[Number(event.key) - 1];
    if (button instanceof HTMLElement) this.#mark(button.dataset.label ?? "", event.timeStamp);
  }

  /** @param {Event} event */
  #markOwn(event) {
    event.preventDefault();
    const input = element("marker-label", HTMLInputElement);
    if (input.value.trim()) this.#mark(input.value, event.timeStamp);
    input.value = "";
  }

  /** Set a marker at the time of the key or click, however long the way to the server. @param {string} label @param {number} at_ms */
  #mark(label, at_ms) {
    const aheads = this.#ahead.places(at_ms).map(({ value }) => value);
    const time = aheads.length > 0 ? new Date(at_ms - Math.min(...aheads)).toISOString() : undefined;
    this.#do("POST", "/markers", { label, time, source: "board" });
  }

  async #delete() {
    if (!confirm("Delete the room and everything that was recorded in it? This cannot be undone.")) return;
    if (await this.#do("DELETE", "")) location.assign(this.roomsUrl);
  }

  /** @param {"remove" | "delete"} what @param {string} id @param {string} alias */
  #remove(what, id, alias) {
    const path = `/participants/${id}`;
    if (what === "remove") this.#do("POST", `${path}/removal`);
    else if (confirm(`Remove ${alias}, and delete everything that was recorded of them?`)) this.#do("DELETE", path);
  }

  /** @param {"POST" | "DELETE"} method @param {string} path @param {object} [body] @returns {Promise<boolean>} */
  async #do(method, path, body) {
    try {
      await request(method, `/rooms/${this.code}${path}`, body);
      return true;
    } catch (error) {
      this.#warn(error instanceof ApiError ? error.message : "The server cannot be reached.");
      return false;
    }
  }

  /** Say why an action failed. @param {string} text */
  #warn(text) {
    this.#said_ms = performance.now();
    this.#alarm(text);
  }

  /** @param {string} text */
  #alarm(text) {
    write(this.alarm, text);
    this.alarm.hidden = text === "";
  }

  /** @param {Summary | {room: {state: "deleted"}}} summary */
  #show(summary) {
    if (!("participants" in summary)) return location.assign(this.roomsUrl);
    const now_ms = performance.now();
    this.#heard_ms = now_ms;
    this.#ahead.add(now_ms - summary.now_ms, now_ms);
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
    this.record.setAttribute("aria-pressed", String(this.#recording));
    write(element("record-text", HTMLElement), this.#recording ? "Stop recording" : "Start recording");
    write(element("recorded-for", HTMLElement), recording.started_ms === null ? "–" : duration(server_ms - recording.started_ms));
    write(element("stored", HTMLElement), recording.stored.toLocaleString("en"));
    write(element("waiting", HTMLElement), recording.waiting.toLocaleString("en"));
    const alarm = alarmOf(recording);
    if (alarm || performance.now() - this.#said_ms > SAID_MS) this.#alarm(alarm);
  }

  /** @param {import("./tile.js").TileData[]} people @param {number} now_ms */
  #showTiles(people, now_ms) {
    const here = new Set(people.map(({ id }) => id));
    for (const [id, tile] of this.#tiles) {
      if (here.has(id)) continue;
      tile.root.remove();
      this.#tiles.delete(id);
    }
    for (const person of people) this.#tileOf(person.id).show(person, now_ms);
    write(element("people", HTMLElement), String(people.filter(({ warning }) => warning !== "left").length));
    element("nobody", HTMLElement).hidden = people.length > 0;
  }

  /** @param {string} id */
  #tileOf(id) {
    const known = this.#tiles.get(id);
    if (known) return known;
    const tile = new Tile((what, participant, alias) => this.#remove(what, participant, alias));
    this.#tiles.set(id, tile);
    this.list.append(tile.root);
    return tile;
  }

  /** @param {Summary} summary @param {number} now_ms */
  #showGroup({ group, markers, now_ms: server_ms }, now_ms) {
    this.group.markers = markers.map(({ at_ms, label }) => ({ at_ms: now_ms - (server_ms - at_ms), label }));
    this.group.now_ms = now_ms;
    this.group.add(group && { probabilities: LABELS.map((label) => group[label]), valence: 0 }, now_ms);
    LABELS.forEach((label, index) => {
      const target = this.shares[index];
      if (target) write(target, group ? percent(group[label]) : "");
    });
    const last = markers.at(-1);
    write(element("last-marker", HTMLElement), last ? `· last marker: ${last.label}` : "");
  }

  #showConnection() {
    const alive = this.socket?.connected && performance.now() - this.#heard_ms < STALE_MS;
    write(element("connection", HTMLElement), alive ? "" : "Connecting …");
    document.documentElement.classList.toggle("is-stale", !alive);
  }
}

/** What a host must know at once. @param {Recording} recording */
function alarmOf({ problem, waiting, lost }) {
  const waits = `Recording pauses: samples cannot be stored. ${problem ?? ""} ${waiting} wait and will be stored when it works again.`;
  if (problem) return waits + (lost ? ` ${lost} did not fit and are lost.` : "");
  return lost ? `${lost} samples were lost while the database did not work.` : "";
}

/** `12:05`, `1:02:05`. @param {number} ms */
function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = `${String(minutes).padStart(hours ? 2 : 1, "0")}:${String(seconds % 60).padStart(2, "0")}`;
  return hours ? `${hours}:${tail}` : tail;
}

new Board().start();
