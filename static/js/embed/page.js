import { Camera, CameraError } from "../live/camera.js";
import { NO_ANSWER } from "../room/connection.js";
import { NeutralPrompt } from "../room/neutral_prompt.js";
import { Information } from "../room/information.js";
import { Memory } from "../room/memory.js";
import { SessionState } from "../room/session_state.js";
import { WithdrawDialog } from "../room/withdraw_dialog.js";
import { element, write } from "../shared/dom.js";
import { problemText } from "../shared/problems.js";
import { Screens } from "../shared/screens.js";
import { Embedder } from "./embedder.js";
import { Preview } from "./preview.js";
import { Requests } from "./requests.js";
import { FrameSession } from "./session.js";
import { wireResult } from "./wire_result.js";

/**
 * The frame: the page around it says when to join, then consent, camera and session follow; what happens is told.
 *
 * @typedef {import("./embedder.js").Message} Message
 * @typedef {import("../shared/screens.js").ScreenName} ScreenName
 * @typedef {import("../shared/problems.js").Problem} Problem
 * @typedef {ScreenName | "refused" | "full" | "problem"} EndScreen
 * @typedef {{view: "hidden" | "small" | "full", participant: string, source: "participant" | "experiment"}} Asked
 */

/** How long a frame whose camera is open waits for the room's answer. */
const JOIN_TIMEOUT_MS = 20_000;

const VIEWS = /** @type {const} */ (["hidden", "small", "full"]);

/** What the page around is told of the camera, by the reasons of `CameraError`. */
const CAMERA_CODES = { denied: "camera_denied", missing: "camera_missing", "in-use": "camera_in_use", insecure: "insecure" };

/** What is shown of a refused join; the text of any other problem is shown as it is. @type {Map<string, EndScreen>} */
const SCREENS_OF_PROBLEMS = new Map([
  ["room_closed", "closed"],
  ["no_such_room", "deleted"],
  ["cannot_resume", "removed"],
  ["room_full", "full"],
]);

export class EmbeddedPage {
  /** @type {FrameSession | null} */
  #session = null;
  /** @type {Asked} */
  #asked = { view: "small", participant: "", source: "participant" };
  #joined = false;
  #joinTimer = 0;
  #listening = new AbortController();

