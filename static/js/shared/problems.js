import { t } from "./translate.js";

/**
 * What the server refused, in the language of the page: it sends a stable code and English.
 *
 * @typedef {{code: string, message: string}} Problem
 */

/** By code; of others the English is shown. @type {Map<string, () => string>} */
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

/** @param {Problem} problem */
export function problemText({ code, message }) {
  return TEXTS.get(code)?.() ?? message;
}
