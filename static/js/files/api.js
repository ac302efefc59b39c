/**
 * Requests to the API for files, with the token that shows that they come from our own page.
 *
 * @typedef {import("../shared/protocol.js").Result} Result
 * @typedef {object} Job
 * @property {string} id
 * @property {string} name    of the file, as it was sent
 * @property {"image" | "images" | "video"} kind  `images` is a ZIP of them
 * @property {"queued" | "running" | "done" | "failed" | "cancelled"} state
 * @property {number} progress  0 to 1
 * @property {number | null} remaining_s
 * @property {number | null} expires_s  until the server deletes it; null while it is not finished
 * @property {string | null} error      why it failed, in English
 * @property {string | null} error_code
 * @property {Record<string, number>} error_values  the numbers that belong to it
 * @property {(JobFailure & {input: string})[]} failures  what failed although the job did not
 * @property {string[]} results         the names of the files that can be fetched
 *
 * @typedef {Pick<Job, "error" | "error_code" | "error_values">} JobFailure
 *
 * @typedef {object} Upload
 * @property {string} path    under /api/v1
 * @property {string} field   of the form
 * @property {File} file
 * @property {Record<string, string>} [values]  other fields of the form
 * @property {(fraction: number) => void} onProgress  how much was sent
 * @property {AbortSignal} signal
 */

export const ANSWER_TIMEOUT_MS = 30_000;

/** The server's refusal: its stable code, its text in English (nothing where it has said nothing), and its status. */
export class RefusedError extends Error {
  /** @param {string} code @param {string} detail @param {number} status */
  constructor(code, detail, status) {
    super(detail || code);
    this.code = code;
    this.detail = detail;
    this.status = status;
  }
}

/**
 * Send a file. `fetch` would not tell how much has gone.
 * @param {Upload} upload @returns {Promise<any>} the answer
 * @throws {RefusedError | DOMException} an AbortError where `signal` stopped it
 */
export function send({ path, field, file, values = {}, onProgress, signal }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) form.append(name, value);
  form.append(field, file);
  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0));
  request.open("POST", `/api/v1${path}`);
  request.setRequestHeader("X-CSRFToken", token());
  return new Promise((resolve, reject) => {
    const abort = () => request.abort();
    signal.addEventListener("abort", abort, { once: true });
    request.addEventListener("loadend", () => signal.removeEventListener("abort", abort));
    request.addEventListener("load", () => resolve({ status: request.status, text: request.responseText }));
    request.addEventListener("error", () => reject(unreachable()));
    request.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    request.send(form);
  }).then(({ status, text }) => answerOf(status, text));
}

/** The jobs of this browser's session or host, newest first. @returns {Promise<Job[]>} */
export async function listJobs() {
  const { jobs } = await answerTo("/jobs", "GET");
  return jobs;
}

/** Cancel a job, and delete all that belongs to it. @param {string} id */
export async function removeJob(id) {
  await answerTo(`/jobs/${id}`, "DELETE");
}

/** The address of something that belongs to a job. @param {string} id @param {string} name */
export function fileOf(id, name) {
  return `/api/v1/jobs/${id}/${name}`;
}

/** @param {string} path @param {"GET" | "DELETE"} method @throws {RefusedError} */
async function answerTo(path, method) {
  const response = await ask(`/api/v1${path}`, { method, headers: method === "GET" ? {} : { "X-CSRFToken": token() } });
  return answerOf(response.status, await response.text());
}

/** @param {string} url @param {RequestInit} [options] @throws {RefusedError} the server does not answer */
export async function ask(url, options = {}) {
  try {
    return await fetch(url, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS), ...options });
  } catch {
    throw unreachable();
  }
}

export function unreachable() {
  return new RefusedError("unreachable", "", 0);
}

/** What is no JSON is no answer of ours, whatever its status. @param {number} status @param {string} text @throws {RefusedError} */
export function answerOf(status, text) {
  const answer = parsed(text);
  if (answer && status >= 200 && status < 300) return answer;
  const { code = `http_${status}`, message = "" } = answer?.problem ?? {};
  throw new RefusedError(answer?.reason ?? code, message, status); // a reason says more than "bad_request"
}

/** What is no JSON, as of a proxy before the server, is nothing. @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text || "null");
  } catch {
    return null;
  }
}

function token() {
  return document.querySelector('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
}
