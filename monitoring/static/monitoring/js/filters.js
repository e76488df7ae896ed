// The filter form: boxes apply at once, the facets open from a button where there is no room, one menu is open at a time.

const form = document.getElementById("mon-filter");
const facets = document.getElementById("mon-facets");
const opener = document.querySelector(".mon-facets-button");

opener?.addEventListener("click", () => {
  const open = facets.classList.toggle("mon-unfolded");
  opener.setAttribute("aria-expanded", String(open));
});

for (const field of form?.elements ?? []) {
  if (field.type === "checkbox" || (field.type === "text" && field.closest(".mon-range"))) {
    field.addEventListener("change", () => form.requestSubmit());
  }
}

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.mon-menu[open]")) {
    if (!menu.contains(event.target)) {
      menu.open = false;
    }
  }
});
