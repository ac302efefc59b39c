import { keep, kept } from "../shared/preferences.js";

/**
 * Whether the video is shown as in a mirror. By default it is for cameras that face the person, who know themselves
 * from mirrors; the choice is kept in this browser for each kind of camera.
 */
export class MirrorChoice {
  /** @type {Map<string, boolean>} */
  #chosen = new Map();

  /** @param {import("./camera.js").Camera} camera */
  isOn(camera) {
    const name = nameOf(camera);
    return this.#chosen.get(name) ?? parsed(kept(name)) ?? !camera.facesAway;
  }

  /** @param {import("./camera.js").Camera} camera */
  toggle(camera) {
    const [name, on] = [nameOf(camera), !this.isOn(camera)];
    this.#chosen.set(name, on);
    keep(name, String(on));
  }
}

/** @param {import("./camera.js").Camera} camera */
function nameOf({ facesAway }) {
  return facesAway ? "mirrored_away" : "mirrored";
}

/** @param {string | null} value */
function parsed(value) {
  return value === null ? undefined : value === "true";
}
