// The page of one task: fetched and morphed when the task has changed, so that what is open, focused or read stays.

import { Idiomorph } from "../../vendor/idiomorph/idiomorph.esm.js";
import { isSelectedFrom } from "./hold.js";
import { newBar } from "./new_bar.js";
import { parsePage } from "./parse.js";
import { liveSwitch } from "./switch.js";

const AGAIN_MS = 1500;

export function taskPage(page) {
  page.live = liveSwitch("task", (live) => page.setLive(live));
  const content = document.getElementById("mon-content");
  const bar = newBar("task", () => morph(true));
  let shown = null;
  let wanted = null;
  let busy = false;
  let askedAt = -Infinity;

  async function morph(pressed = false) {
    if (isSelectedFrom(content) && !pressed) {
      bar(0, false, 1);
      return;
    }
    busy = true;
    askedAt = performance.now();
    const version = wanted;
    const address = location.href;
    try {
      const response = await fetch(address, { credentials: "same-origin", redirect: "error" });
      const fetched = response.ok ? parsePage(await response.text()).getElementById(content.id) : null;
      // Else a part of the page has been swapped meanwhile, which this would undo.
      if (fetched && location.href === address) {
        Idiomorph.morph(content, fetched.innerHTML, { morphStyle: "innerHTML", callbacks: KEEP_OPEN });
        shown = version;
        bar(0, false);
      }
    } catch {
      // The connection says that the server is away; the next change brings this page up to date.
    } finally {
      busy = false;
    }
  }

  return {
    togglePause: () => document.getElementById("mon-live-switch")?.click(),
    receive(frame) {
      if (frame.task) {
        wanted = frame.task.version;
        if (frame.missed?.complete && frame.missed.changes === 0) {
          shown ??= wanted; // nothing at all has happened since this page was rendered
        }
      }
    },
    settle() {
      if (wanted !== shown && page.connection.isOpen && !busy && performance.now() - askedAt > AGAIN_MS) {
        morph();
      }
    },
  };
}

/** Whether a raw event is unfolded is the reader's, not the server's. */
const KEEP_OPEN = {
  beforeAttributeUpdated: (name, element) => !(name === "open" && element.matches("details")),
};
