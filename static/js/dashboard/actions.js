import { element } from "../shared/dom.js";
import { ApiError, request } from "./api.js";
import { MarkerQueue } from "./marker_queue.js";
import { watchMenus } from "../shared/controls/menus.js";
import { t } from "../shared/translate.js";

/**
 * What a host does on the board: its buttons, its number keys, its menus.
 *
 * @typedef {object} DashboardView  what the actions need to know of the board
 * @property {string} code
 * @property {string} roomsUrl
 * @property {() => boolean} isRecording
 * @property {() => number} samples  that are stored
 * @property {(at_ms: number) => number | null} serverTime  of a time of this page, both in milliseconds
 * @property {(text: string) => void} warn  says why an action failed
 */
export class DashboardActions {
  #listening = new AbortController();

  /** @param {DashboardView} board */
  constructor(board) {
    this.board = board;
    this.markers = new MarkerQueue({
      send: (marker) => request("POST", `/rooms/${board.code}/markers`, marker),
      serverTime: (at_ms) => board.serverTime(at_ms),
      onWaiting: (waiting) => board.warn(waiting.length > 0 ? waitingText(waiting) : ""),
      onRefused: (refused) => board.warn(refused.map(refusalText).join(" ")),
    });
    this.room = /** @type {import("./room_actions.js").RoomActions | null} */ (null);
    this.menus = /** @type {{stop: () => void} | null} */ (null);
  }

  start() {
    const { signal } = this.#listening;
    this.menus = watchMenus();
    this.#onClick("record", () => this.#do("POST", "/recording", { state: this.board.isRecording() ? "stopped" : "started" }));
    this.#onClick("ask-baselines", () => void this.#withRoom((room) => room.askBaselines()));
    this.#onClick("close-room", () => void this.#withRoom((room) => room.close()));
    this.#onClick("delete-room", () => void this.#withRoom((room) => room.delete()));
    this.#onClick("copy-link", () => void this.#withRoom((room) => room.copyLink()));
    this.#onClick("open-markers", () => void this.#withRoom((room) => room.openMarkers()));
    for (const button of markerButtons()) {
      button.addEventListener("click", (event) => this.#mark(button.dataset.label ?? "", event.timeStamp), { signal });
    }
    element("marker-form", HTMLFormElement).addEventListener("submit", (event) => this.#markOwn(event), { signal });
    document.addEventListener("keydown", (event) => this.#onKey(event), { signal });
    window.addEventListener("beforeunload", (event) => this.markers.size > 0 && event.preventDefault(), { signal });
  }

  stop() {
    this.#listening.abort();
    this.menus?.stop();
  }

  /** What a tile's menu does. @param {import("./tile/tile.js").TileAction} what @param {string} id @param {string} alias */
  async act(what, id, alias) {
    await this.#withRoom((room) => room.act(what, id, alias));
  }

  /** What is rarely clicked is loaded with the first such click. @param {(room: import("./room_actions.js").RoomActions) => Promise<void>} act */
  async #withRoom(act) {
    try {
      if (!this.room) await request("GET", "/clock"); // a module that cannot be fetched now stays failed
      const { RoomActions } = await import("./room_actions.js");
      this.room ??= new RoomActions(this.board, (method, path) => this.#do(method, path));
    } catch (error) {
      console.debug("A module could not be loaded:", error);
      return this.board.warn(t("The server cannot be reached."));
    }
    await act(this.room);
  }

  /** @param {string} id @param {() => void} act */
  #onClick(id, act) {
    element(id, HTMLButtonElement).addEventListener("click", act, { signal: this.#listening.signal });
  }

  /** A number key sets the marker of that number. @param {KeyboardEvent} event */
  #onKey(event) {
    const typing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select, dialog");
    if (typing || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    const button = markerButtons()[Number(event.key) - 1];
    if (button && !button.disabled) this.#mark(button.dataset.label ?? "", event.timeStamp);
  }

  /** @param {Event} event */
  #markOwn(event) {
    event.preventDefault();
    const input = element("marker-label", HTMLInputElement);
    if (!input.value.trim()) return input.focus();
    this.#mark(input.value, event.timeStamp);
    input.value = "";
    input.blur(); // so that the number keys set markers again
  }

  /** Set a marker at the time of the key or click, however long the request takes. @param {string} label @param {number} at_ms */
  #mark(label, at_ms) {
    this.markers.add(label, at_ms);
  }

  /** @param {"POST" | "DELETE"} method @param {string} path @param {object} [body] @returns {Promise<any>} the answer, or null */
  async #do(method, path, body) {
    try {
      return await request(method, `/rooms/${this.board.code}${path}`, body);
    } catch (error) {
      this.board.warn(error instanceof ApiError ? error.message : t("The server cannot be reached."));
      return null;
    }
  }
}

/** @param {import("./marker_queue.js").Marker[]} waiting */
function waitingText(waiting) {
  const labels = waiting.map(({ label }) => t("“%(label)s”", { label })).join(", ");
  return t("The server cannot be reached. %(labels)s will be set, with the time of the key, as soon as it can: keep this page open.", { labels });
}

/** @param {import("./marker_queue.js").Refusal} refusal */
function refusalText({ label, reason }) {
  return t("The marker “%(label)s” was not set: %(reason)s", { label, reason });
}

/** @returns {HTMLButtonElement[]} */
function markerButtons() {
  return [...document.querySelectorAll("[data-label]")].filter((button) => button instanceof HTMLButtonElement);
}
