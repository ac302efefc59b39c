/**
 * The last 60 seconds of values, no more: a ring that keeps its size for hours. Pure.
 * @template T
 */
export class History {
  /** @type {{at_ms: number, value: T}[]} */
  #items = [];

  /** @param {number} span_ms */
  constructor(span_ms) {
    this.span_ms = span_ms;
  }

  /** @param {T} value @param {number} now_ms */
  add(value, now_ms) {
    this.#items.push({ at_ms: now_ms, value });
    while (this.#items.length > 0 && now_ms - this.#items[0].at_ms > this.span_ms) this.#items.shift();
  }

  /** The values, each with its place in time: 0 is the beginning of the span, 1 is now. @param {number} now_ms */
  places(now_ms) {
    return this.#items.map(({ at_ms, value }) => ({ place: 1 - (now_ms - at_ms) / this.span_ms, value }));
  }

  get length() {
    return this.#items.length;
  }
}
