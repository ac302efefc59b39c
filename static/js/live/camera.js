import { keep, kept } from "../shared/preferences.js";
import { t } from "../shared/translate.js";

/**
 * The camera: opened into a video element, with reasons in plain terms when that fails.
 *
 * @typedef {"denied" | "missing" | "in-use" | "insecure"} CameraReason
 * @typedef {{id: string, name: string}} CameraChoice
 */

export class CameraError extends Error {
  /** @param {CameraReason} reason @param {unknown} cause */
  constructor(reason, cause) {
    super(`The camera cannot be used: ${reason}.`, { cause });
    this.reason = reason;
  }
}

/** @type {Record<string, CameraReason>} by the names that getUserMedia gives its errors */
const REASONS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "in-use",
  AbortError: "in-use",
};

/** Under which name this browser keeps the camera that was chosen. */
const CHOICE = "camera";

export class Camera {
  /** @type {MediaStream | null} */
  #stream = null;
  #attempt = 0;

  /** @param {HTMLVideoElement} video @param {() => void} onLost called when the camera goes away */
  constructor(video, onLost) {
    this.video = video;
    this.onLost = onLost;
  }

  /** Browsers allow pages the camera only over https and on this computer itself. */
  static get allowedHere() {
    return window.isSecureContext && navigator.mediaDevices !== undefined;
  }

  /**
   * Open a camera; by default the one that faces the person.
   * @param {string} [id] @throws {CameraError} @returns {Promise<boolean>} false if it was stopped, or another one asked for, meanwhile
   */
  async start(id) {
    if (!Camera.allowedHere) throw new CameraError("insecure", null);
    this.stop();
    const attempt = ++this.#attempt;
    try {
      const stream = await requestStream(id);
      if (attempt === this.#attempt) this.#show(stream);
      else stopTracks(stream);
    } catch (error) {
      if (attempt === this.#attempt) throw error;
    }
    return attempt === this.#attempt;
  }

  /** Open the camera that was chosen last, here or in an earlier visit; by default the one that faces the person. */
  async startPreferred() {
    const id = kept(CHOICE);
    try {
      await this.start(id ?? undefined);
    } catch (error) {
      if (!id || !(error instanceof CameraError) || error.reason !== "missing") throw error;
      await this.start(); // that camera is not plugged in
    }
  }

  /** Open another camera, and keep the choice if it is shown. @param {string} id @throws {CameraError} */
  async choose(id) {
    const isShown = await this.start(id);
    if (isShown) keep(CHOICE, id);
    return isShown;
  }

  /** @param {MediaStream} stream */
  #show(stream) {
    this.#stream = stream;
    stream.getVideoTracks()[0].addEventListener("ended", this.onLost);
    this.video.srcObject = stream; // plays by itself: the element has `autoplay`
  }

  /** The id of the open camera. */
  get id() {
    return this.#settings?.deviceId;
  }

  /** Whether the camera faces away from the person, as the one at the back of a phone. */
  get facesAway() {
    return this.#settings?.facingMode === "environment";
  }

  get #settings() {
    return this.#stream?.getVideoTracks()[0].getSettings();
  }

  /** The cameras of this computer; browsers tell their names once one was allowed. @returns {Promise<CameraChoice[]>} */
  static async list() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices
      .filter(({ kind }) => kind === "videoinput")
      .map(({ deviceId, label }, index) => ({ id: deviceId, name: label || t("Camera %(number)s", { number: index + 1 }) }));
  }

  stop() {
    this.#attempt += 1;
    if (this.#stream) stopTracks(this.#stream);
    this.#stream = null;
    this.video.srcObject = null;
  }
}

/** @param {MediaStream} stream */
function stopTracks(stream) {
  for (const track of stream.getTracks()) track.stop(); // fires no `ended`: that is for what others end
}

/** @param {string} [id] */
async function requestStream(id) {
  const which = id ? { deviceId: { exact: id } } : { facingMode: "user" };
  const wanted = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { ...which, ...wanted }, audio: false });
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    throw new CameraError(REASONS[name] ?? "in-use", error);
  }
}
