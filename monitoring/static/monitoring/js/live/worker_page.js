// The page of one worker: its head comes with each frame; the rest is fetched and morphed every few seconds, after the
// worker has been asked anew what its tab shows.

import { Idiomorph } from "../../vendor/idiomorph/idiomorph.esm.js";
import { isSelectedFrom } from "./hold.js";
import { newBar } from "./new_bar.js";
import { parsePage } from "./parse.js";
import { liveSwitch } from "./switch.js";

/** The worker is asked again at most so often. */
const AGAIN_MS = 5000;
const PARTS = ["mon-worker-words", "mon-worker-facts"];

export function workerPage(page) {
  page.live = liveSwitch("worker", (live) => page.setLive(live));
  const content = document.getElementById("mon-content");
  const bar = newBar("worker", () => refresh(true));
  let busy = false;
  // An old answer is not looked at for long: the worker is asked as soon as the page is connected.
  let askedAt = content.querySelector(".mon-worker-age[data-old]") ? -Infinity : performance.now();
  let connected = false;

  async function refresh(pressed = false) {
    if (isReading(content) && !pressed) {
      bar(0, false, 1);
      return;
    }
    busy = true;
    askedAt = performance.now();
    try {
      await askWorker();
      const response = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
      const fetched = response.ok ? parsePage(await response.text()).getElementById(content.id) : null;
      if (fetched && (pressed || !isReading(content))) {
        Idiomorph.morph(content, fetched.innerHTML, { morphStyle: "innerHTML", callbacks: KEPT });
        document.dispatchEvent(new Event("mon-morphed"));
        bar(0, false);
      }
    } catch {
      // The connection says that the server is away; the next change brings this page up to date.
    } finally {
      busy = false;
      askedAt = performance.now();
    }
  }

  return {
    togglePause: () => document.getElementById("mon-live-switch")?.click(),
    receive(frame) {
      if (frame.worker) {
        connected = true;
        for (const id of PARTS) {
          const part = document.getElementById(id);
          if (!isSelectedFrom(part)) {
            Idiomorph.morph(part, frame.worker[id], { morphStyle: "innerHTML" });
          }
        }
      }
    },
    settle() {
      if (connected && page.connection.isOpen && !busy && performance.now() - askedAt > AGAIN_MS) {
        refresh();
      }
    },
  };
}

/** Ask the worker what the tab shows; the answer is stored, and comes with the page. */
async function askWorker() {
  const form = document.querySelector(".mon-worker-age form");
  if (form) {
    await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { Accept: "application/json" },
      redirect: "error",
    });
  }
}

/** Somebody selects, types, has a question open, or is about to press something. */
function isReading(content) {
  return (
    isSelectedFrom(content) ||
    document.querySelector("dialog[open]") !== null ||
    content.querySelector(":is(input, select, textarea):focus, .mon-table tbody :focus") !== null ||
    isFilled(content)
  );
}

/** A field says something else than the server wrote into it. */
function isFilled(content) {
  return [...content.querySelectorAll("input:not([type=hidden], [type=checkbox])")].some(
    (field) => field.value !== field.defaultValue,
  );
}

/** What is open is the reader's; what was drawn is the script's. */
const KEPT = {
  beforeNodeMorphed: (node) => !(node instanceof Element && node.matches("[data-plot]:has(*)")),
  beforeAttributeUpdated: (name, element) =>
    !(name === "open" && element.matches("details")) && !(name === "aria-pressed" && element.matches("button")),
};
