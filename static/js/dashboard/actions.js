import { element, write } from "../shared/dom.js";
import { ApiError, request } from "./api.js";
import { MarkerList } from "./marker_list.js";
import { MarkerQueue } from "./marker_queue.js";
import { ConfirmDialog } from "../shared/controls/confirm_dialog.js";
import { watchMenus } from "../shared/controls/menus.js";
import { t, tn } from "../shared/translate.js";

/** How long a button says what it did. */
const DONE_MS = 2500;

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
      onRefused: ({ label }, message) => board.warn(t("The marker “%(label)s” was not set: %(reason)s", { label, reason: message })),
    });
    this.confirm = new ConfirmDialog();
    this.list = new MarkerList(board.code, this.confirm);
    this.menus = /** @type {{stop: () => void} | null} */ (null);
  }

  start() {
    const { signal } = this.#listening;
    this.menus = watchMenus();
    this.list.start();
    this.#onClick("record", () => this.#do("POST", "/recording", { state: this.board.isRecording() ? "stopped" : "started" }));
    this.#onClick("ask-baselines", () => void this.#askBaselines());
    this.#onClick("close-room", () => void this.#close());
    this.#onClick("delete-room", () => void this.#delete());
    this.#onClick("copy-link", () => void this.#copyLink());
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
    this.list.stop();
  }

  /** What a tile's menu does. @param {import("./tile/tile.js").TileAction} what @param {string} id @param {string} alias */
  async act(what, id, alias) {
    const path = `/participants/${id}`;
    if (what === "baseline") return void (await this.#do("POST", `${path}/baseline`));
    if (!(await this.confirm.ask(what === "remove" ? removal(alias) : deletion(alias)))) return;
    if (what === "remove") await this.#do("POST", `${path}/remove`);
    else await this.#do("DELETE", path);
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
    if (button) this.#mark(button.dataset.label ?? "", event.timeStamp);
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

  async #askBaselines() {
    const answer = await this.#do("POST", "/baseline");
    if (!answer) return;
    const asked = tn("Asked %(count)s person", "Asked %(count)s people", answer.asked);
    this.#report("ask-baselines", answer.asked > 0 ? asked : t("Nobody is here"));
  }

  async #close() {
    const title = t("Close this room?");
    const text = t("Recording stops, everyone is disconnected, and nobody can join again. What was recorded stays.");
    if (await this.confirm.ask({ title, text, action: t("Close room") })) await this.#do("POST", "/close");
  }

  async #delete() {
    const title = t("Delete this room and its data?");
    const count = this.board.samples();
    const text = tn(
      "%(count)s sample, all markers and all consents are deleted, and everyone is disconnected. This cannot be undone: export first what you need.",
      "%(count)s samples, all markers and all consents are deleted, and everyone is disconnected. This cannot be undone: export first what you need.",
      count,
    );
    if (!(await this.confirm.ask({ title, text, action: t("Delete room and data") }))) return;
    if (await this.#do("DELETE", "")) location.assign(this.board.roomsUrl);
  }

  /** Browsers allow the clipboard on secure pages only; elsewhere the link is selected, to be copied by hand. */
  async #copyLink() {
    const link = element("join-url", HTMLAnchorElement);
    try {
      await navigator.clipboard.writeText(link.href);
      this.#report("copy-link", t("Copied"));
    } catch {
      getSelection()?.selectAllChildren(link);
      this.#report("copy-link", t("Selected above: copy it"));
    }
  }

  /** Show on a button for a moment what it did. @param {string} id @param {string} done */
  #report(id, done) {
    const text = element(id, HTMLButtonElement).querySelector("span");
    if (!text) return;
    text.dataset.before ??= text.textContent ?? "";
    write(text, done);
    setTimeout(() => write(text, text.dataset.before ?? ""), DONE_MS);
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

/** @param {string} alias */
function removal(alias) {
  const text = t("They are disconnected and cannot come back as the same participant. What was recorded about them stays.");
  return { title: t("Remove %(alias)s?", { alias }), text, action: t("Remove") };
}

/** @param {string} alias */
function deletion(alias) {
  const text = t("They are disconnected, and everything recorded about them in this room is deleted. This cannot be undone.");
  return { title: t("Remove %(alias)s and delete their data?", { alias }), text, action: t("Remove and delete data") };
}

/** @param {import("./marker_queue.js").Marker[]} waiting */
function waitingText(waiting) {
  const labels = waiting.map(({ label }) => t("“%(label)s”", { label })).join(", ");
  return t("The server cannot be reached. %(labels)s will be set, with the time of the key, as soon as it can: keep this page open.", { labels });
}

/** @returns {HTMLElement[]} */
function markerButtons() {
  return [...document.querySelectorAll("[data-label]")].filter((button) => button instanceof HTMLElement);
}
