/** Opens the dialogs that a page has ready: a link with `data-dialog` leads to a page that asks the same. */
export function watchDialogLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("[data-dialog]") : null;
    const dialog = link instanceof HTMLElement && document.getElementById(link.dataset.dialog ?? "");
    if (!(dialog instanceof HTMLDialogElement)) return;
    event.preventDefault();
    dialog.showModal();
  });
}
