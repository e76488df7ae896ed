// Which rows are selected: the page's, or all that match. Actions are dashed until something is that they fit.

import { isShortcut } from "../live/keys.js";

/** Why a button does nothing to any of the rows in `states`, of which it says itself what it never fits. */
function whyNot(button, states) {
  const never = JSON.parse(button.dataset.never ?? "{}");
  const reasons = states.map((state) => state.split(" ").map((each) => never[each]).find(Boolean));
  return reasons.length > 0 && reasons.every(Boolean) ? [...new Set(reasons)].join("\n") : "";
}

/** `form` is an id, `table` a selector, `name` that of the boxes, `key` the data attribute that names a row. */
export function selection({ form: id, table, name, key }) {
  const form = document.getElementById(id);
  if (!form) {
    return;
  }
  const page = document.getElementById("mon-select-page");
  const all = document.getElementById("mon-select-all");
  const isAll = () => all?.checked ?? false;
  const words = page.nextElementSibling;
  const needing = [...document.querySelectorAll("[data-needs-selection]")];
  const boxes = () => [...document.querySelectorAll(`${table} input[name="${name}"]`)];

  function show() {
    const rows = boxes();
    const chosen = rows.filter((box) => box.checked).length;
    rows.forEach((box) => {
      box.disabled = isAll();
    });
    page.disabled = isAll();
    page.checked = rows.length > 0 && chosen === rows.length;
    page.indeterminate = chosen > 0 && chosen < rows.length;
    words.textContent = chosen ? words.dataset.words.replace("{number}", chosen) : words.dataset.none;
    form.classList.toggle("mon-bulk-some", chosen > 0 || isAll());
    const states = rows.filter((box) => box.checked).map((box) => box.closest("tr").dataset.is ?? "");
    needing.forEach((button) => {
      const reason = isAll() ? "" : whyNot(button, states);
      button.disabled = (!chosen && !isAll()) || reason !== "";
      button.title = reason;
    });
  }

  page.addEventListener("change", () => {
    boxes().forEach((box) => {
      box.checked = page.checked;
    });
    show();
  });
  document.addEventListener("change", (event) => {
    if (event.target === all || event.target.name === name) {
      show();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (!isShortcut(event)) {
      return;
    }
    const row = document.activeElement?.closest(`tr[data-${key}]`);
    if (event.key === "x" && row) {
      row.querySelector(`[name="${name}"]`).click();
    } else if (event.key === "X") {
      page.click();
    }
  });
  // Rows that came, went or became something else while the page is live; a browser that comes back restores boxes
  // after this.
  const body = document.querySelector(`${table} tbody`);
  new MutationObserver(show).observe(body, { childList: true });
  new MutationObserver(show).observe(body, { subtree: true, attributeFilter: ["data-is"] });
  window.addEventListener("pageshow", show);
  document.addEventListener("mon-morphed", show);
  show();
}
