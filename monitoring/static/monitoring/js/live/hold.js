// Whether the reader is at a list: then none of its rows may move.

/** A finger has no hover: for so long after a touch the reader is still there. */
const TOUCH_MS = 3000;
const pointer = matchMedia("(hover: hover)");
let touchedAt = -Infinity;
let touched = null;

document.addEventListener(
  "touchstart",
  (event) => {
    touched = event.target;
    touchedAt = performance.now();
  },
  { passive: true },
);

/** `rows` is under the pointer, scrolled past, focused, selected from, ticked in, or has something open in it. */
export function isHeld(rows) {
  return (
    (pointer.matches && rows.matches(":hover")) ||
    rows.getBoundingClientRect().top < 0 ||
    rows.contains(document.activeElement) ||
    isSelectedFrom(rows) ||
    (performance.now() - touchedAt < TOUCH_MS && rows.contains(touched)) ||
    rows.querySelector(".mon-peek, input:checked") !== null
  );
}

export function isSelectedFrom(element) {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && element.contains(selection.anchorNode);
}
