/** Requests from a host's page to the API, with the token that shows that they come from our own page. */

import { problemText } from "../shared/problems.js";

/** A server that takes longer counts as away. */
const ANSWER_LIMIT_MS = 30_000;

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
  const response = await fetch(`/api/v1${path}`, {
    method,
    headers,
    body: method === "GET" ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
  });
  const answer = await response.json();
  if (!response.ok) throw new ApiError(problemText({ ...answer.problem, text: answer.text }), response.status);
  return answer;
}
