// <button data-raw="id of a text">: shows the text in the place of its tree, and back.

export function raw() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-raw]");
    if (!button) {
      return;
    }
    const text = document.getElementById(button.dataset.raw);
    const shown = button.getAttribute("aria-pressed") !== "true";
    text.hidden = !shown;
    button.closest(".mon-value").querySelector("[data-tree]").hidden = shown;
    button.setAttribute("aria-pressed", String(shown));
  });
}
