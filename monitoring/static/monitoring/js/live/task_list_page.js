// The task list: its rows change in place, new ones come on top of its first page.

import { liveList } from "./list.js";
import { openPageOnEnter } from "./open_page.js";
import { reloadWhenIdle } from "./reload.js";
import { liveSwitch } from "./switch.js";

export function taskListPage(page) {
  page.live = liveSwitch("tasks", (live) => page.setLive(live));
  const body = document.querySelector(".mon-tasks tbody");
  const firstPage = page.settings.firstPage;
  const list = liveList("tasks", body, "task", {
    isFixed: () => firstPage !== undefined,
    press: firstPage && (() => location.assign(firstPage)),
  });
  openPageOnEnter(body);
  // On another page than the first what was new before the page was opened is not news.
  let known = null;

  return {
    query,
    togglePause: () => document.getElementById("mon-live-switch")?.click(),
    receive(frame) {
      const tasks = frame.lists?.tasks;
      if (!tasks) {
        return;
      }
      if (!list) {
        if (tasks.order.length && !firstPage) {
          reloadWhenIdle();
        }
        return;
      }
      if (firstPage) {
        known ??= new Set(tasks.order);
        list.receive(besides(tasks, known, body));
      } else {
        list.receive(tasks);
      }
    },
    settle: () => list?.rows.settle(),
  };
}

/** The filter that the address has, and the columns that the table has: those kept for a reader are in no address. */
function query() {
  const asked = new URLSearchParams(location.search);
  const shown = document.querySelector(".mon-tasks")?.dataset.columns;
  asked.delete("column");
  (shown ?? "").split(" ").filter(Boolean).forEach((name) => asked.append("column", name));
  return asked;
}

/** The list with the rows of this page in their order, and before them what is new. */
function besides(tasks, known, body) {
  const here = [...body.querySelectorAll("tr[data-task]")].map((row) => row.dataset.task);
  const fresh = tasks.order.filter((id) => !known.has(id) && !here.includes(id));
  return { ...tasks, order: [...fresh, ...here] };
}
