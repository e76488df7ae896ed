// The dashboard and the pages of statistics: their charts, menus, and a filter that applies at once. What keeps them
// live is in live/fetched_page.js.

import { charts } from "./charts/chart.js";
import "./filters.js";

const FIELDS = ["name", "queue", "worker"];

function filterAtOnce() {
  const form = document.getElementById("mon-statistics-filter");
  form?.addEventListener("change", (event) => {
    // Statistics of a worker are not combined with the others.
    for (const field of FIELDS) {
      if (event.target.value && (field === "worker") !== (event.target.name === "worker") && form.elements[field]) {
        form.elements[field].value = "";
      }
    }
    apply(form);
  });
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    apply(form);
  });
}

/** Without the fields that are empty, so that the address says only what is chosen. */
function apply(form) {
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  location.assign(`${location.pathname}?${query}`);
}

charts();
filterAtOnce();
document.addEventListener("mon-morphed", () => {
  charts();
});
