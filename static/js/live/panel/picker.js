import { create, write } from "../../shared/dom.js";
import { nameOf } from "../../shared/expressions.js";

/** A button for each face in view, to choose whose expression is shown; hidden for fewer than two faces. */
export class Picker {
  /** @type {Map<number, HTMLButtonElement>} */
  #buttons = new Map();

  /** @param {HTMLElement} group @param {(id: number) => void} onSelect */
  constructor(group, onSelect) {
    this.group = group;
    group.replaceChildren(); // without the faces of an earlier view
    group.hidden = true;
    this.onSelect = onSelect;
  }

  /** @param {{id: number, shown: import("../scene.js").Shown}[]} faces @param {number | undefined} selected_id */
  show(faces, selected_id) {
    this.group.hidden = faces.length < 2;
    for (const [id, button] of this.#buttons) {
      if (!faces.some((face) => face.id === id)) this.#remove(id, button);
    }
    for (const { id, shown } of faces) {
      const button = this.#buttons.get(id) ?? this.#add(id);
      write(button, `${id} · ${nameOf(shown.expression)}`);
      button.dataset.expression = shown.expression;
      button.setAttribute("aria-pressed", String(id === selected_id));
    }
  }

  /** @param {number} id */
  #add(id) {
    const button = create("button", "face-button");
    button.type = "button";
    button.addEventListener("click", () => this.onSelect(id));
    this.#buttons.set(id, button);
    this.group.append(button);
    return button;
  }

  /** @param {number} id @param {HTMLButtonElement} button */
  #remove(id, button) {
    button.remove();
    this.#buttons.delete(id);
  }
}
