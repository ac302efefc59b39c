import { LivePage } from "../live/page.js";
import { element, write } from "../shared/dom.js";
import { closeMenus, watchMenus } from "../shared/controls/menus.js";
import { problemText } from "../shared/problems.js";
import { t } from "../shared/translate.js";
import { comparedWithNeutral } from "./baseline.js";
import { Checklist } from "./checklist.js";
import { Completion } from "./completion.js";
import { NO_ANSWER, RoomConnection } from "./connection.js";
import { Information } from "./information.js";
import { Memory } from "./memory.js";
import { NeutralPrompt } from "./neutral_prompt.js";
import { ReadinessMonitor } from "./readiness_monitor.js";
import { SessionState } from "./session_state.js";
import { WithdrawDialog } from "./withdraw_dialog.js";

/** A participant's page: information, consent or decline, the live view of the room, and the way out. */
export class ParticipantPage {
  /** @type {RoomConnection | null} */
  #connection = null;
  #listening = new AbortController();
  #compared = false;

  constructor() {
    const { room = "", showResults, state, participant = "" } = element("app", HTMLElement).dataset;
    this.room = room;
    /** The id that a panel put into the link. */
    this.participant = participant;
    /** The way back to the panel, which needs no participation. */
    this.showsResults = showResults === "true";
    this.isClosed = state === "closed";
    this.memory = new Memory(room, participant);
    this.completion = new Completion();
    this.information = new Information();
    this.prompt = new NeutralPrompt(async () => (await this.#connection?.recordBaseline()) ?? false);
    this.session = new SessionState();
    this.checklist = new Checklist();
    this.monitor = new ReadinessMonitor(element("video", HTMLVideoElement), (readiness) => this.#onReadiness(readiness));
    this.withdrawDialog = new WithdrawDialog(async () => (this.#connection ? this.#connection.withdraw() : NO_ANSWER));
    this.alias = element("alias", HTMLInputElement);
    this.compareButton = element("compare", HTMLButtonElement);
    this.page = new LivePage({
      connect: (onState) => this.#connect(onState),
      present: (result) => this.#present(result),
      onBegin: () => (element("join-problem", HTMLElement).hidden = true),
      onPause: (paused) => this.#onPause(paused),
      onStop: () => this.#leave(),
      onEnd: () => this.#reset(),
    });
  }

  start() {
    this.page.start();
    this.information.start();
    this.completion.start();
    this.withdrawDialog.start();
    this.menus = watchMenus();
    this.#listen();
    document.documentElement.classList.toggle("is-blind", !this.showsResults);
    if (this.memory.alias) this.alias.value = this.memory.alias;
    this.completion.show(this.memory.completion);
    if (this.isClosed) this.page.screens.show("closed");
  }

  #listen() {
    const { signal } = this.#listening;
    const onClick = (/** @type {Element} */ button, /** @type {() => void} */ act) => button.addEventListener("click", act, { signal });
    element("consent-form", HTMLFormElement).addEventListener("submit", (event) => this.#onConsent(event), { signal });
    onClick(element("decline", HTMLButtonElement), () => this.#decline());
    for (const button of document.querySelectorAll("[data-again]")) onClick(button, () => this.page.screens.show("start"));
    onClick(element("withdraw", HTMLButtonElement), () => this.#askToWithdraw());
    onClick(element("baseline", HTMLButtonElement), () => this.#startBaseline());
    onClick(this.compareButton, () => this.#showCompared(!this.#compared));
  }

  stop() {
    this.#listening.abort();
    this.menus?.stop();
    this.information.stop();
    this.completion.stop();
    this.withdrawDialog.stop();
    this.prompt.stop();
    this.monitor.stop();
    this.page.stop();
  }

  /** @param {Event} event */
  #onConsent(event) {
    event.preventDefault();
    void this.page.begin();
  }

  #decline() {
    this.#forgetConsent();
    this.page.screens.show("declined");
  }

  /** Whoever joins next, perhaps somebody else, reads and consents anew. */
  #forgetConsent() {
    element("consent-form", HTMLFormElement).reset();
  }

  /** @param {import("../shared/connection.js").StateListener} onState */
  #connect(onState) {
    const { room, alias: { value: alias }, information: { language }, participant: pid } = this;
    const consent = /** @type {const} */ ({ room, alias, consent: true, language, pid });
    /** @type {import("../shared/connection.js").StateListener} */
    const onConnection = (state) => {
      this.session.connection(state);
      onState(state);
    };
    this.#connection = new RoomConnection(onConnection, consent, this.memory, {
      onJoined: (joined) => this.#onJoined(joined),
      onRefused: (code, message) => this.#onRefused(code, message),
      onParted: (reason) => this.#onParted(reason),
      onRecording: (on) => this.#showRecording(on),
      onBaseline: (state, reason) => this.#onBaseline(state, reason),
    });
    this.monitor.start();
    return this.#connection;
  }

  /** What is shown of a result. @param {import("../shared/protocol.js").Result} result */
  #present(result) {
    this.monitor.take(result);
    return this.#compared ? comparedWithNeutral(result) : result;
  }

  /** @param {boolean} paused */
  #onPause(paused) {
    this.session.paused(paused);
    if (paused) this.monitor.stop();
    else this.monitor.start();
  }

  /** @param {import("./readiness.js").Readiness} readiness */
  #onReadiness(readiness) {
    this.checklist.show(readiness);
    this.#connection?.report(readiness);
  }

