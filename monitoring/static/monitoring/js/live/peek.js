// Opens a task below its row: the server renders it, and this asks again while the task goes on.

import { Idiomorph } from "../../vendor/idiomorph/idiomorph.esm.js";
import { words } from "./words.js";

const AGAIN_MS = 2000;

/** Rows of `bodies` open by a click beside their links, by their button, and by Enter. */
export function openInPlace(bodies) {
  let asked = 0;

  function toggle(row) {
    if (opened(row)) {
      close(row);
    } else {
      closePeeks(document);
      open(row);
    }
  }

  for (const body of bodies) {
    body.addEventListener("click", (event) => {
      const row = event.target.closest("tr[data-task]");
      const other = event.target.closest("a, button:not(.mon-open)");
      if (row && !other && getSelection().isCollapsed) {
        toggle(row);
      }
    });
    body.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.matches("tr[data-task]")) {
        toggle(event.target);
      } else if (event.key === "Escape") {
        const row = event.target.closest(".mon-peek")?.previousElementSibling ?? event.target.closest("tr[data-task]");
        if (row && opened(row)) {
          close(row);
          row.focus();
        }
      }
    });
  }

  return {
    /** A frame has come: what is open may have changed. */
    refresh() {
      const peek = document.querySelector(".mon-peek");
      if (peek && performance.now() - asked > AGAIN_MS && !peek.dataset.over) {
        asked = performance.now();
        fill(peek);
      }
    },
  };
}

/** Close whatever is open below `root`. */
export function closePeeks(root) {
  root.querySelectorAll(".mon-peek").forEach((peek) => close(peek.previousElementSibling));
}

function opened(row) {
  return row.nextElementSibling?.matches(".mon-peek") ?? false;
}

function close(row) {
  if (row && opened(row)) {
    row.nextElementSibling.remove();
    row.querySelector(".mon-open")?.setAttribute("aria-expanded", "false");
  }
}

function open(row) {
  const peek = document.createElement("tr");
  peek.className = "mon-peek";
  peek.dataset.of = row.dataset.task;
  const cell = peek.insertCell();
  cell.colSpan = row.cells.length;
  cell.append(document.createElement("div"));
  cell.firstElementChild.className = "mon-peek-box";
  row.after(peek);
  row.querySelector(".mon-open")?.setAttribute("aria-expanded", "true");
  fill(peek);
}

/** A row of a task that runs is no longer sent when it has ended: it takes its state and run time from what is open. */
function tellEnd(row, box) {
  const elapsed = row?.querySelector(".mon-cell-elapsed");
  const [badge, time] = box.querySelector(".mon-peek-state")?.children ?? [];
  if (elapsed && badge && !time?.querySelector(".mon-elapsed")) {
    row.querySelector(".mon-cell-state").replaceChildren(badge.cloneNode(true));
    elapsed.textContent = time?.textContent ?? "–";
  }
}

async function fill(peek) {
  const box = peek.querySelector(".mon-peek-box");
  let html = null;
  try {
    // Not a redirect to the login page, which is no part of this one.
    const response = await fetch(`peek/?task=${encodeURIComponent(peek.dataset.of)}`, {
      credentials: "same-origin",
      redirect: "error",
    });
    if (response.ok || response.status === 404) {
      html = await response.text();
    }
    if (response.status === 404) {
      peek.dataset.over = "true";
    }
  } catch {
    html = null;
  }
  if (html !== null) {
    Idiomorph.morph(box, html, { morphStyle: "innerHTML" });
    tellEnd(peek.previousElementSibling, box);
  } else if (!box.textContent.trim()) {
    box.textContent = words("notThere");
  }
}
