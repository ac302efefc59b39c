import { fileOf, removeJob, RefusedError, send } from "./api.js";
import { failureOf, problemOf } from "./problems.js";

/**
 * A file on the page: what it is, how far its analysis is, and what it offers once that is done.
 *
 * @typedef {import("./api.js").Job} Job
 * @typedef {import("./api.js").Result} Result
 * @typedef {import("./problems.js").FileProblem} FileProblem
 * @typedef {"waiting" | "sending" | "queued" | "running" | "done" | "failed"} ItemState
 */

/** How often, and after which pause, a photo is sent again to a server that is busy. */
const MAX_ATTEMPTS = 5;
const RETRY_MS = 1500;

export class Item {
  /** @type {ItemState} */
  state = "waiting";
  progress = 0;
  /** @type {number | null} */
  remaining_s = null;
  /** @type {FileProblem | null} */
  problem = null;
  /** @type {Date | null} when the server deletes it */
  expires = null;
  /** @type {Job | null} */
  job = null;
  /** @type {Result | null} of a photo that needed no job */
  result = null;
  #sending = new AbortController();
  /** Settles when the file was sent, or was not. */
  #sent = Promise.resolve();
  #makesJob = false;
  #url = "";

  /** @param {string} name @param {File | null} file null: a job of an earlier visit @param {() => void} onChange */
  constructor(name, file, onChange) {
    this.name = name;
    this.file = file;
    this.onChange = onChange;
  }

  get isFinished() {
    return this.state === "done" || this.state === "failed";
  }

  /** Whether there is something to show: of a damaged video, what comes before the damage. */
  get hasResults() {
    return this.state === "done" || (this.isFinished && Boolean(this.job?.results.includes("results.json")));
  }

  /** Whether a job at the server has to be asked for its state. */
  get isUnderWay() {
    return this.state === "queued" || this.state === "running";
  }

  /** The address of the photo or video: the person's own file, or what the server has of it. */
  get url() {
    if (!this.#url && this.file) this.#url = URL.createObjectURL(this.file);
    return this.#url || (this.job ? fileOf(this.job.id, "input") : "");
  }

  /** Have a photo analyzed at once, with no job. */
  analyze() {
    return this.#send(async (options) => {
      this.result = await untilAccepted(() => send({ path: "/analyze", field: "image", ...options }), options.signal);
      this.#change({ state: "done", progress: 1, remaining_s: null });
    });
  }

  /** Have a job made. @param {Record<string, string>} values which frames of a video are analyzed */
  submit(values) {
    this.#makesJob = true;
    return this.#send(async (options) => {
      this.follow(await send({ path: "/jobs", field: "file", values, ...options }));
    });
  }

  /** @param {(options: {file: File, onProgress: (fraction: number) => void, signal: AbortSignal}) => Promise<void>} sendFile */
  #send(sendFile) {
    if (this.file && !this.#sending.signal.aborted) this.#sent = this.#sendNow(this.file, sendFile);
    return this.#sent;
  }

  /** @param {File} file @param {(options: {file: File, onProgress: (fraction: number) => void, signal: AbortSignal}) => Promise<void>} sendFile */
  async #sendNow(file, sendFile) {
    const start_ms = performance.now();
    const onProgress = (/** @type {number} */ fraction) => {
      const elapsed_s = (performance.now() - start_ms) / 1000;
      this.#change({ state: "sending", progress: fraction, remaining_s: fraction > 0 ? (elapsed_s * (1 - fraction)) / fraction : null });
    };
    onProgress(0);
    try {
      await sendFile({ file, onProgress, signal: this.#sending.signal });
    } catch (error) {
      if (!this.#sending.signal.aborted) this.fail(problemOf(this.name, error));
    }
  }

  /** Take over what the server says of the job. @param {Job} job */
  follow(job) {
    this.job = job;
    const { state, progress, remaining_s, expires_s } = job;
    this.expires = expires_s === null ? null : new Date(Date.now() + 1000 * expires_s);
    if (state === "failed" || state === "cancelled") this.fail(failureOf(this.name, job));
    else this.#change({ state, progress, remaining_s });
  }

  /** @param {FileProblem} problem */
  fail(problem) {
    this.problem = problem;
    this.#change({ state: "failed", progress: 0, remaining_s: null });
  }

  /** Stop sending or analyzing it, and delete what the server has of it. */
  async remove() {
    const becomesJob = this.#makesJob && this.state === "sending" && this.progress >= 1; // which has to go too
    if (becomesJob) await this.#sent;
    else this.#sending.abort();
    try {
      if (this.job) await removeJob(this.job.id);
    } catch (error) {
      if (!(error instanceof RefusedError) || error.status !== 404) throw error; // it is gone already
    }
    if (this.#url) URL.revokeObjectURL(this.#url);
  }

  /** @param {{state: ItemState, progress: number, remaining_s: number | null}} values */
  #change(values) {
    Object.assign(this, values);
    this.onChange();
  }
}

/**
 * Ask again while the server is busy.
 * @template T @param {() => Promise<T>} ask @param {AbortSignal} signal @returns {Promise<T>}
 */
async function untilAccepted(ask, signal, attempts = MAX_ATTEMPTS) {
  try {
    return await ask();
  } catch (error) {
    const waits = error instanceof RefusedError && ["busy", "unavailable"].includes(error.code) && attempts > 1;
    if (!waits) throw error;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    signal.throwIfAborted();
    return untilAccepted(ask, signal, attempts - 1);
  }
}
