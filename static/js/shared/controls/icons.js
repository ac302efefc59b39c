/** Line icons that scripts make, of 24 x 24 and decorative: what they stand for is written beside them. */

const SVG = "http://www.w3.org/2000/svg";

/** As in templates/shared/icons.html. */
const PATHS = {
  check: "M5 12.5 10 17.500 19 7.500",
  alert: "M12 4.500 21 19.500H3zM12 10v4.500M12 17.200h.01",
  waiting: "M6.500 12h.01M12 12h.01M17.500 12h.01",
};

/** @typedef {keyof typeof PATHS} IconName */

export class Icon {
  /** @type {IconName | null} */
  #name = null;

  constructor() {
    this.root = document.createElementNS(SVG, "svg");
    this.path = document.createElementNS(SVG, "path");
    this.root.setAttribute("class", "icon");
    this.root.setAttribute("viewBox", "0 0 24 24");
    this.root.setAttribute("aria-hidden", "true");
    this.root.append(this.path);
  }

  /** @param {IconName} name */
  show(name) {
    if (name === this.#name) return;
    this.#name = name;
    this.path.setAttribute("d", PATHS[name]);
  }
}
