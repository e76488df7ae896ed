// The menu of columns: Alt and an arrow, or its two buttons, move one; without this script a button sends the form.

export function columns() {
  const list = document.querySelector(".mon-columns");
  list?.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-move]");
    if (button) {
      event.preventDefault();
      move(button.closest("li"), button.dataset.move);
      button.focus();
    }
  });
  list?.addEventListener("keydown", (event) => {
    const way = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    if (event.altKey && way) {
      event.preventDefault();
      const focused = document.activeElement;
      move(focused.closest("li"), way);
      focused.focus();
    }
  });
}

function move(row, way) {
  if (way === "up") {
    row.previousElementSibling?.before(row);
  } else {
    row.nextElementSibling?.after(row);
  }
}
