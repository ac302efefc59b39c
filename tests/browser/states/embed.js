// The frame inside an experiment: every screen, in full.
({ check, screens, show }) => {
  document.getElementById("app").dataset.view = "full";
  for (const name of screens()) {
    show(name);
    check(name);
  }
}
