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
 * Call `action` every `interval_ms` until `stop()`.
 * @param {number} interval_ms
 * @param {() => void} action
 */
export function every(interval_ms, action) {
  const timer = setInterval(action, interval_ms);
  return { stop: () => clearInterval(timer) };
}

/** A variable of the style sheet in the current color scheme, such as a colour. @param {Element} near @param {string} variable */
export function styleOf(near, variable) {
  return getComputedStyle(near).getPropertyValue(variable).trim();
}

/**
 * The context of an emptied canvas with as many pixels as the display has under it, to draw in CSS pixels.
 * @param {HTMLCanvasElement} canvas
 * @param {{width: number, height: number}} size in CSS pixels
 */
export function clearedContext(canvas, size) {
  const ratio = devicePixelRatio;
  const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  context?.clearRect(0, 0, size.width, size.height);
  return context;
}
