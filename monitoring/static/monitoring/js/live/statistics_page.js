// The dashboard and the pages of statistics: fetched and morphed when figures have been counted anew, unless they show a
// time that is over, and not under a reader's hands.

import { Idiomorph } from "../../vendor/idiomorph/idiomorph.esm.js";
import { isSelectedFrom } from "./hold.js";
import { parsePage } from "./parse.js";
import { liveSwitch } from "./switch.js";

/** Not more often, however often figures are counted. */
const AGAIN_MS = 10_000;

export function statisticsPage(page) {
  page.live = liveSwitch("statistics", (live) => page.setLive(live));
  const content = document.getElementById("mon-content");
  // What the page shows was counted then; a count may have ended since, before anything was heard.
  let shown = page.settings.countedAt ?? null;
  let counted = shown;
  let busy = false;
  let askedAt = performance.now();

  async function refresh() {
    busy = true;
    askedAt = performance.now();
    try {
      const response = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
      const fetched = response.ok ? parsePage(await response.text()) : null;
      if (fetched && !isReading(content)) {
        Idiomorph.morph(content, fetched.getElementById(content.id).innerHTML, { morphStyle: "innerHTML", callbacks: KEPT });
        document.dispatchEvent(new Event("mon-morphed"));
        shown = fetched.getElementById("mon-live").dataset.countedAt ?? null;
      }
    } catch {
      // The connection says that the server is away; the next count brings this page up to date.
    } finally {
      busy = false;
    }
  }

  return {
    togglePause: () => document.getElementById("mon-live-switch")?.click(),
    receive(frame) {
      if (frame.statistics) {
        counted = frame.statistics.counted_at;
      }
    },
    settle() {
      const isOver = content.querySelector("[data-time-is-over]") !== null;
      const isDue = performance.now() - askedAt > AGAIN_MS;
      if (counted !== shown && page.connection.isOpen && !isOver && !busy && isDue && !isReading(content)) {
        refresh();
      }
    },
  };
}

/** Somebody selects, chooses, or has a menu open. */
function isReading(content) {
  return (
    isSelectedFrom(content) ||
    content.querySelector(":is(input, select):focus, details.mon-menu[open], .mon-chart-plot:active") !== null
  );
}

/** What is open is the reader's; what was drawn is the script's. */
const KEPT = {
  beforeNodeMorphed: (node) => !(node instanceof Element && node.matches("[data-plot]:has(*)")),
  beforeAttributeUpdated: (name, element) =>
    !(name === "open" && element.matches("details")) && !(name === "aria-pressed" && element.matches("button")),
};
