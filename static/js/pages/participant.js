import { element, every, write } from "../shared/dom.js";
import { Page } from "../live/page.js";
import { RoomLive } from "../room/view.js";
import { Memory } from "../room/connection.js";

const GET_READY_S = 2;
const NEUTRAL_S = 5;
const SAID_MS = 4000;

/** A participant's page: information, consent or decline, the live view of the room, and the way out. */
class RoomPage extends Page {
  /** @type {{stop: () => void} | null} */
  #counting = null;

  constructor() {
    super();
    const { room = "", showResults, state } = element("app", HTMLElement).dataset;
    this.room = room;
    this.showsResults = showResults === "true";
    this.isClosed = state === "closed";
    this.memory = new Memory(room);
    this.form = element("consent-form", HTMLFormElement);
    this.alias = element("alias", HTMLInputElement);
    this.relativeButton = element("relative", HTMLButtonElement);
  }

  start() {
    super.start();
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.begin();
    });
    element("decline", HTMLButtonElement).addEventListener("click", () => this.screens.show("declined"));
    for (const button of document.querySelectorAll("[data-again]")) {
      button.addEventListener("click", () => this.screens.show("start"));
    }
    element("erase", HTMLButtonElement).addEventListener("click", () => void this.#erase());
    element("baseline", HTMLButtonElement).addEventListener("click", () => this.#countDown());
    this.relativeButton.addEventListener("click", () => this.#toggleRelative());
    document.documentElement.classList.toggle("is-blind", !this.showsResults);
    if (this.memory.alias) this.alias.value = this.memory.alias;
    if (this.isClosed) this.screens.show("closed");
  }

  createLive() {
    const consent = /** @type {const} */ ({ room: this.room, alias: this.alias.value, consent: true });
    return new RoomLive(this.forLive, consent, this.memory, {
      onJoined: (joined) => this.#onJoined(joined),
      onRefused: (code, message) => this.#onRefused(code, message),
      onParted: (reason) => this.end(reason),
      onRecording: (on) => this.#showRecording(on),
      onBaseline: (state) => this.#onBaseline(state),
    });
  }

  /** @param {import("../shared/screens.js").ScreenName} screen */
  end(screen) {
    this.#counting?.stop();
    this.#showRecording(false);
    write(element("my-alias", HTMLElement), "");
    this.relativeButton.hidden = true;
    this.#showRelative(false);
    element("neutral", HTMLElement).hidden = true;
    super.end(screen);
  }

  async begin() {
    element("join-problem", HTMLElement).hidden = true;
    await super.begin();
  }

  /** Leave the room; what was recorded stays. */
  stop() {
    this.#link?.quit();
    this.end("left");
  }

  get #link() {
    return this.live instanceof RoomLive ? this.live.roomLink : undefined;
  }

  /** @param {import("../room/connection.js").Joined} joined */
  #onJoined({ alias, recording, baseline, video }) {
    write(element("my-alias", HTMLElement), alias);
    element("seen-live", HTMLElement).hidden = !video;
    this.#showRecording(recording);
    this.relativeButton.hidden = !(baseline && this.showsResults);
  }

  /** @param {string} code @param {string} message */
  #onRefused(code, message) {
    if (code === "room_closed") return this.end("closed");
    if (code === "no_such_room") return this.end("deleted");
    if (code === "cannot_resume") {
      this.memory.forget(); // who consents again is somebody else
      return this.end("removed");
    }
    this.end("start");
    const line = element("join-problem", HTMLElement);
    write(line, message);
    line.hidden = false;
    line.scrollIntoView({ block: "center" });
  }

  async #erase() {
    if (!confirm("Leave now, and delete everything that was recorded of you in this session?")) return;
    const button = element("erase", HTMLButtonElement);
    const before = button.textContent;
    button.disabled = true;
    write(button, "Deleting …");
    try {
      if (await this.#link?.erase()) return; // the server says "parted", which ends the view
    } catch (error) {
      console.debug("Deleting got no answer:", error);
    } finally {
      button.disabled = false;
      write(button, before);
    }
    alert("The server did not answer, and nothing was deleted yet. Try again, or tell the researcher.");
  }

  /** @param {boolean} on */
  #showRecording(on) {
    element("recording", HTMLElement).hidden = !on;
  }

  /** @param {"asked" | "set" | "failed"} state */
  #onBaseline(state) {
    if (state === "asked") return this.#countDown();
    this.relativeButton.hidden = state !== "set" || !this.showsResults;
    this.#say(state === "set" ? "Thank you" : "Your face was not seen well enough", state === "set" ? "" : "Look into the camera and try again.");
  }

  /** Ask to look neutral, then let the server take the baseline. */
  #countDown() {
    this.#counting?.stop();
    let left_s = GET_READY_S + NEUTRAL_S;
    const step = () => {
      if (left_s === NEUTRAL_S) void this.#link?.takeBaseline();
      if (left_s === 0) return this.#counting?.stop();
      this.#say("Please look neutral", left_s > NEUTRAL_S ? "It begins in a moment." : `${left_s} s`);
      left_s -= 1;
    };
    this.#counting = every(1000, step);
    step();
  }

  /** @param {string} title @param {string} text */
  #say(title, text) {
    const box = element("neutral", HTMLElement);
    write(/** @type {Element} */ (box.firstElementChild), title);
    write(element("neutral-count", HTMLElement), text);
    box.hidden = false;
    clearTimeout(this.hiding);
    this.hiding = setTimeout(() => (box.hidden = true), SAID_MS);
  }

  #toggleRelative() {
    if (!(this.live instanceof RoomLive)) return;
    this.live.relative = !this.live.relative;
    this.#showRelative(this.live.relative);
  }

  /** @param {boolean} on */
  #showRelative(on) {
    this.relativeButton.setAttribute("aria-pressed", String(on));
    write(element("bars-title", HTMLElement), on ? "Relative to my neutral: at rest, each has 14%" : "Probabilities");
  }
}

new RoomPage().start();
