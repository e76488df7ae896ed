// The live monitor.

import { announce } from "./announce.js";
import { monitorFilter } from "./filter.js";
import { number } from "./formatting.js";
import { liveList } from "./list.js";
import { openInPlace } from "./peek.js";
import { drawSparkline } from "./sparkline.js";
import { reloadWhenIdle } from "./reload.js";
import { words } from "./words.js";

const TALLY_MS = 30_000;
/** Figures that the eye needs no decimals of. */
const WHOLE_FROM = 10;

export function monitorPage(page) {
  const element = (id) => document.getElementById(id);
  if (!element("mon-running")) {
    return { receive: (frame) => arrived(frame) && reloadWhenIdle() };
  }
  const lists = {
    running: liveList("running", element("mon-running"), "task"),
    finished: liveList("finished", element("mon-finished"), "task"),
    workers: liveList("workers", element("mon-workers"), "worker"),
  };
  const button = element("mon-pause");
  button?.addEventListener("click", () => (page.paused ? page.resume() : page.pause()));
  const peek = openInPlace([element("mon-running"), element("mon-finished")]);
  monitorFilter(page, lists);
  const tally = makeTally();

  return {
    query: () => new URLSearchParams(location.search),
    togglePause: () => button?.click(),
    receive(frame) {
      for (const [name, list] of Object.entries(frame.lists ?? {})) {
        lists[name]?.receive(list);
      }
      element("mon-workers").closest(".mon-panel").hidden = !element("mon-workers").firstElementChild;
      const counters = countersOf(frame);
      showCounters(counters);
      if (frame.sparkline) {
        drawSparkline(element("mon-sparkline"), frame.sparkline.values);
      }
      tally(counters);
      peek.refresh(frame);
    },
    settle() {
      for (const list of Object.values(lists)) {
        list?.rows.settle();
      }
    },
    pauseChanged(paused) {
      button?.classList.toggle("mon-is-paused", paused);
      if (button) {
        button.querySelector("span").textContent = words(paused ? "resume" : "pause");
      }
    },
  };
}

function arrived(frame) {
  return Object.entries(frame.lists ?? {}).some(([name, list]) => name !== "workers" && list.order.length > 0);
}

/** What the frame tells; how many run comes with their list, and only when that has changed. */
function countersOf(frame) {
  const running = frame.lists?.running;
  return running ? { ...frame.counters, running: running.total } : (frame.counters ?? {});
}

function showCounters(counters) {
  for (const [name, value] of Object.entries(counters)) {
    const place = document.querySelector(`[data-counter="${name}"]`);
    if (!place || value === null) {
      continue;
    }
    const more = counters[`${name}_at_least`] ? "+" : "";
    place.textContent = number(value >= WHOLE_FROM ? Math.round(value) : value) + more;
    if (name === "failures_last_minute") {
      place.classList.toggle("mon-bad", value > 0);
    }
  }
}

/** What changes every second is not for ears: a sum now and then, when it differs. */
function makeTally() {
  let said = "";
  let saidAt = performance.now();
  let running = 0;
  return (counters) => {
    running = counters.running ?? running;
    const failures = counters.failures_last_minute ?? null;
    if (failures === null || performance.now() - saidAt < TALLY_MS) {
      return;
    }
    saidAt = performance.now();
    const text = words("tally", { running: number(running), failures: number(failures) });
    if (text !== said) {
      said = text;
      announce(text);
    }
  };
}
