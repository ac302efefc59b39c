/** Requests from a host's page to the API, with the token that shows that they come from our own page. */

export class ApiError extends Error {}

/**
 * @param {"POST" | "DELETE"} method
 * @param {string} path under /api/v1
 * @param {object} [body]
 * @returns {Promise<any>}
 * @throws {ApiError} with the server's message
 */
export async function request(method, path, body = {}) {
  const token = document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  const response = await fetch(`/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new ApiError(answer.problem?.message ?? `The server answered ${response.status}.`);
  return answer;
}
