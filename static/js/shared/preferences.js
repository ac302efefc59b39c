/** Choices that this browser keeps for the next visit; where it offers pages no storage they last as long as the page. */

const PREFIX = "mien:";

/** What was kept under a name; null where there is nothing. @param {string} name */
export function kept(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string} value */
export function keep(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}
