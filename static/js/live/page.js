import { Camera, CameraError } from "./camera.js";
import { create, element, write } from "../shared/dom.js";
import { leaveFullscreen, prepareFullscreen } from "./fullscreen.js";
import { MirrorChoice } from "./mirror.js";
import { Screens } from "../shared/screens.js";
import { t } from "../shared/translate.js";
import { SmoothingChoice } from "../shared/smoothing.js";
import { ViewLoader } from "./view_loader.js";

/**
 * What differs between the pages with a live view.
 *
 * @typedef {import("./view.js").LiveView} LiveView
 * @typedef {object} PageOptions
 * @property {() => Promise<unknown>} [load]  loads what `connect` needs, before the camera is opened
 * @property {import("./view.js").ViewOptions["connect"]} connect  opens the connection when a view starts
 * @property {import("./view.js").ViewOptions["present"]} [present]  by default a result is shown as it came
 * @property {() => void} [onBegin]  somebody starts the camera
 * @property {() => void} [onStop]   somebody presses the stop button; by default the screen "stopped" is shown
 * @property {(paused: boolean) => void} [onPause]  somebody pauses, or resumes
 * @property {(view: LiveView | null) => void} [onEnd]  a view has ended; null: it could not begin
 */

/**
 * The screens of a page with a live view, and what the view's buttons do. The view's own modules are loaded when
 * somebody starts it, so that the page itself opens quickly.
 */
export class LivePage {
  /** @type {LiveView | null} */
  #view = null;
  #listening = new AbortController();
  #mirror = new MirrorChoice();

  /** @param {PageOptions} options */
  constructor(options) {
    this.options = options;
    this.loader = new ViewLoader(options.load ?? (async () => {}));
    const app = element("app", HTMLElement);
    this.max_bytes = Number(app.dataset.maxImageBytes);
    this.screens = new Screens(app);
    this.smoothing = new SmoothingChoice();
    this.pauseButton = element("pause", HTMLButtonElement);
    this.landmarksButton = element("landmarks", HTMLButtonElement);
    this.mirrorButton = element("mirror", HTMLButtonElement);
    this.cameraSelect = element("camera", HTMLSelectElement);
  }

  start() {
    const { signal } = this.#listening;
    for (const button of document.querySelectorAll("[data-start]")) {
      button.addEventListener("click", () => void this.begin(), { signal });
    }
    element("stop", HTMLButtonElement).addEventListener("click", () => this.#onStop(), { signal });
    for (const button of document.querySelectorAll("[data-save]")) {
      button.addEventListener("click", () => this.#save(button), { signal });
    }
    this.pauseButton.addEventListener("click", () => this.#togglePause(), { signal });
    this.landmarksButton.addEventListener("click", () => this.#toggleLandmarks(), { signal });
    this.mirrorButton.addEventListener("click", () => this.#toggleMirror(), { signal });
    this.cameraSelect.addEventListener("change", () => void this.#changeCamera(), { signal });
    navigator.mediaDevices?.addEventListener("devicechange", () => void this.#listCameras(), { signal });
    prepareFullscreen(element("fullscreen", HTMLButtonElement), element("viewer", HTMLElement), signal);
    this.smoothing.start();
    this.screens.show(Camera.allowedHere ? "start" : "insecure");
  }

  /** Close the camera and the connection, and let go of the page. */
  stop() {
    this.#listening.abort();
    this.smoothing.stop();
    this.#view?.stop();
    this.#view = null;
  }

  /** Open the camera and show the live view. */
  async begin() {
    this.options.onBegin?.();
    this.screens.show("opening");
    const view = await this.#open();
    if (!view) return;
    this.screens.show("live");
    view.start();
    view.showLandmarks(isPressed(this.landmarksButton));
    this.#showMirror();
    await this.#listCameras();
  }

  /** @returns {Promise<LiveView | null>} null where it could not be opened; a screen then says why */
  async #open() {
    try {
      this.#view = await this.#createView();
      await this.#view.open();
    } catch (error) {
      this.end(screenFor(error));
    }
    return this.#view;
  }

  async #createView() {
    const LiveView = await this.loader.load();
    const { connect, present = (result) => result } = this.options;
    const { max_bytes, smoothing } = this;
    return new LiveView({ max_bytes, smoothing, connect, present, onCameraLost: () => this.end("unplugged") });
  }

  /** Close the camera and the connection. @param {import("../shared/screens.js").ScreenName} screen to show */
  end(screen) {
    const view = this.#view;
    view?.stop();
    this.#view = null;
    leaveFullscreen();
    this.#showPaused(false);
    this.options.onEnd?.(view);
    this.screens.show(screen);
  }

  #onStop() {
    if (this.options.onStop) this.options.onStop();
    else this.end("stopped");
  }

  /** @param {Element} button */
  #save(button) {
    const minute = button.getAttribute("data-save") === "minute";
    void this.#view?.save(minute ? "minute" : "snapshot");
  }

  #togglePause() {
    const paused = !this.#view?.paused;
    this.#view?.pause(paused);
    this.#showPaused(paused);
    this.options.onPause?.(paused);
  }

  /** @param {boolean} paused */
  #showPaused(paused) {
    write(element("pause-text", HTMLElement), paused ? t("Resume") : t("Pause"));
    this.screens.container.classList.toggle("is-paused", paused);
  }

  #toggleLandmarks() {
    const on = !isPressed(this.landmarksButton);
    this.landmarksButton.setAttribute("aria-pressed", String(on));
    this.#view?.showLandmarks(on);
  }

  #toggleMirror() {
    if (this.#view) this.#mirror.toggle(this.#view.camera);
    this.#showMirror();
  }

  #showMirror() {
    const view = this.#view;
    if (!view) return;
    const on = this.#mirror.isOn(view.camera);
    this.mirrorButton.setAttribute("aria-pressed", String(on));
    view.mirror(on);
  }

  async #changeCamera() {
    const view = this.#view;
    try {
      await view?.changeCamera(this.cameraSelect.value);
      if (view !== this.#view) return;
      this.#showMirror();
      if (view?.paused) this.#togglePause();
    } catch (error) {
      if (view === this.#view) this.end(screenFor(error));
    }
  }

  async #listCameras() {
    const choices = await Camera.list();
    const open_id = this.#view?.camera.id;
    this.cameraSelect.replaceChildren(
      ...choices.map(({ id, name }) => {
        const option = create("option", "", name);
        option.value = id;
        option.selected = id === open_id;
        return option;
      }),
    );
  }
}

/** @param {HTMLButtonElement} button */
function isPressed(button) {
  return button.getAttribute("aria-pressed") === "true";
}

/** The screen for what kept a view from opening: its camera, or its modules did not come. @param {unknown} error */
function screenFor(error) {
  if (error instanceof CameraError) return error.reason;
  console.debug("The live view could not be loaded:", error);
  return "unreachable";
}
