// The monitor's filter without a reload: the address changes, the server renders the page for it, its rows move in.

import { announce } from "./announce.js";
import { parsePage } from "./parse.js";

const TYPING_MS = 400;

/** `lists` by name, as monitor_page.js has them. */
export function monitorFilter(page, lists) {
  const form = document.getElementById("mon-filter");
  let newest = 0;
  let typing = null;

  async function show(query) {
    const address = query ? `?${query}` : location.pathname;
    history.replaceState(history.state, "", address);
    page.filter(query);
    newest += 1;
    const mine = newest;
    let fetched;
    try {
      const response = await fetch(address, { credentials: "same-origin" });
      fetched = response.ok && !response.redirected ? parsePage(await response.text()) : null;
    } catch {
      fetched = null;
    }
    if (mine !== newest) {
      return; // a later choice is on its way
    }
    if (!fetched?.getElementById("mon-running")) {
      location.assign(address);
      return;
    }
    take(fetched);
    // A frame may have come while this page was on its way: what it brought is not sent again by itself.
    page.refresh();
  }

  function take(fetched) {
    for (const name of ["running", "finished", "workers"]) {
      const id = `mon-${name}`;
      lists[name].rows.replace(fetched.getElementById(id).children);
      const more = `[data-more-of="${name}"]`;
      document.querySelector(more).replaceWith(fetched.querySelector(more));
    }
    document.getElementById("mon-chips").replaceChildren(...fetched.getElementById("mon-chips").children);
    const notes = fetched.querySelectorAll(".mon-none");
    document.querySelectorAll(".mon-none").forEach((note, index) => note.replaceWith(notes[index]));
    const running = fetched.querySelector('[data-counter="running"]').textContent;
    document.querySelector('[data-counter="running"]').textContent = running;
    announce(document.querySelector("#mon-running-title").closest("header").innerText);
  }

  /** The form after the address, when that came from a link. */
  function fill(query) {
    for (const field of form.elements) {
      if (field.type === "checkbox") {
        field.checked = query.getAll(field.name).includes(field.value);
      } else if (field.name) {
        field.value = query.get(field.name) ?? "";
      }
    }
  }

  function chosen() {
    const query = new URLSearchParams(new FormData(form));
    for (const [name, value] of [...query]) {
      if (!value) {
        query.delete(name);
      }
    }
    return query.toString();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typing);
    show(chosen());
  });
  form.addEventListener("change", () => {
    clearTimeout(typing);
    show(chosen());
  });
  form.addEventListener("input", (event) => {
    if (event.target.type !== "checkbox") {
      clearTimeout(typing);
      typing = setTimeout(() => show(chosen()), TYPING_MS);
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-filter-link], .mon-live-worker a");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      const query = new URL(link.href).searchParams;
      fill(query);
      show(query.toString());
    }
    const menu = document.getElementById("mon-filter-menu");
    if (menu.open && !menu.contains(event.target)) {
      menu.open = false;
    }
  });
}
