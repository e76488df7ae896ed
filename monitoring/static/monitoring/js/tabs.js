// Tabs that are wider than the window: the one of this page is in sight, also once the switch beside them is there.

const room = new ResizeObserver((boxes) => boxes.forEach(({ target }) => show(target)));
document.querySelectorAll(".mon-tabs").forEach((box) => room.observe(box));

function show(box) {
  const tab = box.querySelector("[aria-current]");
  if (!tab) {
    return;
  }
  const [inner, outer] = [tab.getBoundingClientRect(), box.getBoundingClientRect()];
  if (inner.left < outer.left || inner.right > outer.right) {
    box.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
  }
}
