/**
 * How many columns of tiles, and how high a tile: as large as they can be together on the screen, or as small as can
 * still be read, on a page that scrolls. Pure.
 *
 * @typedef {{columns: number, height: number, size: "dense" | "normal" | "large"}} Grid  in CSS pixels
 * @typedef {{width: number, height: number}} Space
 */

export const GAP = 8;

/** Of a tile with numbers, and of one with video. A tile of this size, or a multiple of it, looks best. */
const LOOKS = /** @type {const} */ ({
  numbers: { best: { width: 240, height: 168 }, min: { width: 138, height: 92 } },
  video: { best: { width: 240, height: 236 }, min: { width: 132, height: 99 } },
});

/** Narrower tiles have an icon in place of words where all is well. */
const NARROW_BELOW = 190;

const DENSE_BELOW = 0.92;
const LARGE_FROM = 1.7;

/** No tile is higher than this, of its width: beyond that a video has only black around it. */
const MAX_RATIO = 1.2;

/** @param {number} count @param {Space} space @param {boolean} hasVideo @returns {Grid} */
export function gridOf(count, space, hasVideo) {
  const { best, min } = LOOKS[hasVideo ? "video" : "numbers"];
  const fitting = candidates(count, space).filter(({ width, height }) => width >= min.width && height >= min.height);
  const scaled = fitting.map((tile) => ({ ...tile, scale: Math.min(tile.width / best.width, tile.height / best.height) }));
  const chosen = scaled.sort((one, other) => other.scale - one.scale)[0] ?? scrolling(space, min, best);
  const height = Math.min(chosen.height, MAX_RATIO * chosen.width);
  return { columns: chosen.columns, height: Math.floor(height), size: sizeOf(chosen.scale) };
}

/** The tiles of every number of columns. @param {number} count @param {Space} space */
function candidates(count, space) {
  return Array.from({ length: count }, (_, index) => {
    const [columns, rows] = [index + 1, Math.ceil(count / (index + 1))];
    return { columns, width: share(space.width, columns), height: share(space.height, rows) };
  });
}

/** Where they do not fit: the smallest tiles, in full width. @param {Space} space @param {Space} min @param {Space} best */
function scrolling(space, min, best) {
  const columns = Math.max(1, Math.floor((space.width + GAP) / (min.width + GAP)));
  const width = share(space.width, columns);
  return { columns, width, height: Math.max(min.height, (width * min.height) / min.width), scale: min.width / best.width };
}

/** @param {number} whole @param {number} parts */
function share(whole, parts) {
  return (whole - GAP * (parts - 1)) / parts;
}

/** @param {number} scale @returns {Grid["size"]} */
function sizeOf(scale) {
  if (scale < DENSE_BELOW) return "dense";
  return scale < LARGE_FROM ? "normal" : "large";
}

/** Lays the tiles of a list out, again whenever the space or their number changes. */
export class TileGrid {
  #count = 0;

  /** @param {HTMLElement} root @param {HTMLElement} list @param {HTMLElement} above whose height decides what is left */
  constructor(root, list, above) {
    this.root = root;
    this.list = list;
    this.resizing = new ResizeObserver(() => this.#lay());
    this.resizing.observe(above);
    this.onResize = () => this.#lay();
    addEventListener("resize", this.onResize);
  }

  /** @param {number} count of tiles */
  show(count) {
    if (count === this.#count) return;
    this.#count = count;
    this.#lay();
  }

  stop() {
    this.resizing.disconnect();
    removeEventListener("resize", this.onResize);
  }

  #lay() {
    if (this.#count === 0) return;
    const top = this.list.getBoundingClientRect().top + scrollY;
    const space = { width: this.list.clientWidth, height: innerHeight - top - GAP };
    const { columns, height, size } = gridOf(this.#count, space, this.root.classList.contains("has-video"));
    this.list.style.setProperty("--columns", String(columns));
    this.list.style.setProperty("--tile-height", `${height}px`);
    this.root.classList.toggle("is-narrow", share(space.width, columns) < NARROW_BELOW);
    for (const name of ["dense", "large"]) this.root.classList.toggle(`is-${name}`, size === name);
  }
}