  constructor() {
    this.app = element("app", HTMLElement);
    const { room = "", state, origins = "", markers, consentByExperiment, showResults, maxImageBytes } = this.app.dataset;
    this.room = { code: room, isClosed: state === "closed", takesMarks: markers === "true", letsExperimentsAsk: consentByExperiment === "true" };
    this.showsResults = showResults === "true";
    this.max_bytes = Number(maxImageBytes);
    this.embedder = new Embedder(origins.split(" "), (message) => this.#onMessage(message), () => this.#show("refused"));
    this.requests = new Requests(this.embedder, {
      takesMarks: this.room.takesMarks,
      leave: (erase) => this.#leave(erase),
      watch: (on) => this.preview.watch(on),
    });
    this.screens = new Screens(this.app);
    this.state = new SessionState();
    this.information = new Information();
    this.prompt = new NeutralPrompt(async () => (await this.#session?.connection?.recordBaseline()) ?? false);
    this.withdrawDialog = new WithdrawDialog(() => this.#withdraw());
    this.preview = new Preview(this.showsResults);
    this.resizing = new ResizeObserver(() => this.#tellLayout());
  }

  start() {
    const { signal } = this.#listening;
    element("consent-form", HTMLFormElement).addEventListener("submit", (event) => this.#onConsent(event), { signal });
    element("decline", HTMLButtonElement).addEventListener("click", () => this.#fail("declined", "consent_declined", "The person did not consent."), { signal });
    element("stop", HTMLButtonElement).addEventListener("click", () => void this.#leave(false), { signal });
    element("withdraw", HTMLButtonElement).addEventListener("click", () => this.#askToWithdraw(), { signal });
    this.withdrawDialog.dialog.addEventListener("close", () => this.#tellLayout(), { signal });
    this.information.start();
    this.withdrawDialog.start();
    this.resizing.observe(this.app);
    this.embedder.start();
    this.#show(this.embedder.isPresent ? (this.room.isClosed ? "closed" : "waiting") : "alone");
  }

  stop() {
    this.#listening.abort();
    this.resizing.disconnect();
    this.information.stop();
    this.withdrawDialog.stop();
    this.embedder.stop();
    this.#end();
  }

  /** @param {Message} message */
  #onMessage(message) {
    if (message.type === "join") this.#onJoin(message);
    else this.requests.take(message, this.#session);
  }

  /** @param {Message} message */
  #onJoin({ view, participant, consent }) {
    if (this.#session) return this.embedder.send("error", { code: "bad_request", message: "This frame has joined already." });
    this.#asked = {
      view: VIEWS.find((known) => known === view) ?? "small",
      participant: typeof participant === "string" ? participant : "",
      source: consent === "given" ? "experiment" : "participant",
    };
    if (this.room.isClosed) return this.#fail("closed", "room_closed", "This room is closed.");
    if (!Camera.allowedHere) return this.#fail("insecure", "insecure", "Browsers allow the camera only over https, on every page around this frame.");
    if (this.#asked.source === "participant") {
      element("alias", HTMLInputElement).closest("label")?.toggleAttribute("hidden", this.#asked.participant !== "");
      this.embedder.send("state", { state: "consent" });
      return this.#show("start");
    }
    if (this.room.letsExperimentsAsk) return void this.#begin();
    this.#failWith({ code: "consent_required", message: "This room asks for consent itself: join with consent \"ask\", or set consent_by_experiment." });
  }

  /** @param {Event} event */
  #onConsent(event) {
    event.preventDefault();
    void this.#begin();
  }

  async #begin() {
    this.#show("opening");
    this.embedder.send("state", { state: "connecting" });
    const session = (this.#session = this.#createSession());
    try {
      await session.open();
      if (session === this.#session && !this.#joined) this.#joinTimer = setTimeout(() => this.#failWith({ code: "server_lost", message: "The server does not answer." }), JOIN_TIMEOUT_MS);
    } catch (error) {
      if (!(error instanceof CameraError)) throw error;
      this.#fail(error.reason, CAMERA_CODES[error.reason], error.message);
    }
  }

  #createSession() {
    const { code: room } = this.room;
    const { participant: pid, source } = this.#asked;
    const { value: alias } = element("alias", HTMLInputElement);
    const { language } = this.information;
    return new FrameSession({
      video: element("video", HTMLVideoElement),
      max_bytes: this.max_bytes,
      consent: { room, alias, consent: true, language, pid, consent_source: source },
      memory: new Memory(room, pid),
      onConnection: (state) => this.#onConnection(state),
      onResult: (result, captured_ms, round_trip_ms) => this.#onResult(result, captured_ms, round_trip_ms),
      onCameraLost: () => this.#fail("unplugged", "camera_missing", "The camera was disconnected."),
      listener: {
        onJoined: (joined) => this.#onJoined(joined),
        onRefused: (code, message) => this.#onRefused({ code, message }),
        onParted: (reason) => this.#fail(reason, reason === "closed" ? "room_closed" : reason, "The participation ended."),
        onRecording: (on) => this.#onRecording(on),
        onBaseline: (state, reason) => this.#onBaseline(state, reason),
      },
    });
  }

  /** @param {import("../room/connection.js").Joined} joined */
  #onJoined(joined) {
    clearTimeout(this.#joinTimer);
    const { participant, alias, recording, baseline, video } = joined;
    element("seen-live", HTMLElement).hidden = !video;
    this.state.join(joined);
    if (document.documentElement.dataset.shown !== "live") this.#show("live"); // after a lost connection it still is
    this.preview.start(this.#asked.view);
    this.requests.onJoined(this.#session);
    const fields = { participant, alias, recording, baseline, marks: this.room.takesMarks };
    if (!this.#joined) this.embedder.send("joined", fields);
    this.#joined = true;
    this.embedder.send("state", { state: recording ? "recording" : "idle" });
  }

  /** @param {Problem} problem */
  #onRefused(problem) {
    if (problem.code === "cannot_resume") this.#session?.parts.memory.forget(); // who joins again is somebody new
    this.#failWith(problem);
  }

  /** @param {import("../shared/connection.js").ConnectionState} state */
  #onConnection(state) {
    this.state.connection(state);
    if (state === "lost" && this.#joined) this.embedder.send("state", { state: "lost" });
  }

  /** @param {import("../shared/protocol.js").Result} result @param {number} captured_ms @param {number} round_trip_ms */
  #onResult(result, captured_ms, round_trip_ms) {
    this.embedder.send("result", { result: wireResult(result, captured_ms, round_trip_ms) });
    this.preview.update(result, captured_ms - performance.timeOrigin);
    this.requests.onResult(result);
  }

  /** @param {boolean} on */
  #onRecording(on) {
    this.state.recording(on);
    this.embedder.send("state", { state: on ? "recording" : "idle" });
  }

  /** @param {"asked" | "set" | "failed"} state @param {string} [reason] of what failed */
  #onBaseline(state, reason) {
    this.embedder.send("baseline", { state, reason });
    this.requests.onBaseline(state, reason);
    if (this.#asked.view === "hidden") return; // the page around asks, where it listens
    if (state === "asked") this.prompt.start();
    else this.prompt.showOutcome(state === "set" ? null : (reason ?? "no_face"));
  }

  /** @param {boolean} erase whether everything recorded is deleted too @returns {Promise<Problem | null>} what kept it from that */
  async #leave(erase) {
    if (erase) return this.#withdraw();
    const told = this.#session?.connection?.leave();
    this.#end();
    this.#show("left");
    await told; // the page around may remove this frame as soon as it knows, and with it what is not sent yet
    this.#tellEnd("left", "The person left.");
    return null;
  }

  #askToWithdraw() {
    this.withdrawDialog.open();
    this.#tellLayout();
  }

  /** The server emits "parted", which ends the session. @returns {Promise<Problem | null>} */
  async #withdraw() {
    const connection = this.#session?.connection;
    return connection ? connection.withdraw() : NO_ANSWER;
  }

  /** @param {Problem} problem */
  #failWith(problem) {
    write(element("problem-text", HTMLElement), problemText(problem));
    const screen = SCREENS_OF_PROBLEMS.get(problem.code) ?? "problem";
    const code = screen === "deleted" && this.#joined ? screen : problem.code; // as where it is told at once
    this.#fail(screen, code, problem.message);
  }

  /** End, show why, and tell. @param {EndScreen} screen @param {string} code @param {string} message */
  #fail(screen, code, message) {
    this.#end();
    this.#show(screen);
    this.#tellEnd(code, message);
  }

  /** @param {string} code @param {string} message */
  #tellEnd(code, message) {
    if (this.#joined) this.embedder.send("state", { state: "ended", reason: code });
    else this.embedder.send("error", { code, message });
    this.#joined = false;
  }

  #end() {
    clearTimeout(this.#joinTimer);
    this.requests.stop();
    this.preview.stop();
    this.prompt.stop();
    this.withdrawDialog.close();
    this.state.reset();
    this.#session?.stop();
    this.#session = null;
  }

  /** @param {EndScreen | "waiting" | "alone"} screen */
  #show(screen) {
    this.app.dataset.view = screen === "live" ? this.#asked.view : "";
    this.screens.show(/** @type {ScreenName} */ (screen), screen === "start" || document.hasFocus());
    this.#tellLayout();
  }

  /** The page around shows the frame as a pixel once nothing in it needs to be seen. */
  #tellLayout() {
    const isHidden = this.app.dataset.view === "hidden";
    const asking = document.documentElement.dataset.shown === "start" || this.withdrawDialog.dialog.open;
    this.embedder.send("layout", { shown: !isHidden, asking, height: this.app.offsetHeight });
  }
}
