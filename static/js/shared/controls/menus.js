/** Menus made of `<details class="more">`: Escape, a click elsewhere, or another menu closes the open one. */
export function closeMenus() {
  for (const menu of openMenus()) menu.open = false;
}

/** Close menus by Escape and by clicks elsewhere until `stop()`. */
export function watchMenus() {
  const listening = new AbortController();
  const { signal } = listening;
  document.addEventListener("click", ({ target }) => closeOthers(target), { signal });
  document.addEventListener("keydown", ({ key }) => key === "Escape" && closeByKey(), { signal });
  return { stop: () => listening.abort() };
}

/** @param {EventTarget | null} clicked */
function closeOthers(clicked) {
  for (const menu of openMenus()) if (!(clicked instanceof Node && menu.contains(clicked))) menu.open = false;
}

/** Close the open menu; the focus goes back to its button if it was inside. */
function closeByKey() {
  for (const menu of openMenus()) {
    const focused = menu.contains(document.activeElement);
    menu.open = false;
    if (focused) menu.querySelector("summary")?.focus();
  }
}

/** @returns {NodeListOf<HTMLDetailsElement>} */
function openMenus() {
  return document.querySelectorAll("details.more[open]");
}
