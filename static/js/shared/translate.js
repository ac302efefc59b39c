/**
 * Texts and numbers in the language of the page. The English text is the id of a message, so English needs nothing
 * more; for other languages the page loads a module with the texts that scripts show, before its own.
 *
 * `make translations` collects the literals of `t` and `tn`: pass them nothing else.
 *
 * @typedef {Record<string, string | number>} Values  for the placeholders, such as %(count)s
 */

/** The tag of the page's language, such as "de" or "zh-Hans". */
export const LANGUAGE = globalThis.document?.documentElement.lang || "en";

/** Latin digits in every language, as the server writes them and as codes and times have them. */
const DIGITS = /** @type {const} */ ({ numberingSystem: "latn" });

const PLACEHOLDER = /%%|%\((\w+)\)s/g;

const catalogue = {
  /** @type {Map<string, string | string[]>} */
  texts: new Map(),
  /** Which form of a text a number takes. @param {number} count */
  plural: (count) => Number(count !== 1),
};

const SECONDS = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const MILLISECONDS = /** @type {const} */ ({ fractionalSecondDigits: 3 });
const DAY = /** @type {const} */ ({ month: "short", day: "numeric" });

/** @type {Map<number, Intl.NumberFormat>} */
const formats = new Map();
/** @type {Map<string, Intl.DateTimeFormat>} */
const timeFormats = new Map();
const percentFormat = new Intl.NumberFormat(LANGUAGE, { style: "percent", ...DIGITS });

/**
 * Take the texts of a language: the server's module of texts calls this.
 * @param {Record<string, string | string[]>} texts by their English; with plurals, one for each form
 * @param {(count: number) => number} plural which form a number takes
 */
export function addTexts(texts, plural) {
  catalogue.texts = new Map(Object.entries(texts));
  catalogue.plural = plural;
}

/** A text in the page's language. @param {string} message in English @param {Values} [values] */
export function t(message, values = {}) {
  const text = catalogue.texts.get(message) ?? message;
  return fill(Array.isArray(text) ? text[0] : text, values);
}

/**
 * A text that depends on a number, which is the placeholder %(count)s in it.
 * @param {string} one in English, for 1
 * @param {string} many in English, for other numbers
 * @param {number} count
 * @param {Values} [values]
 */
export function tn(one, many, count, values = {}) {
  const texts = catalogue.texts.get(one);
  const english = count === 1 ? one : many;
  const text = Array.isArray(texts) ? texts[catalogue.plural(count)] : texts;
  return fill(text ?? english, { count, ...values });
}

/** A number with separators, such as 1,234.5. @param {number} value @param {number} [digits] after the point */
export function formatNumber(value, digits = 0) {
  let format = formats.get(digits);
  if (!format) {
    format = new Intl.NumberFormat(LANGUAGE, { minimumFractionDigits: digits, maximumFractionDigits: digits, ...DIGITS });
    formats.set(digits, format);
  }
  return format.format(value);
}

/** A share in whole percent. @param {number} share 0 to 1 */
export function formatPercent(share) {
  return percentFormat.format(Math.round(100 * share) / 100);
}

/** A time from the start of a video, such as 1:02.35 or 1:00:02. @param {number} seconds @param {number} [digits] after the point */
export function clockTime(seconds, digits = 0) {
  const unit = 10 ** digits;
  const rounded = Math.round(seconds * unit);
  const minutes = Math.floor(rounded / (60 * unit));
  const rest = ((rounded - 60 * unit * minutes) / unit).toFixed(digits).padStart(digits ? 3 + digits : 2, "0");
  const hours = Math.floor(minutes / 60);
  return hours > 0 ? `${hours}:${String(minutes % 60).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** The time of a day to the minute. @param {Date} date */
export function formatClock(date) {
  return new Intl.DateTimeFormat(LANGUAGE, { timeStyle: "short", ...DIGITS }).format(date);
}

/** The time of a day to the second, or to the millisecond. @param {Date} date @param {{milliseconds?: boolean, withDay?: boolean}} [more] */
export function formatTime(date, { milliseconds = false, withDay = false } = {}) {
  return timeFormat(milliseconds, withDay).format(date);
}

/** A date with its time to the second. @param {Date} date */
export function formatDate(date) {
  return new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "long", timeStyle: "medium", ...DIGITS }).format(date);
}

/** Kept, as making one takes longer than a row of a list. @param {boolean} milliseconds @param {boolean} withDay */
function timeFormat(milliseconds, withDay) {
  const name = `${milliseconds} ${withDay}`;
  let format = timeFormats.get(name);
  if (!format) {
    format = new Intl.DateTimeFormat(LANGUAGE, { ...SECONDS, ...(milliseconds ? MILLISECONDS : {}), ...(withDay ? DAY : {}), ...DIGITS });
    timeFormats.set(name, format);
  }
  return format;
}

/** @param {string} text @param {Values} values */
function fill(text, values) {
  if (!text.includes("%")) return text;
  return text.replace(PLACEHOLDER, (found, name) => (found === "%%" ? "%" : shown(values[name] ?? found)));
}

/** @param {string | number} value */
function shown(value) {
  return Number.isInteger(value) ? formatNumber(Number(value)) : String(value);
}
