import { create, element, write } from "../shared/dom.js";
import { formatTime, t, tn } from "../shared/translate.js";
import { ApiError, request } from "./api.js";
import { markerForm } from "./marker_form.js";

/**
 * The list of a room's markers, newest first, in which a host adds, renames, moves and deletes them.
 *
 * @typedef {import("./marker_form.js").Entered} Entered
 * @typedef {object} ListedMarker  as the API has it
 * @property {number} id
 * @property {string} label
 * @property {string} time  ISO 8601
 * @property {"board" | "api" | "participant" | "lsl"} source
 * @property {string | null} alias
 * @property {object[]} history
 */

/** More would make the page slow; the export has them all. */
const MAX_SHOWN = 500;

export class MarkerList {
  /** @type {ListedMarker[]} */
  #markers = [];
  /** Of each marker; one that is being edited keeps its form. @type {Map<number, HTMLElement>} */
  #rows = new Map();

  /**
   * @param {string} code the room's
   * @param {import("../shared/controls/confirm_dialog.js").ConfirmDialog} confirm
   * @param {() => number} now_ms on the server's clock, since 1970
   */
  constructor(code, confirm, now_ms) {
    this.path = `/rooms/${code}/markers`;
    this.confirm = confirm;
    this.now_ms = now_ms;
    this.dialog = element("marker-list", HTMLDialogElement);
    this.list = element("marker-rows", HTMLOListElement);
    this.note = element("marker-list-note", HTMLElement);
    this.addButton = element("add-marker", HTMLButtonElement);
    this.added = element("added-marker", HTMLElement);
    this.addButton.addEventListener("click", () => this.#startAdding());
  }

  async open() {
    this.#markers = [];
    this.#rows.clear();
    this.#layOut();
    this.#stopAdding();
    write(this.note, t("Loading…"));
    this.dialog.showModal();
    await this.#do(async () => {
      this.#markers = await this.#load();
      this.#layOut();
      this.#count();
    });
  }

  /** All markers, a page after the other. @returns {Promise<ListedMarker[]>} */
  async #load() {
    /** @type {ListedMarker[]} */
    const markers = [];
    let isMore = true;
    while (isMore && this.dialog.open) {
      const page = await request("GET", `${this.path}?after=${markers.at(-1)?.id ?? 0}`);
      markers.push(...page.markers);
      isMore = page.more;
    }
    return markers;
  }

  /** Show the rows in their order, with the day where there is more than one. */
  #layOut() {
    this.#markers.sort((one, other) => Date.parse(other.time) - Date.parse(one.time));
    const shown = this.#markers.slice(0, MAX_SHOWN);
    const withDay = new Set(shown.map(({ time }) => new Date(time).toDateString())).size > 1;
    this.list.replaceChildren(...shown.map((marker) => this.#rowOf(marker)));
    this.list.start = this.#markers.length;
    for (const time of this.list.querySelectorAll("time")) {
      write(time, formatTime(new Date(time.dateTime), { milliseconds: true, withDay }));
    }
  }

  #count() {
    const [all, shown] = [this.#markers.length, this.list.childElementCount];
    if (all === 0) return write(this.note, t("No markers yet."));
    const text = tn("%(count)s marker, newest first", "%(count)s markers, newest first", all);
    write(this.note, shown < all ? t("%(markers)s; the newest %(shown)s are shown", { markers: text, shown: String(shown) }) : text);
  }

  /** @param {ListedMarker} marker */
  #rowOf(marker) {
    const known = this.#rows.get(marker.id);
    if (known) return known;
    const row = create("li", "marker-row");
    this.#rows.set(marker.id, row);
    this.#fill(row, marker);
    return row;
  }

  /** @param {HTMLElement} row @param {ListedMarker} marker */
  #fill(row, marker) {
    const time = create("time", "marker-time");
    time.dateTime = marker.time;
    const label = create("span", "marker-label", marker.label);
    label.dir = "auto";
    const about = create("span", "marker-about hint", aboutText(marker));
    const edit = button(t("Edit"), t("Edit “%(label)s”", { label: marker.label }), () => this.#edit(row, marker));
    const remove = button(t("Delete"), t("Delete “%(label)s”", { label: marker.label }), () => void this.#delete(marker));
    row.replaceChildren(time, label, about, edit, remove);
  }

  /** @param {HTMLElement} row @param {ListedMarker} marker */
  #edit(row, marker) {
    const form = markerForm({ label: marker.label, at: new Date(marker.time) }, {
      onSave: (entered) => void this.#save(marker, entered),
      onCancel: () => this.#replace(marker),
    });
    row.replaceChildren(form.root);
    form.focus();
  }

  /** @param {ListedMarker} marker @param {Entered} entered */
  async #save(marker, entered) {
    await this.#do(async () => {
      this.#replace(await request("PATCH", `${this.path}/${marker.id}`, entered));
      write(this.note, t("Saved. The export keeps what it was before."));
    });
  }

  /** Show a marker as it is now in place of its form, and go there. @param {ListedMarker} marker */
  #replace(marker) {
    this.#markers = [...this.#markers.filter(({ id }) => id !== marker.id), marker];
    this.#rows.delete(marker.id);
    this.#layOut();
    this.#rows.get(marker.id)?.querySelector("button")?.focus();
  }

  /** A marker that nobody set in time: its form has the time now, to be changed. */
  #startAdding() {
    const at = new Date(this.now_ms());
    const form = markerForm({ label: "", at }, {
      onSave: ({ label, time = at.toISOString() }) => void this.#add(label, time),
      onCancel: () => this.#stopAdding(),
    });
    this.added.replaceChildren(form.root);
    this.addButton.hidden = true;
    form.focus();
  }

  /** @param {string} label @param {string} time */
  async #add(label, time) {
    await this.#do(async () => {
      const marker = await request("POST", this.path, { label, time, source: "board" });
      this.#stopAdding();
      this.#replace(marker);
      write(this.note, t("Added: “%(label)s”", { label: marker.label }));
    });
  }

  #stopAdding() {
    const isFocused = this.added.contains(document.activeElement);
    this.added.replaceChildren();
    this.addButton.hidden = false;
    if (isFocused) this.addButton.focus();
  }

  /** @param {ListedMarker} marker */
  async #delete(marker) {
    const title = t("Delete the marker “%(label)s”?", { label: marker.label });
    const text = t("It disappears from the tables of the export. room.json keeps a record of it.");
    if (!(await this.confirm.ask({ title, text, action: t("Delete marker") }))) return;
    await this.#do(async () => {
      await request("DELETE", `${this.path}/${marker.id}`);
      const row = this.#rows.get(marker.id);
      const next = row?.nextElementSibling ?? row?.previousElementSibling;
      this.#markers = this.#markers.filter(({ id }) => id !== marker.id);
      this.#rows.delete(marker.id);
      this.#layOut();
      write(this.note, t("Deleted: “%(label)s”", { label: marker.label }));
      (next?.querySelector("button") ?? element("close-markers", HTMLButtonElement)).focus();
    });
  }

  /** Say what failed in the dialog, which covers the board. @param {() => Promise<void>} act */
  async #do(act) {
    try {
      await act();
    } catch (error) {
      write(this.note, error instanceof ApiError ? error.message : t("The server cannot be reached."));
    }
  }
}

/** @param {ListedMarker} marker */
function aboutText({ source, alias, history }) {
  const sources = {
    board: t("dashboard"),
    api: t("program"),
    participant: alias ?? t("participant"),
    lsl: "LSL",
  };
  return history.length > 0 ? t("%(source)s, changed", { source: sources[source] }) : sources[source];
}

/** @param {string} text @param {string} name what it acts on, for readers @param {() => void} act */
function button(text, name, act) {
  const made = create("button", "button", text);
  made.type = "button";
  made.setAttribute("aria-label", name);
  made.addEventListener("click", act);
  return made;
}
