import { Announcer } from "../shared/announcements.js";
import { Card } from "./card.js";
import { Chooser } from "./chooser.js";
import { ConfirmDialog } from "../shared/controls/confirm_dialog.js";
import { element, every, write } from "../shared/dom.js";
import { faultOf, isPhoto, problemOf } from "./problems.js";
import { Item } from "./item.js";
import { listJobs, RefusedError } from "./api.js";
import { reachServer } from "../shared/reach_server.js";
import { t } from "../shared/translate.js";

const POLL_MS = 700;

/** The page for files: choose them, wait for them, look at one, delete them. */
export class FilesPage {
  /** @type {Map<Item, Card>} */
  #cards = new Map();
  /** @type {Item | null} */
  #open = null;
  /** Files are sent one after the other. */
  #sending = Promise.resolve();
  #polling = false;
  #restoring = false;
  /** Whether the jobs of an earlier visit are known; until then the page goes on asking for them. */
  #restored = false;
  /** Counts what was opened and closed: a viewer that is ready after the next one was asked for is not shown. */
  #turn = 0;
  /** @type {import("./result/view.js").ResultView | null} */
  #view = null;
  /** Loaded with the first results. @type {typeof import("./result/view.js").ResultView | null} */
  #ResultView = null;

  constructor() {
    this.app = element("files", HTMLElement);
    this.list = element("file-list", HTMLElement);
    this.section = element("result", HTMLElement);
    this.problem = element("files-problem", HTMLElement);
    this.rate = element("rate", HTMLSelectElement);
    this.announcer = new Announcer(element("announcer", HTMLElement), 0);
    this.confirm = new ConfirmDialog();
    this.chooser = new Chooser(
      (files) => this.add(files),
      () => this.#tell(t("The example could not be loaded: the server cannot be reached. Try again in a moment.")),
    );
  }

  start() {
    this.chooser.start();
    this.polls = every(POLL_MS, () => void this.#poll());
    void this.#poll();
  }

  stop() {
    this.chooser.stop();
    this.polls?.stop();
    this.#view?.stop();
  }

  /** Take files that somebody chose: a single photo is analyzed at once, all else becomes a job. @param {File[]} files */
  add(files) {
    const single = files.length === 1;
    this.#tell("");
    for (const file of files) {
      const item = this.#addItem(file.name, file);
      const fault = faultOf(file);
      if (fault) item.fail(fault);
      else this.#sending = this.#sending.then(() => (single && isPhoto(file) ? item.analyze() : item.submit(this.#frames(file))));
    }
    if (single) this.#close(); // the results of this one open as soon as they are there
  }

  /** @param {File} file @returns {Record<string, string>} */
  #frames(file) {
    return isPhoto(file) || this.rate.value === "" ? {} : { fps: this.rate.value };
  }

