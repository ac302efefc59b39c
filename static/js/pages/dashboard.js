import { DashboardActions } from "../dashboard/actions.js";
import { attentionText, readyText } from "../dashboard/attention.js";
import { HeaderFold } from "../dashboard/header_fold.js";
import { GroupChart } from "../dashboard/group_chart.js";
import { TileGrid } from "../dashboard/grid.js";
import { InView } from "../dashboard/in_view.js";
import { decodePast, GROUP } from "../dashboard/past.js";
import { RecordingBar } from "../dashboard/recording_bar.js";
import { Tile } from "../dashboard/tile/tile.js";
import { Announcer } from "../shared/announcements.js";
import { openSocket } from "../shared/connection.js";
import { element, every, write } from "../shared/dom.js";
import { LABELS } from "../shared/expressions.js";
import { problemText } from "../shared/problems.js";
import { formatPercent, t } from "../shared/translate.js";
import { RollingWindow } from "../shared/rolling_window.js";

/**
 * A room's board: shows the summaries that come four times a second, and video where the room has it.
 *
 * @typedef {object} Summary
 * @property {{code: string, name: string, state: "open" | "closed"}} room
 * @property {import("../dashboard/recording_bar.js").Recording} recording
 * @property {import("../dashboard/tile/tile.js").TileData[]} participants
 * @property {Record<import("../shared/protocol.js").Label, number> | null} group
 * @property {{at_ms: number, label: string}[]} markers
 * @property {number} erased  how many people had their data deleted since the server's start
 * @property {number} now_ms  on the server's clock, as all times here
 * @typedef {{pictures: import("../dashboard/tile/video.js").Frame[], images: ArrayBuffer}} Video  images: one after the other
 */

/** Summaries come four times a second; after this long without one, nothing on the board is current. */
const STALE_MS = 1500;
const STALE_CHECK_MS = 250;
/** A server that is connected and silent for so long is frozen; another connection may reach another one. */
const SILENT_MS = 5000;
const FIRST_SUMMARY_MS = 5000;
const CLOCK_SPAN_MS = 30_000;
const MIN_WARNINGS_MS = 2000;
const SUBSCRIBE_TIMEOUT_MS = 5000;

class Dashboard {
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  #heard_ms = 0;
  #connected_ms = 0;
  /** The minute before the board was opened, by participant. @type {Map<string, import("../dashboard/past.js").Past>} */
  #past = new Map();
  /** By how much this page's clock is ahead of the server's, plus each summary's way here. @type {RollingWindow<number>} */
  #ahead = new RollingWindow(CLOCK_SPAN_MS);
  /** The best of them; it stays while no summary comes. @type {number | null} */
  #ahead_ms = null;
  #erased = 0;

  constructor() {
    this.root = element("board", HTMLElement);
    this.code = this.root.dataset.room ?? "";
    this.bar = new RecordingBar();
    this.actions = new DashboardActions({
      code: this.code,
      roomsUrl: this.root.dataset.roomsUrl ?? "/host",
      isRecording: () => this.bar.isRecording,
      samples: () => this.bar.stored,
      serverTime: (at_ms) => this.#serverTime(at_ms),
      warn: (text) => this.bar.warn(text),
    });
    this.inView = new InView((participants) => this.socket?.emit("visible", { participants }));
    this.attention = new Announcer(element("attention", HTMLElement), MIN_WARNINGS_MS);
    this.list = element("tiles", HTMLElement);
    this.grid = new TileGrid(this.root, this.list, element("board-top", HTMLElement));
    this.group = new GroupChart(element("group", HTMLCanvasElement));
    this.fold = new HeaderFold(this.root);
    this.shares = LABELS.map((label) => document.querySelector(`[data-share="${label}"]`));
  }

