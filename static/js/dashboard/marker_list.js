import { create, element, write } from "../shared/dom.js";
import { LANGUAGE, t, tn } from "../shared/translate.js";
import { ApiError, request } from "./api.js";

/**
 * The list of a room's markers, newest first, in which a host renames, moves and deletes them.
 *
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

const TIME = new Intl.DateTimeFormat(LANGUAGE, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});

export class MarkerList {
  /** @param {string} code the room's @param {import("../shared/controls/confirm_dialog.js").ConfirmDialog} confirm */
  constructor(code, confirm) {
    this.path = `/rooms/${code}/markers`;
    this.confirm = confirm;
    this.dialog = element("marker-list", HTMLDialogElement);
    this.rows = element("marker-rows", HTMLOListElement);
    this.note = element("marker-list-note", HTMLElement);
  }

  async open() {
    this.rows.replaceChildren();
    write(this.note, t("Loading…"));
    this.dialog.showModal();
    await this.#do(async () => this.#show(await this.#load()));
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

  /** @param {ListedMarker[]} markers */
  #show(markers) {
    const newest = markers.sort((one, other) => Date.parse(other.time) - Date.parse(one.time)).slice(0, MAX_SHOWN);
    this.rows.replaceChildren(...newest.map((marker) => this.#row(marker)));
    this.rows.start = markers.length;
    this.#count(markers.length, newest.length);
  }

  /** @param {number} all @param {number} shown */
  #count(all, shown) {
    if (all === 0) return write(this.note, t("No markers yet."));
    const text = tn("%(count)s marker, newest first", "%(count)s markers, newest first", all);
    write(this.note, shown < all ? t("%(markers)s; the newest %(shown)s are shown", { markers: text, shown: String(shown) }) : text);
  }

  /** @param {ListedMarker} marker */
  #row(marker) {
    const row = create("li", "marker-row");
    const time = create("time", "marker-time", TIME.format(new Date(marker.time)));
    time.setAttribute("datetime", marker.time);
    const label = create("span", "marker-label", marker.label);
    label.dir = "auto";
    const about = create("span", "marker-about hint", aboutText(marker));
    const edit = button(t("Edit"), t("Edit “%(label)s”", { label: marker.label }), () => this.#edit(row, marker));
    const remove = button(t("Delete"), t("Delete “%(label)s”", { label: marker.label }), () => void this.#delete(row, marker));
    row.append(time, label, about, edit, remove);
    return row;
  }

  /** @param {HTMLElement} row @param {ListedMarker} marker */
  #edit(row, marker) {
    const form = create("form", "marker-edit");
    const label = field("text", t("Label"), marker.label);
    label.input.maxLength = 200;
    label.input.required = true;
    const time = field("datetime-local", t("Time"), localTime(marker.time));
    time.input.step = "0.001";
    time.input.required = true;
    const save = create("button", "button is-main", t("Save"));
    const cancel = button(t("Cancel"), "", () => this.#replace(row, form, marker));
    form.append(label.root, time.root, save, cancel);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const moved = time.input.value === localTime(marker.time) ? undefined : new Date(time.input.value).toISOString();
      void this.#save(row, form, marker, { label: label.input.value, time: moved });
    });
    row.replaceChildren(form);
    label.input.focus();
  }

  /** @param {HTMLElement} row @param {HTMLElement} form @param {ListedMarker} marker @param {{label: string, time?: string}} change */
  async #save(row, form, marker, change) {
    await this.#do(async () => {
      const changed = await request("PATCH", `${this.path}/${marker.id}`, change);
      this.#replace(row, form, changed);
      write(this.note, t("Saved. The export keeps what it was before."));
    });
  }

  /** Show a marker instead of its form, with the focus where it was. @param {HTMLElement} row @param {HTMLElement} form @param {ListedMarker} marker */
  #replace(row, form, marker) {
    const shown = this.#row(marker);
    row.replaceWith(shown);
    form.remove();
    shown.querySelector("button")?.focus();
  }

  /** @param {HTMLElement} row @param {ListedMarker} marker */
  async #delete(row, marker) {
    const title = t("Delete the marker “%(label)s”?", { label: marker.label });
    const text = t("It is in no table of the export any more; room.json keeps what it was.");
    if (!(await this.confirm.ask({ title, text, action: t("Delete marker") }))) return;
    await this.#do(async () => {
      await request("DELETE", `${this.path}/${marker.id}`);
      const next = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      this.rows.start = this.rows.start - 1;
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
  made.setAttribute("type", "button");
  if (name) made.setAttribute("aria-label", name);
  made.addEventListener("click", act);
  return made;
}

/** @param {string} type @param {string} name @param {string} value */
function field(type, name, value) {
  const root = create("label", "marker-field", name);
  const input = document.createElement("input");
  input.type = type;
  input.value = value;
  root.append(input);
  return { root, input };
}

/** A time as a field for local times has it. @param {string} time ISO 8601 */
function localTime(time) {
  const at = new Date(time);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, -1);
}
