import { Camera, CameraError } from "./camera.js";
import { create, element, write } from "../shared/dom.js";
import { Live } from "./view.js";
import { Screens } from "../shared/screens.js";
import { SmoothingChoice } from "../shared/smoothing.js";

/** A page with the live view: which screen is shown, and what its buttons do. */
export class Page {
  /** @type {Live | null} */
  #live = null;

  constructor() {
    const app = element("app", HTMLElement);
    this.max_bytes = Number(app.dataset.maxImageBytes);
    this.screens = new Screens(app);
    this.smoothing = new SmoothingChoice();
    this.pauseButton = element("pause", HTMLButtonElement);
    this.landmarksButton = element("landmarks", HTMLButtonElement);
    this.cameraSelect = element("camera", HTMLSelectElement);
  }

  start() {
    for (const button of document.querySelectorAll("[data-start]")) {
      button.addEventListener("click", () => void this.begin());
    }
    element("stop", HTMLButtonElement).addEventListener("click", () => this.stop());
    this.pauseButton.addEventListener("click", () => this.#togglePause());
    this.landmarksButton.addEventListener("click", () => this.#toggleLandmarks());
    this.cameraSelect.addEventListener("change", () => void this.#changeCamera());
    navigator.mediaDevices?.addEventListener("devicechange", () => void this.#listCameras());
    this.#prepareFullscreen();
    this.screens.show(Camera.allowedHere ? "start" : "insecure");
  }

  get live() {
    return this.#live;
  }

  /** What every live view is given. */
  get forLive() {
    const { max_bytes, smoothing } = this;
    return { max_bytes, smoothing, onCameraLost: () => this.end("unplugged") };
  }

  /** The live view that is opened by the next start. */
  createLive() {
    return new Live(this.forLive);
  }

  /** Open the camera and show the live view. */
  async begin() {
    const live = this.createLive();
    this.screens.show("opening");
    try {
      await live.open();
    } catch (error) {
      return this.screens.show(reasonOf(error));
    }
    this.#live = live;
    this.screens.show("live");
    live.start();
    live.showLandmarks(isPressed(this.landmarksButton));
    await this.#listCameras();
  }

  /** What the button for it does. */
  stop() {
    this.end("start");
  }

  /** Close the camera and the connection. @param {import("../shared/screens.js").ScreenName} screen */
  end(screen) {
    this.#live?.stop();
    this.#live = null;
    this.#showPaused(false);
    this.screens.show(screen);
  }

  #togglePause() {
    const paused = !this.#live?.paused;
    this.#live?.pause(paused);
    this.#showPaused(paused);
  }

  /** @param {boolean} paused */
  #showPaused(paused) {
    write(element("pause-text", HTMLElement), paused ? "Go on" : "Pause");
    this.screens.container.classList.toggle("is-paused", paused);
  }

  #toggleLandmarks() {
    const on = !isPressed(this.landmarksButton);
    this.landmarksButton.setAttribute("aria-pressed", String(on));
    this.#live?.showLandmarks(on);
  }

  async #changeCamera() {
    const live = this.#live;
    try {
      await live?.changeCamera(this.cameraSelect.value);
      if (live === this.#live && live?.paused) this.#togglePause();
    } catch (error) {
      this.end(reasonOf(error));
    }
  }

  async #listCameras() {
    const choices = await Camera.list();
    const open_id = this.#live?.camera.id;
    this.cameraSelect.replaceChildren(
      ...choices.map(({ id, name }) => {
        const option = create("option", "", name);
        option.value = id;
        option.selected = id === open_id;
        return option;
      }),
    );
  }

  #prepareFullscreen() {
    const button = element("fullscreen", HTMLButtonElement);
    button.hidden = !document.fullscreenEnabled;
    button.addEventListener("click", () => {
      void (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
    });
    document.addEventListener("fullscreenchange", () => {
      button.setAttribute("aria-pressed", String(document.fullscreenElement !== null));
    });
  }
}

/** @param {HTMLButtonElement} button */
function isPressed(button) {
  return button.getAttribute("aria-pressed") === "true";
}

/** The screen for a failure; what nobody foresaw goes on to the console. @param {unknown} error */
function reasonOf(error) {
  if (error instanceof CameraError) return error.reason;
  throw error;
}