  start() {
    this.socket = openSocket(this.code);
    this.socket.on("connect", () => {
      this.#connected_ms = performance.now();
      void this.#subscribe();
      void this.actions.markers.flush();
    });
    this.socket.on("disconnect", () => this.#checkConnection());
    this.socket.on("board", (/** @type {Summary | {room: {state: "deleted" | "signed_out"}}} */ summary) => this.#show(summary));
    this.socket.on("history", (/** @type {import("../dashboard/past.js").SentPast} */ sent) => this.#restore(decodePast(sent, performance.now())));
    this.socket.on("video", (/** @type {Video} */ video, /** @type {() => void} */ taken) => void this.#showVideo(video, taken));
    this.connectionChecks = every(STALE_CHECK_MS, () => this.#checkConnection());
    this.inView.start();
    this.fold.start();
    this.actions.start();
  }

  stop() {
    this.socket?.disconnect();
    this.connectionChecks?.stop();
    for (const part of [this.inView, this.fold, this.actions, this.group, this.grid, ...this.#tiles.values()]) part.stop();
  }

  async #subscribe() {
    try {
      const answer = await this.socket?.timeout(SUBSCRIBE_TIMEOUT_MS).emitWithAck("subscribe", { room: this.code });
      if (answer?.problem?.code === "not_here") return; // the socket connects again
      if (answer?.problem) this.bar.warn(problemText(answer.problem));
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

  /** Show the minute before, and what came while the connection was lost. @param {Map<string, import("../dashboard/past.js").Past>} past */
  #restore(past) {
    const now_ms = performance.now();
    this.#past = past;
    this.group.restore(past.get(GROUP) ?? [], now_ms);
    for (const [id, tile] of this.#tiles) tile.restore(past.get(id) ?? [], now_ms);
  }

  /** @param {Summary | {room: {state: "deleted" | "signed_out"}}} summary */
  #show(summary) {
    if (!("participants" in summary)) return location.assign(this.root.dataset.roomsUrl ?? "/host");
    const now_ms = performance.now();
    this.#heard_ms = now_ms;
    this.#ahead.add(now_ms - summary.now_ms, now_ms);
    this.#ahead_ms = Math.min(...this.#ahead.values(now_ms));
    document.documentElement.classList.remove("is-stale");
    this.bar.show(summary.recording, summary.room.state, summary.now_ms);
    this.#forgetErased(summary.erased);
    this.#showTiles(summary.participants, now_ms);
    this.#showEmpty(summary.participants.length === 0, summary.room.state === "closed");
    this.#showGroup(summary, now_ms);
  }

  /** Once somebody's data were deleted, the group's minute is what the server still has of the others. @param {number} erased */
  #forgetErased(erased) {
    const isNew = erased > this.#erased && this.#tiles.size > 0;
    this.#erased = erased;
    if (!isNew) return;
    this.group.clear();
    void this.#subscribe();
  }

  /** @param {import("../dashboard/tile/tile.js").TileData[]} people @param {number} now_ms */
  #showTiles(people, now_ms) {
    const here = new Set(people.map(({ id }) => id));
    for (const [id, tile] of this.#tiles) {
      if (here.has(id)) continue;
      this.inView.remove(tile.root);
      tile.stop();
      this.#tiles.delete(id);
    }
    for (const person of people) this.#tileOf(person.id).show(person, now_ms);
    this.grid.show(people.length);
    this.attention.say(attentionText(people), now_ms);
    write(element("ready", HTMLElement), readyText(people));
    write(element("people", HTMLElement), String(people.filter(({ warning }) => warning !== "left").length));
  }

  /** In place of tiles: how people join, or that nobody can any more. @param {boolean} isEmpty @param {boolean} isClosed */
  #showEmpty(isEmpty, isClosed) {
    element("nobody", HTMLElement).hidden = !isEmpty || isClosed;
    element("over", HTMLElement).hidden = !isEmpty || !isClosed;
  }

  /** @param {string} id */
  #tileOf(id) {
    const known = this.#tiles.get(id);
    if (known) return known;
    const tile = new Tile((what, participant, alias) => void this.actions.act(what, participant, alias));
    this.#tiles.set(id, tile);
    tile.restore(this.#past.get(id) ?? [], performance.now());
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
      if (target) write(target, group ? formatPercent(group[label]) : "");
    });
    element("group-empty", HTMLElement).hidden = !this.group.isEmpty(now_ms);
    const last = markers.at(-1);
    write(element("last-marker", HTMLElement), last ? t("Last marker: %(label)s", { label: last.label }) : "");
  }

  /** Once summaries stay away, say so: what is shown is no longer what is. */
  #checkConnection() {
    const now_ms = performance.now();
    const isAlive = this.socket?.connected && now_ms - this.#heard_ms < STALE_MS;
    if (isAlive || this.#heard_ms === 0 && now_ms < FIRST_SUMMARY_MS) return;
    document.documentElement.classList.add("is-stale");
    this.bar.showLost(this.#heard_ms);
    const isSilent = now_ms - Math.max(this.#heard_ms, this.#connected_ms) > SILENT_MS;
    if (isSilent && this.socket?.connected) this.socket.disconnect().connect();
  }
}

new Dashboard().start();
