// One list of a live page: its rows, its bar for new ones, and how many more there are.

import { number } from "./formatting.js";
import { isHeld } from "./hold.js";
import { newBar } from "./new_bar.js";
import { closePeeks } from "./peek.js";
import { RowList } from "./rows.js";
import { words } from "./words.js";

/**
 * `name` is that of the frame's list. `key` names a row (`task`, `worker`). `press` takes the place of arranging the
 * rows when the bar is pressed; `isFixed` says that they never move by themselves. Null where the page has no such list.
 */
export function liveList(name, body, key, { press, isFixed = () => false } = {}) {
  if (!body) {
    return null;
  }
  const panel = body.closest(".mon-panel");
  const bar = panel.querySelector(`[data-new-of="${name}"]`)
    ? newBar(name, press ?? (() => pressed(rows, panel)))
    : () => {};
  const rows = new RowList(body, key, () => isFixed() || isHeld(body), bar);
  return {
    rows,
    receive(list) {
      rows.receive(list);
      showMore(panel.querySelector(`[data-more-of="${name}"]`), list);
    },
  };
}

function pressed(rows, panel) {
  closePeeks(rows.body);
  rows.arrange();
  if (panel.getBoundingClientRect().top < 0) {
    panel.scrollIntoView();
  }
  panel.querySelector(".mon-table-box")?.focus({ preventScroll: true });
}

function showMore(footer, list) {
  if (!footer) {
    return;
  }
  footer.hidden = !list.left_out; // null: not known
  if (footer.hidden) {
    return;
  }
  const text = words(list.total_is_exact ? "more" : "moreAtLeast", { number: number(list.left_out) });
  footer.querySelector("span").textContent = text;
}
