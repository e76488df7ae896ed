// Keys: `/` search, `?` this list, `j` `k` rows, `p` pause, `g` and a letter another page. Ignored while typing.

const GO_MS = 1500;

/** `page` is null where nothing is live. */
export function listenToKeys(page) {
  const dialog = document.getElementById("mon-keys");
  let goUntil = 0;

  document.getElementById("mon-keys-button")?.addEventListener("click", () => dialog.showModal());

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !isComposing(event)) {
      closeMenu();
    }
    if (!isShortcut(event)) {
      return;
    }
    if (performance.now() < goUntil) {
      goUntil = 0;
      const tab = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (tab) {
        event.preventDefault();
        tab.click();
      }
      return;
    }
    const act = {
      "/": focusSearch,
      "?": () => dialog?.showModal(),
      j: () => step(1),
      k: () => step(-1),
      p: () => page?.part?.togglePause?.(),
      g: () => {
        goUntil = performance.now() + GO_MS;
      },
    }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
}

/** Whether a key is meant for the page: not for what is being written, the browser, or a question above the page. */
export function isShortcut(event) {
  const isModified = event.ctrlKey || event.metaKey || event.altKey;
  return !isModified && !isComposing(event) && !isTyping(event.target) && !document.querySelector("dialog[open]");
}

/** Whether a key makes a letter of several, as in Chinese or with accents. Safari tells of the last one by its code. */
export function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}

function isTyping(target) {
  const field = "input:not([type=checkbox]), textarea, select";
  return target.isContentEditable || Boolean(target.closest?.(field));
}

/** The search box of a list, or the first field of a filter that opens. */
function focusSearch() {
  const search = document.querySelector('.mon [aria-keyshortcuts="/"]');
  const menu = search?.closest("details");
  if (menu) {
    menu.open = true;
    menu.querySelector("input:not([type=checkbox])").focus();
  } else {
    search?.focus();
  }
}

function closeMenu() {
  const menu = document.querySelector("details.mon-menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
}

/** To the next or previous row of all lists on the page; from nowhere to the first. */
function step(by) {
  const rows = [...document.querySelectorAll(".mon tbody tr[data-task], .mon tbody tr[data-worker]")];
  const current = rows.indexOf(document.activeElement?.closest("tr[data-task], tr[data-worker]"));
  const next = rows[current < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, current + by))];
  if (next) {
    next.tabIndex = -1;
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }
}
