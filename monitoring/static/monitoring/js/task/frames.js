// <button data-frames>: unfolds every frame of its panel, and folds them again. Its own words change with it.

export function frames() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-frames]");
    if (!button) {
      return;
    }
    const open = button.getAttribute("aria-expanded") !== "true";
    for (const details of button.closest("section").querySelectorAll("details.mon-frame, details.mon-caused")) {
      details.open = open;
    }
    button.setAttribute("aria-expanded", String(open));
    [button.textContent, button.dataset.fold] = [button.dataset.fold, button.textContent];
  });
}