  /** @param {string} name @param {File | null} file */
  #addItem(name, file) {
    const item = new Item(name, file, () => this.#onChange(item));
    const card = new Card(item, { onOpen: (one) => void this.open(one), onRemove: (one) => void this.#remove(one) });
    this.#cards.set(item, card);
    this.list.prepend(card.row);
    this.#showList();
    return item;
  }

  /** @param {Item} item */
  #onChange(item) {
    this.#cards.get(item)?.update(item === this.#open);
    if (this.#restoring) return;
    if (item.state === "done") this.announcer.say(t("“%(name)s” is done.", { name: item.name }), performance.now());
    if (item.state === "failed") this.announcer.say(item.problem?.text ?? "", performance.now());
    if (item.state === "done" && !this.#open) void this.open(item);
  }

  /** Show the results of a file. @param {Item} item */
  async open(item) {
    const before = this.#open;
    const turn = (this.#turn += 1);
    this.#open = item;
    for (const one of [before, item]) if (one) this.#cards.get(one)?.update(one === item);
    this.#view?.stop();
    const ResultView = await this.#loadView();
    if (turn !== this.#turn) return;
    if (!ResultView) return this.#close();
    this.section.hidden = false;
    this.#view = new ResultView(item);
    await this.#view.start();
    if (turn !== this.#turn) return;
    const title = element("result-title", HTMLElement);
    title.scrollIntoView({ block: "start" });
    title.focus({ preventScroll: true });
  }

  async #loadView() {
    if (this.#ResultView) return this.#ResultView;
    const failed = t("The server cannot be reached.");
    try {
      await reachServer();
      this.#ResultView = (await import("./result/view.js")).ResultView;
      if (this.problem.textContent === failed) this.#tell("");
    } catch (error) {
      console.debug("A module could not be loaded:", error);
      this.#tell(failed);
    }
    return this.#ResultView;
  }

  #close() {
    const item = this.#open;
    this.#turn += 1;
    this.#open = null;
    this.#view?.stop();
    this.#view = null;
    this.section.hidden = true;
    if (item) this.#cards.get(item)?.update(false);
  }

  /** @param {Item} item */
  async #remove(item) {
    if (item.hasResults && !(await this.#agrees(item))) return;
    try {
      await item.remove();
    } catch (error) {
      return this.#tell(problemOf(item.name, error).text);
    }
    this.#forget(item);
    element("choose-files", HTMLButtonElement).focus();
  }

  /** @param {Item} item */
  #agrees({ name, job }) {
    const text = job
      ? t("The server deletes the file and all its results. This cannot be undone.")
      : t("Its results disappear from this page. The server has kept nothing of it.");
    return this.confirm.ask({ title: t("Delete “%(name)s”?", { name }), text, action: t("Delete") });
  }

  /** @param {Item} item */
  #forget(item) {
    if (item === this.#open) this.#close();
    this.#cards.get(item)?.row.remove();
    this.#cards.delete(item);
    this.#showList();
  }

  #showList() {
    this.app.classList.toggle("has-files", this.#cards.size > 0);
    element("file-list-section", HTMLElement).hidden = this.#cards.size === 0;
  }

  /** Show the jobs of an earlier visit again, and the results of the newest. */
  async #restore() {
    const jobs = await this.#jobs();
    if (!jobs) return;
    this.#restored = true;
    const known = new Set([...this.#cards.keys()].map(({ job }) => job?.id));
    this.#restoring = true;
    for (const job of jobs.toReversed()) if (!known.has(job.id)) this.#addItem(job.name, null).follow(job);
    this.#restoring = false;
    const newest = [...this.#cards.keys()].findLast(({ state }) => state === "done");
    if (newest && !this.#open) void this.open(newest);
  }

  /** Every now and then; one request at a time. */
  async #poll() {
    if (this.#polling) return;
    this.#polling = true;
    await (this.#restored ? this.#follow() : this.#restore());
    this.#polling = false;
  }

  /** Ask for the state of all jobs that are under way. */
  async #follow() {
    const waiting = [...this.#cards.keys()].filter((item) => item.isUnderWay);
    if (waiting.length === 0) return;
    const jobs = await this.#jobs();
    for (const item of jobs ? waiting : []) {
      const job = jobs?.find(({ id }) => id === item.job?.id);
      if (job) item.follow(job);
      else if (this.#cards.has(item)) this.#forget(item); // deleted in another window
    }
  }

  /** All jobs; null where the server cannot tell now, which the page says. */
  async #jobs() {
    const cutOff = t("The server cannot be reached. The page goes on asking.");
    try {
      const jobs = await listJobs();
      if (this.problem.textContent === cutOff) this.#tell("");
      return jobs;
    } catch (error) {
      if (error instanceof RefusedError && error.status === 404) return []; // a server without jobs
      this.#tell(cutOff);
      return null;
    }
  }

  /** @param {string} text */
  #tell(text) {
    this.problem.hidden = text === "";
    write(this.problem, text);
  }
}
