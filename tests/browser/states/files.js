// The page for files: a row for each state of a file and for each reason why one fails, and the question before deleting.
async ({ check, load }, { failures }) => {
  const { Item } = await load("files/item");
  const { Card } = await load("files/card");
  const list = document.getElementById("file-list");
  const VALUES = { after_s: 1234.5, claimed_s: 4321.5, minutes: 30, width: 12000, height: 8000, most: 5000 };
  const job = { state: "running", progress: 0.25, remaining_s: 200, expires_s: null, error: "", error_code: null, error_values: {}, results: [] };
  const jobs = [
    { state: "queued" }, {}, { state: "done", expires_s: 3600, results: ["results.json"] },
    ...failures.map((error_code) => ({ state: "failed", error: "clip.mp4: it cannot be read.", error_code, error_values: VALUES })),
  ];
  const cards = jobs.map((changes) => {
    const item = new Item("interview with Ada.mp4", null, () => undefined);
    const card = new Card(item, { onOpen: () => undefined, onRemove: () => undefined });
    item.follow({ ...job, ...changes });
    card.update(false);
    list.append(card.row);
    return card;
  });
  document.getElementById("file-list-section").hidden = false;
  for (const detail of document.querySelectorAll(".file-detail")) detail.open = true;
  check("rows");
  for (const card of cards) card.row.remove();

  const remove = [...document.querySelectorAll(".file[data-state='done'] .file-buttons button")].at(-1);
  remove.click();
  check("delete?");
  document.getElementById("confirm").close();
}
