// The account page: the dialogs that ask before a key and before a host is deleted.
({ check }) => {
  for (const kind of ["key", "host"]) {
    const dialog = document.querySelector(`dialog[id^='delete-${kind}']`);
    dialog.showModal();
    check(dialog.id);
    dialog.close();
  }
}
