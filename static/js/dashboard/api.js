/** Requests from a host's page to the API, with the token that shows that they come from our own page. */

import { problemText } from "../shared/problems.js";
import { t } from "../shared/translate.js";

/** A server that takes longer counts as away. */
const ANSWER_LIMIT_MS = 30_000;

/** The pauses before a request is sent again that reached a server which does not serve the room (now). */
const MOVE_PAUSES_MS = [0, 200, 500, 1000, 2000, 4000];

/** The server's refusal, with its HTTP status. */
export class ApiError extends Error {
  /** @param {string} message @param {number} status */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {"GET" | "POST" | "PATCH" | "DELETE"} method
 * @param {string} path under /api/v1
 * @param {object} [body]
 * @returns {Promise<any>}
 * @throws {ApiError} with the server's reason, in the language of the page
 */
export async function request(method, path, body = {}) {
  const token = document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  const send = () => fetch(`/api/v1${path}`, {
    method,
    headers,
    body: method === "GET" ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
  });
  const { ok, status, answer } = await answerOf(send);
  if (!ok) throw new ApiError(textFor({ ...answer.problem, text: answer.text }), status);
  return answer;
}

/** What a host is told, who closed the room, and not participants. @param {import("../shared/problems.js").Problem} problem */
function textFor(problem) {
  return problem.code === "room_closed" ? t("This room is closed. You can still export it, or copy it to a new room.") : problemText(problem);
}

/** The answer of the server that serves the room: one that does not has done nothing. @param {() => Promise<Response>} send */
async function answerOf(send) {
  for (let tries = 0; ; tries += 1) {
    const response = await send();
    const answer = await response.json();
    const { ok, status } = response;
    if (tries >= MOVE_PAUSES_MS.length || answer.problem?.code !== "not_here") return { ok, status, answer };
    await new Promise((resolve) => setTimeout(resolve, MOVE_PAUSES_MS[tries]));
  }
}
