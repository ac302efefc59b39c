// The form for a new room, unfolded.
({ check }) => {
  for (const fold of document.querySelectorAll(".form-fold")) fold.open = true;
  check("unfolded");
}
