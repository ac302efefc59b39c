import { create } from "../../shared/dom.js";
import { fileOf } from "../api.js";
import { imageOf, saveAs } from "../../shared/download.js";
import { samplesCsv } from "../../shared/samples_csv.js";
import { t } from "../../shared/translate.js";

/**
 * What can be kept of the results: files of the server for a job, files that the browser makes for a single photo.
 *
 * @typedef {import("../item.js").Item} Item
 */

/** What a job may have, by its name at the server. @type {[string, () => string][]} */
const JOB_FILES = [
  ["annotated.mp4", () => t("Annotated video")],
  ["annotated.jpg", () => t("Annotated photo")],
  ["annotated.zip", () => t("Annotated photos (ZIP)")],
  ["results.csv", () => t("Table (CSV)")],
  ["results.parquet", () => t("Table (Parquet)")],
  ["results.json", () => t("Everything (JSON)")],
  ["report.html", () => t("Report")],
];

/** Links to the files of a job. @param {HTMLElement} list @param {import("../api.js").Job} job */
export function showJobFiles(list, job) {
  const files = JOB_FILES.filter(([name]) => job.results.includes(name));
  list.replaceChildren(
    ...files.map(([name, text]) => {
      const link = create("a", "button", text());
      link.href = fileOf(job.id, name);
      link.download = ""; // under the name that the server gives it
      return inRow(link);
    }),
  );
}

/** Buttons that make files of a single photo. @param {HTMLElement} list @param {Item} item @param {import("../../live/overlay/overlay.js").Overlay} overlay */
export function showPhotoFiles(list, item, overlay) {
  const { result, name } = item;
  const stem = stemOf(name);
  if (!result) return;
  const rows = [{ cells: [name, 0, 0], faces: result.faces }];
  list.replaceChildren(
    makes(t("Annotated photo"), async () => saveAs(await annotated(overlay), `${stem}-annotated.jpg`)),
    makes(t("Table (CSV)"), () => saveAs(asFile(samplesCsv(["input", "frame", "t"], rows), "text/csv"), `${stem}-results.csv`)),
    makes(t("Everything (JSON)"), () => saveAs(asFile(JSON.stringify(result), "application/json"), `${stem}-results.json`)),
  );
}

/** @param {import("../../live/overlay/overlay.js").Overlay} overlay */
function annotated(overlay) {
  const canvas = document.createElement("canvas");
  overlay.drawPicture(canvas);
  return imageOf(canvas, "image/jpeg");
}

/** @param {string} text @param {() => void} make */
function makes(text, make) {
  const button = create("button", "button", text);
  button.type = "button";
  button.addEventListener("click", () => make());
  return inRow(button);
}

/** @param {HTMLElement} control */
function inRow(control) {
  const row = create("li", "");
  row.append(control);
  return row;
}

/** @param {string} text @param {string} type */
function asFile(text, type) {
  return new Blob([text], { type });
}

/** @param {string} name */
function stemOf(name) {
  return name.replace(/\.[^.]*$/, "") || name;
}
