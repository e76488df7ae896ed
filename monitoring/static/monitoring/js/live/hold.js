// Whether the reader is at a list: then none of its rows may move.

/** A finger has no hover: for so long after a touch the reader is still there. */
const TOUCH_MS = 3000;
const pointer = matchMedia("(hover: hover)");
let touchedAt = -Infinity;
let touched = null;
/** What was pressed since the pointer last moved: then what a list does below the pointer is no wish of the reader's. */
let pressed = null;

document.addEventListener(
  "touchstart",
  (event) => {
    touched = event.target;
    touchedAt = performance.now();
  },
  { passive: true },
);

document.addEventListener("click", (event) => (pressed = event), { capture: true });
document.addEventListener("pointermove", (event) => {
  if (pressed && (event.clientX !== pressed.clientX || event.clientY !== pressed.clientY)) {
    pressed = null;
  }
});

/** `rows` is under the pointer, scrolled past, focused, selected from, ticked in, or has something open in it. */
export function isHeld(rows) {
  return (
    isPointedAt(rows) ||
    rows.getBoundingClientRect().top < 0 ||
    rows.contains(document.activeElement) ||
    isSelectedFrom(rows) ||
    (performance.now() - touchedAt < TOUCH_MS && rows.contains(touched)) ||
    rows.querySelector(".mon-peek, input:checked") !== null
  );
}

/** The pointer is on them, and did not come there because a press elsewhere (Resume, say) moved the page. */
export function isPointedAt(rows) {
  return pointer.matches && rows.matches(":hover") && (pressed === null || rows.contains(pressed.target));
}

export function isSelectedFrom(element) {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && element.contains(selection.anchorNode);
}
