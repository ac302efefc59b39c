/**
 * An element that the page must have.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} with the id "${id}".`);
  return found;
}

/**
 * A new element with a class and a text.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} className
 * @param {string} [text]
 */
export function create(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** Write a text only where it changed, so that nothing is redrawn or read out twice. @param {Element} target @param {string} text */
export function write(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * Call `beat` again and again until `stop()`.
 * @param {number} interval_ms
 * @param {() => void} beat
 */
export function every(interval_ms, beat) {
  const timer = setInterval(beat, interval_ms);
  return { stop: () => clearInterval(timer) };
}
