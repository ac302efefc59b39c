import { RefusedError } from "./api.js";
import { formatNumber, t, tn } from "../shared/translate.js";

/**
 * What went wrong with a file, in the language of the page, with the file's name; and what the server says of it.
 *
 * @typedef {{text: string, detail: string}} FileProblem  detail: the server's own words, in English, or nothing
 * @typedef {Record<string, number>} Values
 */

/** By the server's codes. @type {[string, (name: string, values: Values) => string][]} */
const TEXTS = [
  ["bad_frame", (name) => t("“%(name)s” cannot be read as a photo. Send a JPEG, PNG or WebP image; export other kinds first.", { name })],
  ["unsupported_image", (name) => t("“%(name)s” is an HEIC or AVIF image, which this server does not read. Export it as JPEG, PNG or WebP first.", { name })],
  ["too_large", (name) => t("“%(name)s” is too large for this server. Make it smaller, and try again.", { name })],
  ["empty", (name) => t("“%(name)s” is empty.", { name })],
  ["unreadable", (name) => t("The server cannot read “%(name)s”. Send it again.", { name })],
  ["no_memory", (name) => t("The server does not have enough memory for “%(name)s”. Send a smaller one.", { name })],
  ["no_copy", (name) => t("The annotated copy of “%(name)s” could not be written. The other results are complete.", { name })],
  ["bad_video", (name) => t("“%(name)s” cannot be read as a video. Send a complete MP4, MOV, WebM, MKV, AVI, MPEG or GIF file.", { name })],
  ["damaged_video", (name, { after_s }) => t("“%(name)s” is damaged after %(seconds)s seconds. What was analyzed until then is kept. Send the complete file for the rest.", { name, seconds: formatNumber(after_s, 1) })],
  ["truncated_video", (name, { after_s, claimed_s }) => t("“%(name)s” ends after %(seconds)s of %(all)s seconds: its end is missing. What was analyzed is kept. Send the complete file for the rest.", { name, seconds: formatNumber(after_s, 1), all: formatNumber(claimed_s, 1) })],
  ["long_video", (name, { minutes }) => tn("“%(name)s” is longer than %(count)s minute. The rest was left out: split the video to have all of it analyzed.", "“%(name)s” is longer than %(count)s minutes. The rest was left out: split the video to have all of it analyzed.", minutes, { name })],
  ["large_video", (name, { width, height }) => t("“%(name)s” has %(width)s × %(height)s pixels, too many for this server. Send a smaller video.", { name, width, height })],
  ["bad_zip", (name) => t("“%(name)s” is not a complete ZIP archive. Make it again, and send all of it.", { name })],
  ["misnamed_zip", (name) => t("“%(name)s” is a ZIP archive under another name. Send the photo or video itself, or photos in a ZIP whose name ends in .zip.", { name })],
  ["refused_zip", (name) => t("“%(name)s” has entries that this server does not unpack, such as links. Make a plain ZIP of photos.", { name })],
  ["encrypted_zip", (name) => t("“%(name)s” is encrypted. Make a ZIP without a password.", { name })],
  ["long_zip", (name, { most }) => t("“%(name)s” has too many entries: a ZIP may hold %(count)s photos. Split it.", { name, count: most })],
  ["expanding_zip", (name) => t("“%(name)s” was left out: the ZIP unpacks to far more than photos do. Send the photos themselves.", { name })],
  ["zip_without_images", (name) => t("There are no photos in “%(name)s”.", { name })],
  ["damaged_entry", (name) => t("“%(name)s” is damaged within its ZIP.", { name })],
  ["no_image_analyzed", (name) => t("None of the photos in “%(name)s” could be analyzed.", { name })],
  ["busy", (name) => t("The server is too busy for “%(name)s”. Try again in a minute.", { name })],
  ["unavailable", (name) => t("The server is not ready to analyze “%(name)s”. Try again in a minute.", { name })],
  ["unreachable", (name) => t("The server could not be reached, or it stopped taking “%(name)s”. Check your connection, and try again.", { name })],
  ["too_many_attempts", () => t("Many photos came from your network. Wait a minute, then try again.")],
  ["too_many_jobs", () => t("There are too many files on the server. Delete some of yours, or try again later.")],
  ["no_space", (name) => t("The server has no space left for “%(name)s”. Tell the person who runs it.", { name })],
  ["not_written", (name) => t("The server could not write the results of “%(name)s”. Tell the person who runs it.", { name })],
  ["process_ended", (name) => t("The analysis of “%(name)s” crashed twice. The file may be damaged, or too large: convert it, or send a smaller one.", { name })],
  ["no_progress", (name) => t("The analysis of “%(name)s” made no progress and was ended. The file may be damaged: convert it, or send another one.", { name })],
  ["server_error", (name) => t("The server failed to analyze “%(name)s”. If that happens again, tell the person who runs it.", { name })],
  ["unauthorized", () => t("This server analyzes files only for hosts. Sign in first.")],
  ["forbidden", () => t("The page that sent this is too old, or not ours; load it again.")],
];

/** A fault of the page itself is reported, and must not hold up the other files. @param {string} name @param {unknown} error @returns {FileProblem} */
export function problemOf(name, error) {
  if (error instanceof RefusedError) return said(name, error.code, {}, error.detail);
  reportError(error);
  return said(name, "unknown", {}, "");
}

/** Why a job failed, or one of the files in it. @param {string} name @param {import("./api.js").JobFailure} failure @returns {FileProblem} */
export function failureOf(name, { error, error_code, error_values }) {
  return said(name, error_code ?? "unknown", error_values, error ?? "");
}

/** @param {string} name @param {string} code @param {Values} values @param {string} detail @returns {FileProblem} */
function said(name, code, values, detail) {
  const text = TEXTS.find(([known]) => known === code)?.[1](name, values) ?? t("“%(name)s” could not be analyzed.", { name });
  return { text, detail };
}

const SUFFIXES = /\.(jpe?g|png|webp|mp4|m4v|mov|webm|mkv|avi|mpe?g|ogv|wmv|flv|3gp|gif|ts|mts|m2ts|zip)$/i;

/** Why a file need not be sent at all; null where it may be one of ours. @param {File} file @returns {FileProblem | null} */
export function faultOf({ name, size, type }) {
  if (size === 0) return said(name, "empty", {}, "");
  if (/^(image|video)\//.test(type) || SUFFIXES.test(name)) return null;
  return { text: t("“%(name)s” is neither a photo nor a video, nor a ZIP of photos.", { name }), detail: "" };
}

/** A film is analyzed by a job; of a GIF the server decides what it is. @param {File} file */
export function isPhoto({ name, type }) {
  return type.startsWith("image/") ? type !== "image/gif" : /\.(jpe?g|png|webp)$/i.test(name);
}
