const ANSWER_TIMEOUT_MS = 8000;

/**
 * Before a module is loaded: browsers keep one that they could not fetch as failed while the page is open.
 * @throws {Error} the server cannot be reached
 */
export async function reachServer() {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  const response = await fetch(import.meta.url, { method: "HEAD", cache: "no-store", signal });
  if (!response.ok) throw new Error(`The server answers ${response.status}.`);
}
