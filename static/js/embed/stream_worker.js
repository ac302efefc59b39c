/**
 * The worker of `stream_capture.js`: takes the newest frame of a camera whenever one is due, and encodes it as JPEG.
 * It needs no page that is drawn, so the frame around it may be hidden.
 *
 * @typedef {import("../live/rate.js").Step} Step
 * @typedef {{readable?: ReadableStream<VideoFrame>, step?: Step, credits?: number}} Order
 *   `credits`: how many more frames may be on their way
 * @typedef {{captured_ms: number, image: ArrayBuffer}} Encoded  `captured_ms` since 1970; no bytes where the browser could not encode it
 */

const canvas = new OffscreenCanvas(1, 1);

/** A worker's own scope, as far as it is used here, is like its Worker seen from outside. */
const scope = /** @type {Worker} */ (/** @type {unknown} */ (self));

const state = { step: /** @type {Step} */ ({ side: 640, quality: 0.8, interval_ms: 66 }), credits: 0, due_ms: 0 };

/** @param {MessageEvent<Order>} event */
scope.onmessage = ({ data: { readable, step = state.step, credits = 0 } }) => {
  state.step = step;
  state.credits += credits;
  if (readable) void takeFrames(readable);
};

/** @param {ReadableStream<VideoFrame>} readable */
async function takeFrames(readable) {
  const reader = readable.getReader();
  for (;;) {
    const { done, value: frame } = await reader.read();
    if (done) return;
    const now_ms = performance.now();
    if (isDue(now_ms)) await encode(frame, performance.timeOrigin + now_ms);
    else frame.close();
  }
}

/** Frames come a little early or late: when the next is due goes by the schedule, not by this one. @param {number} now_ms */
function isDue(now_ms) {
  const { interval_ms } = state.step;
  if (state.credits <= 0 || now_ms < state.due_ms) return false;
  state.due_ms = Math.max(state.due_ms + interval_ms, now_ms + interval_ms / 2);
  state.credits -= 1;
  return true;
}

/** @param {VideoFrame} frame @param {number} captured_ms */
async function encode(frame, captured_ms) {
  const { side, quality } = state.step;
  const scale = Math.min(1, side / Math.max(frame.displayWidth, frame.displayHeight));
  const [width, height] = [Math.round(scale * frame.displayWidth), Math.round(scale * frame.displayHeight)];
  Object.assign(canvas, { width, height });
  canvas.getContext("2d", { alpha: false })?.drawImage(frame, 0, 0, width, height);
  frame.close();
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality }).catch(() => null);
  const image = blob ? await blob.arrayBuffer() : new ArrayBuffer(0);
  scope.postMessage(/** @type {Encoded} */ ({ captured_ms, image }), [image]);
}
