// A page that shows what an upkeep job found out: fetched and morphed when the job has ended again, unless the page shows a
// time that is over, and not under a reader's hands.

import { Idiomorph } from "../../vendor/idiomorph/idiomorph.esm.js";
import { isPointedAt, isSelectedFrom } from "./hold.js";
import { parsePage } from "./parse.js";
import { liveSwitch } from "./switch.js";

/** Not more often, however often the job runs. */
const AGAIN_MS = 10_000;

export function fetchedPage(page) {
  page.live = liveSwitch(page.settings.page, (live) => page.setLive(live));
  const content = document.getElementById("mon-content");
  // What the page shows was found out then; the job may have ended since, before anything was heard.
  let shown = page.settings.foundAt ?? null;
  let found = shown;
  let busy = false;
  let askedAt = performance.now();

  async function refresh() {
    busy = true;
    askedAt = performance.now();
    try {
      const response = await fetch(address(), { credentials: "same-origin", redirect: "error" });
      const fetched = response.ok ? parsePage(await response.text()) : null;
      const fresh = fetched?.getElementById(content.id);
      if (fresh && !isReading(content) && !movesWhatIsHeld(content, fresh)) {
        Idiomorph.morph(content, fresh.innerHTML, { morphStyle: "innerHTML", callbacks: KEPT });
        document.dispatchEvent(new Event("mon-morphed"));
        shown = fetched.getElementById("mon-live").dataset.foundAt ?? null;
      }
    } catch {
      // The connection says that the server is away; the job's next end brings this page up to date.
    } finally {
      busy = false;
    }
  }

  return {
    togglePause: () => document.getElementById("mon-live-switch")?.click(),
    receive(frame) {
      if (frame.found) {
        found = frame.found.at;
      }
    },
    settle() {
      const isOver = content.querySelector("[data-time-is-over]") !== null;
      const isDue = performance.now() - askedAt > AGAIN_MS;
      if (found !== shown && page.connection.isOpen && !isOver && !busy && isDue && !isReading(content)) {
        refresh();
      }
    },
  };
}

/** The broker is looked into when a reader asks for it, not each time. */
function address() {
  const here = new URL(location.href);
  here.searchParams.delete("peek");
  here.hash = "";
  return here;
}

/** Somebody selects, chooses, has typed what is not sent yet, waits for an answer, or has a menu open. */
function isReading(content) {
  return (
    isSelectedFrom(content) ||
    [...content.querySelectorAll("input[type=search]")].some((input) => input.value !== input.defaultValue) ||
    content.querySelector(
      ":is(input, select):focus, tbody input:checked, details.mon-menu[open], .mon-chart-plot:active, button[data-words]",
    ) !== null
  );
}

/** The pointer or the focus is on rows that would be others, or in another order. */
function movesWhatIsHeld(content, fresh) {
  const bodies = fresh.querySelectorAll("tbody");
  return [...content.querySelectorAll("tbody")].some(
    (body, index) =>
      (isPointedAt(body) || body.contains(document.activeElement)) &&
      rowsOf(body) !== (bodies[index] && rowsOf(bodies[index])),
  );
}

/** What its rows are about: what they say of it, or else how they begin. */
function rowsOf(body) {
  return [...body.rows].map((row) => Object.values(row.dataset).join(" ") || row.cells[0]?.textContent).join("\n");
}

/** What is open is the reader's; what was drawn is the script's; what the reader asked for is as of then. */
const KEPT = {
  beforeNodeMorphed: (node) => !(node instanceof Element && node.matches("[data-plot]:has(*), [data-as-of-then]")),
  beforeAttributeUpdated: (name, element) =>
    !(name === "open" && element.matches("details")) && !(name === "aria-pressed" && element.matches("button")),
};
