import { create, element, write } from "../../shared/dom.js";
import { framesOfJob, framesOfPhoto } from "./frames.js";
import { Presentation } from "./presentation.js";
import { showJobFiles, showPhotoFiles } from "./downloads.js";
import { t, tn } from "../../shared/translate.js";
import { failureOf, problemOf } from "../problems.js";
import { ProblemDetail } from "../problem_detail.js";

/** The results of one file: loads them and shows them, or says why that cannot be. */
export class ResultView {
  #stopped = new AbortController();
  /** @type {Presentation | null} */
  #presentation = null;

  /** @param {import("../item.js").Item} item */
  constructor(item) {
    this.item = item;
    this.isVideo = item.job?.kind === "video";
    this.section = element("result", HTMLElement);
    this.note = element("result-note", HTMLElement);
    this.name = element("result-name", HTMLElement);
    this.failures = element("result-failures", HTMLElement);
    this.downloads = element("downloads", HTMLElement);
  }

  async start() {
    write(this.name, this.item.name);
    this.section.classList.toggle("is-video", this.isVideo);
    this.section.dataset.shows = "nothing";
    this.#reset();
    write(this.note, t("Loading the results …"));
    try {
      this.#show(await this.#frames());
    } catch (error) {
      if (!this.#stopped.signal.aborted) write(this.note, problemOf(this.item.name, error).text);
    }
  }

  stop() {
    this.#stopped.abort();
    this.#presentation?.stop();
  }

  async #frames() {
    const { result, job, name } = this.item;
    if (result) return framesOfPhoto(result, name);
    if (job) return framesOfJob(job.id, this.#stopped.signal);
    throw new Error("There are no results yet; open an item that is done.");
  }

  #reset() {
    element("overlay", HTMLCanvasElement).hidden = false;
    element("no-image", HTMLElement).hidden = true;
    for (const list of [this.downloads, this.failures, element("tracks", HTMLElement)]) list.replaceChildren();
  }

  /** @param {import("./frames.js").Frames} frames */
  #show(frames) {
    if (this.#stopped.signal.aborted) return;
    const { item, isVideo } = this;
    if (item.job) showJobFiles(this.downloads, item.job);
    this.failures.replaceChildren(...(item.job?.failures ?? []).map(failureRow));
    this.section.dataset.shows = item.job?.kind === "images" ? "files" : "all";
    if (item.job?.kind === "images") {
      return write(this.note, tn("%(count)s photo was analyzed. The results are in the downloads.", "%(count)s photos were analyzed. The results are in the downloads.", frames.inputs.length));
    }
    const presentation = new Presentation(item, frames, isVideo, () => this.#tellSource(presentation.medium.source));
    this.#presentation = presentation;
    write(this.note, this.#summary(presentation.tracks.length, frames.list.length));
    presentation.start();
    if (!item.job) showPhotoFiles(this.downloads, item, presentation.overlay);
  }

  /** @param {number} faces @param {number} frames */
  #summary(faces, frames) {
    if (faces === 0) return this.isVideo ? t("No face was found in this video.") : t("No face was found in this photo.");
    const found = tn("%(count)s face", "%(count)s faces", faces);
    return this.isVideo ? `${found} · ${tn("%(count)s frame", "%(count)s frames", frames)}` : found;
  }

  /** @param {import("./medium.js").Source} source */
  #tellSource(source) {
    if (source === "own") return;
    const copy = this.isVideo
      ? t("Your browser cannot play this file. The annotated copy is shown instead.")
      : t("Your browser cannot show this file. The annotated copy is shown instead.");
    write(this.note, source === "annotated" ? copy : t("Your browser can show neither this file nor its annotated copy. The results are below."));
  }
}

/** @param {import("../api.js").Job["failures"][number]} failure */
function failureRow(failure) {
  const { text, detail } = failureOf(failure.input, failure);
  const row = create("li", "", text);
  const more = new ProblemDetail();
  more.show(detail);
  row.append(more.root);
  return row;
}
