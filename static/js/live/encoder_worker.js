/**
 * The worker of `encoder.js`: a bitmap in, scaled and as JPEG out.
 *
 * @typedef {{id: number, bitmap: ImageBitmap, width: number, height: number, quality: number}} ToEncode
 * @typedef {{id: number, blob: Blob | null}} Encoded  null where the browser could not
 */

const canvas = new OffscreenCanvas(1, 1);

/** A worker's own scope, as far as it is used here, is like its Worker seen from outside. */
const scope = /** @type {Worker} */ (/** @type {unknown} */ (self));

/** @param {MessageEvent<ToEncode>} event */
scope.onmessage = async ({ data: { id, bitmap, width, height, quality } }) => {
  Object.assign(canvas, { width, height });
  canvas.getContext("2d", { alpha: false })?.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality }).catch(() => null);
  scope.postMessage({ id, blob });
};
