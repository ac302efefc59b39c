// The texts of a page that do not fit: beyond the page, out of a box around them, across what is beside them, or cut off.
([mayBeCut, slack_px]) => {
  const page = document.documentElement;
  const faults = [];

  const isShown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && getComputedStyle(element).clipPath !== "inset(50%)";
  const name = (element) => element.tagName.toLowerCase() + (element.id ? `#${element.id}` : "") + [...element.classList].map((one) => `.${one}`).join("");
  const isOutside = (inner, outer, sides) => sides.some(([side, sign]) => sign * (inner[side] - outer[side]) > slack_px);
  const ACROSS = [["left", -1], ["right", 1]];
  const ALL = [...ACROSS, ["top", -1], ["bottom", 1]];

  // What surrounds a text visibly, or cuts it: a box with an edge or a colour of its own, or one that hides or scrolls.
  const kindOf = (element) => {
    const style = getComputedStyle(element);
    if (style.overflowX === "auto" || style.overflowX === "scroll") return "scrolls";
    if (style.overflowX !== "visible" || style.overflowY !== "visible") return "cuts";
    if (style.display === "inline" || style.display === "contents") return "none";
    return parseFloat(style.borderTopWidth) > 0 || style.backgroundColor !== "rgba(0, 0, 0, 0)" ? "box" : "none";
  };

  const blockOf = (element) => (/^(inline|contents)$/.test(getComputedStyle(element).display) ? blockOf(element.parentElement) : element);

  const check = (text, element) => {
    const range = document.createRange();
    range.selectNodeContents(text);
    const at = range.getBoundingClientRect();
    if (at.width === 0) return;
    const block = blockOf(element);
    const fault = (what) => faults.push(`${what}: “${text.textContent.trim()}” in ${name(element)}`);
    let floats = false; // a menu hangs out of the bar that it belongs to
    for (let around = element; around && around !== document.body; around = around.parentElement) {
      const kind = floats && kindOf(around) === "box" ? "none" : kindOf(around);
      floats ||= /^(absolute|fixed)$/.test(getComputedStyle(around).position);
      if (kind === "scrolls") return;
      if (kind === "cuts" && around.matches(mayBeCut)) return;
      if (kind !== "none" && isOutside(at, around.getBoundingClientRect(), ALL)) return fault(kind === "cuts" ? "cut off" : `out of ${name(around)}`);
    }
    if (isOutside(at, block.getBoundingClientRect(), ACROSS)) return fault(`wider than ${name(block)}`);
    if (isOutside(at, { left: 0, right: page.clientWidth }, ACROSS)) fault("beyond the page");
  };

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || !isShown(element)) continue;
    if (element.closest(".for-readers, svg, option, script, noscript")) continue;
    check(texts.currentNode, element);
  }
  if (page.scrollWidth > page.clientWidth) faults.push(`the page is ${page.scrollWidth} pixels wide, its window ${page.clientWidth}`);
  return faults;
}
