import { RefusedError } from "./api.js";
import { t } from "../shared/translate.js";

/**
 * What went wrong with a file, in the language of the page, with the file's name.
 */

/** By the server's codes. @type {[string, (name: string) => string][]} */
const TEXTS = [
  ["bad_frame", (name) => t("“%(name)s” cannot be read as a photo. Send a JPEG, PNG or WebP image; export other kinds first.", { name })],
  ["too_large", (name) => t("“%(name)s” is too large for this server. Make it smaller, and try again.", { name })],
  ["busy", (name) => t("The server is too busy for “%(name)s”. Try again in a minute.", { name })],
  ["unavailable", (name) => t("The server is not ready to analyze “%(name)s”. Try again in a minute.", { name })],
  ["unreachable", (name) => t("The server could not be reached, or it stopped taking “%(name)s”. Check your connection, and try again.", { name })],
  ["too_many_attempts", () => t("Many photos came from your network. Wait a minute, then try again.")],
  ["too_many_jobs", () => t("There are too many files on the server. Delete some of yours, or try again later.")],
  ["no_space", (name) => t("The server has no space left for “%(name)s”. Tell the person who runs it.", { name })],
  ["unauthorized", () => t("This server analyzes files only for hosts. Sign in first.")],
  ["forbidden", () => t("The page that sent this is too old, or not ours; load it again.")],
];

/** A fault of the page itself is reported, and must not hold up the other files. @param {string} name @param {unknown} error */
export function textOf(name, error) {
  if (!(error instanceof RefusedError)) {
    reportError(error);
    return serverText(name, null);
  }
  return TEXTS.find(([code]) => code === error.code)?.[1](name) ?? serverText(name, error.message);
}

/** What the server says in English, where it names the file itself or not. @param {string} name @param {string | null | undefined} message */
export function serverText(name, message) {
  if (message?.includes(name)) return message;
  return message ? `${name}: ${message}` : t("“%(name)s” could not be analyzed.", { name });
}

const SUFFIXES = /\.(jpe?g|png|webp|mp4|m4v|mov|webm|mkv|avi|mpe?g|ogv|wmv|flv|3gp|gif|ts|mts|m2ts|zip)$/i;

/** Why a file need not be sent at all; null where it may be one of ours. @param {File} file */
export function faultOf({ name, size, type }) {
  if (size === 0) return t("“%(name)s” is empty.", { name });
  if (!/^(image|video)\//.test(type) && !SUFFIXES.test(name)) return t("“%(name)s” is neither a photo nor a video, nor a ZIP of photos.", { name });
  return null;
}

/** A film is analyzed by a job; of a GIF the server decides what it is. @param {File} file */
export function isPhoto({ name, type }) {
  return type.startsWith("image/") ? type !== "image/gif" : /\.(jpe?g|png|webp)$/i.test(name);
}
