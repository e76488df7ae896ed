// The worker list.

import { Idiomorph } from "../../vendor/idiomorph/idiomorph.esm.js";
import { liveList } from "./list.js";
import { openPageOnEnter } from "./open_page.js";
import { reloadWhenIdle } from "./reload.js";
import { liveSwitch } from "./switch.js";

export function workerListPage(page) {
  page.live = liveSwitch("workers", (live) => page.setLive(live));
  const body = document.querySelector(".mon-workers tbody");
  const list = liveList("workers", body, "worker");
  const foot = document.querySelector(".mon-workers tfoot");
  openPageOnEnter(body);

  return {
    query: () => new URLSearchParams(location.search),
    togglePause: () => document.getElementById("mon-live-switch")?.click(),
    receive(frame) {
      if (frame.totals && foot) {
        Idiomorph.morph(foot, frame.totals.html, { morphStyle: "innerHTML" });
      }
      const workers = frame.lists?.workers;
      if (!workers) {
        return;
      }
      if (list) {
        list.receive(workers);
      } else if (workers.order.length) {
        reloadWhenIdle();
      }
    },
    settle: () => list?.rows.settle(),
  };
}
