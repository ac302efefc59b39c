import { t } from "./translate.js";

/**
 * What the server refused, in the language of the page: it sends a stable code and English.
 *
 * @typedef {{code: string, message: string, text?: string}} Problem
 */

/** By code; of others the server's `text` in the page's language is shown, else the English. @type {Map<string, () => string>} */
const TEXTS = new Map([
  ["forbidden", () => t("The page that sent this is too old, or not ours; load it again.")],
  ["no_such_marker", () => t("This room has no such marker; it may have been deleted.")],
  ["no_such_participant", () => t("This room has no such participant.")],
  ["no_such_room", () => t("This room was deleted.")],
  ["not_here", () => t("The room is moving to another server. Try again in a moment.")],
  ["room_closed", () => t("This room is closed; ask the person who runs it.")],
  ["room_full", () => t("This session is full. Ask the researcher whether you can join later.")],
  ["server_error", () => t("The server failed. If that happens again, tell the person who runs it.")],
  ["store_unavailable", () => t("The database does not work; rooms cannot be used now.")],
  ["too_many_attempts", () => t("Many people are joining from your network. Wait ten seconds, then try again.")],
  ["unauthorized", () => t("This page is not open to you. If you have an account, sign in.")],
]);

/** What to say where the server has no text in the page's language, as in answers over the socket. @type {Map<string, () => string>} */
const GENERAL_TEXTS = new Map([
  ["bad_request", () => t("The server did not accept what this page sent. Load the page again.")],
  ["busy", () => t("The server is busy. Try again in a moment.")],
  ["cannot_resume", () => t("Your earlier participation has ended. You can join only as a new participant.")],
  ["consent_required", () => t("Nobody can join without consent. Load the page again, and read the information first.")],
  ["not_joined", () => t("You are no longer taking part in this session. Load the page again to join.")],
  ["server_lost", () => t("The server cannot be reached.")],
  ["unavailable", () => t("The server is getting ready. Try again in a moment.")],
]);

/** @param {Problem} problem */
export function problemText({ code, message, text }) {
  return TEXTS.get(code)?.() ?? text ?? GENERAL_TEXTS.get(code)?.() ?? message;
}
