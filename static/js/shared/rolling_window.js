/**
 * The values of the last `span_ms` milliseconds and no others: it keeps its size for hours. Pure: the clock
 * comes in as an argument, and must not run backwards.
 *
 * @template T
 */
export class RollingWindow {
  /** @type {{at_ms: number, value: T}[]} */
  #items = [];

  /** @param {number} span_ms */
  constructor(span_ms) {
    this.span_ms = span_ms;
  }

  /** @param {T} value @param {number} now_ms */
  add(value, now_ms) {
    this.#items.push({ at_ms: now_ms, value });
    this.#prune(now_ms);
  }

  /** The values with their times, oldest first. @param {number} now_ms @returns {readonly {at_ms: number, value: T}[]} */
  items(now_ms) {
    this.#prune(now_ms);
    return this.#items;
  }

  /** The values, oldest first. @param {number} now_ms */
  values(now_ms) {
    return this.items(now_ms).map(({ value }) => value);
  }

  clear() {
    this.#items = [];
  }

  /** @param {number} now_ms */
  #prune(now_ms) {
    while (this.#items.length > 0 && now_ms - this.#items[0].at_ms >= this.span_ms) this.#items.shift();
  }
}