  /** @param {boolean} on */
  #showRecording(on) {
    this.session.recording(on);
    this.checklist.recording(on);
  }

  /** Leave the room; what was recorded stays. */
  #leave() {
    this.#connection?.leave();
    this.#forgetConsent();
    this.page.end("left");
  }

  /** Show nothing of a view that has ended. */
  #reset() {
    this.#connection = null;
    this.monitor.stop();
    closeMenus();
    this.prompt.stop();
    this.session.reset();
    this.withdrawDialog.close();
    write(element("my-alias", HTMLElement), "");
    this.compareButton.hidden = true;
    this.#showCompared(false);
  }

  /** @param {import("./connection.js").Joined} joined */
  #onJoined(joined) {
    const { alias, baseline, video } = joined;
    write(element("my-alias", HTMLElement), alias);
    element("seen-live", HTMLElement).hidden = !video;
    this.session.join(joined);
    this.completion.show(this.memory.completion);
    this.#showRecording(joined.recording);
    this.#connection?.report(this.monitor.readiness);
    this.compareButton.hidden = !(baseline && this.showsResults);
  }

  /** @param {import("./connection.js").Ending} reason */
  #onParted(reason) {
    if (reason === "removed") this.completion.takeBack(["code", "return_url"]);
    if (reason === "erased") this.completion.show({});
    this.#forgetConsent();
    this.page.end(reason);
  }

  /** @param {string} code @param {string} message */
  #onRefused(code, message) {
    if (code === "room_closed") return this.page.end("closed");
    if (code === "no_such_room") return this.page.end("deleted");
    if (code === "cannot_resume") {
      this.memory.forget(); // whoever consents again joins as somebody new
      return this.#onParted("removed");
    }
    this.page.end("start");
    const line = element("join-problem", HTMLElement);
    write(line, problemText({ code, message }));
    line.hidden = false;
    line.scrollIntoView({ block: "center" });
  }

  #askToWithdraw() {
    closeMenus();
    this.withdrawDialog.open();
  }

  #startBaseline() {
    closeMenus();
    this.prompt.start();
  }

  /** @param {"asked" | "set" | "failed"} state @param {string | undefined} reason */
  #onBaseline(state, reason) {
    if (state === "asked") return this.prompt.start();
    this.compareButton.hidden = state !== "set" || !this.showsResults;
    this.prompt.showOutcome(state === "set" ? null : (reason ?? "no_face"));
  }

  /** @param {boolean} on */
  #showCompared(on) {
    this.#compared = on;
    this.compareButton.setAttribute("aria-pressed", String(on));
    write(element("bars-title", HTMLElement), on ? t("Compared with neutral (14%% at rest)") : t("Probabilities"));
  }
}
