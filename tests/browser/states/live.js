// The live page: every screen, and every notice over the live view.
({ check, screens, show }) => {
  for (const name of screens()) {
    show(name);
    check(name);
  }
  show("live");
  for (const notice of document.querySelectorAll("[data-notice]")) {
    notice.hidden = false;
    check(`notice ${notice.dataset.notice}`);
    notice.hidden = true;
  }
}
