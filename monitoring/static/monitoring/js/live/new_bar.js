// "12 new, shown when you press here": over the head of a list, so that it pushes nothing.

import { number } from "./formatting.js";
import { words } from "./words.js";

/** Makes the bar of the list named `of`; `press` is called when it is. Answers what RowList tells how much waits. */
export function newBar(of, press) {
  const button = document.querySelector(`[data-new-of="${of}"]`);
  button.addEventListener("click", press);
  return (fresh, all, gone = 0) => {
    const text = all
      ? words("freshAll", { number: number(fresh) })
      : fresh
        ? words("fresh", { number: number(fresh) })
        : words("ended", { number: number(gone) });
    button.hidden = !fresh && !gone;
    if (button.textContent !== text) {
      button.textContent = text;
    }
  };
}
