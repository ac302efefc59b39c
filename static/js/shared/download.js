/** By then the browser has begun to read the file, even where it asks people first where to put it. */
const MAX_START_MS = 60_000;

const JPEG_QUALITY = 0.92;

/**
 * Let the browser save what the page made as a file; nothing is sent.
 * @param {Blob} blob @param {string} name of the file
 */
export function saveAs(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), MAX_START_MS);
}

/** @param {HTMLCanvasElement} canvas @param {"image/png" | "image/jpeg"} [type] @returns {Promise<Blob>} */
export function imageOf(canvas, type = "image/png") {
  return new Promise((resolve, reject) => {
    const finish = (/** @type {Blob | null} */ blob) => (blob ? resolve(blob) : reject(new Error("The image is too large for this browser.")));
    canvas.toBlob(finish, type, JPEG_QUALITY);
  });
}

/** A time as part of a file's name, by this computer's clock: 2026-05-04-15-06-07. @param {Date} time */
export function timeInName(time) {
  const parts = [time.getFullYear(), time.getMonth() + 1, time.getDate(), time.getHours(), time.getMinutes(), time.getSeconds()];
  return parts.map((part) => String(part).padStart(2, "0")).join("-");
}
