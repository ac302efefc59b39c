import { ConfirmDialog } from "../shared/controls/confirm_dialog.js";
import { showDone } from "../shared/controls/done_text.js";
import { element } from "../shared/dom.js";
import { t, tn } from "../shared/translate.js";
import { MarkerList } from "./marker_list.js";

/**
 * What a host rarely clicks on the board, and what asks first: `actions.js` loads this with the first such click.
 *
 * @typedef {(method: "POST" | "DELETE", path: string) => Promise<any>} Send  resolves to the answer, or null if it failed
 */

export class RoomActions {
  /** @param {import("./actions.js").DashboardView} board @param {Send} send to a path under the room's */
  constructor(board, send) {
    this.board = board;
    this.send = send;
    this.confirm = new ConfirmDialog();
    this.list = new MarkerList(board.code, this.confirm, () => board.serverTime(performance.now()) ?? Date.now());
  }

  async openMarkers() {
    await this.list.open();
  }

  /** What a tile's menu does. @param {import("./tile/tile.js").TileAction} what @param {string} id @param {string} alias */
  async act(what, id, alias) {
    const path = `/participants/${id}`;
    if (what === "baseline") return void (await this.send("POST", `${path}/baseline`));
    if (!(await this.confirm.ask(what === "remove" ? removal(alias) : deletion(alias)))) return;
    if (what === "remove") await this.send("POST", `${path}/remove`);
    else await this.send("DELETE", path);
  }

  async askBaselines() {
    const answer = await this.send("POST", "/baseline");
    if (!answer) return;
    const asked = tn("Asked %(count)s person", "Asked %(count)s people", answer.asked);
    showDone(element("ask-baselines", HTMLButtonElement), answer.asked > 0 ? asked : t("Nobody is here"));
  }

  async close() {
    const title = t("Close this room?");
    const text = t("Recording stops, everyone is disconnected, and nobody can join again. What was recorded stays.");
    if (await this.confirm.ask({ title, text, action: t("Close room") })) await this.send("POST", "/close");
  }

  async delete() {
    const title = t("Delete this room and its data?");
    const count = this.board.samples();
    const text = tn(
      "%(count)s sample, all markers and all consents are deleted, and everyone is disconnected. This cannot be undone: export first what you need.",
      "%(count)s samples, all markers and all consents are deleted, and everyone is disconnected. This cannot be undone: export first what you need.",
      count,
    );
    if (!(await this.confirm.ask({ title, text, action: t("Delete room and data") }))) return;
    if (await this.send("DELETE", "")) location.assign(this.board.roomsUrl);
  }

  /** Browsers allow the clipboard on secure pages only; elsewhere the link is selected, to be copied by hand. */
  async copyLink() {
    const [link, button] = [element("join-url", HTMLAnchorElement), element("copy-link", HTMLButtonElement)];
    try {
      await navigator.clipboard.writeText(link.href);
      showDone(button, t("Copied"));
    } catch {
      getSelection()?.selectAllChildren(link);
      showDone(button, t("Selected above: copy it"));
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
