// A page that is live: opens the connection and hands what comes to the parts that the page has. See docs/live.md.

import { Idiomorph } from "../../vendor/idiomorph/idiomorph.esm.js";
import { announce } from "./announce.js";
import { Clock } from "./clock.js";
import { CODES, Connection } from "./connection.js";
import { fetchedPage } from "./fetched_page.js";
import { clockTime, number } from "./formatting.js";
import { listenToKeys } from "./keys.js";
import { monitorPage } from "./monitor_page.js";
import { Notice } from "./notice.js";
import { taskListPage } from "./task_list_page.js";
import { taskPage } from "./task_page.js";
import { words } from "./words.js";
import { workerListPage } from "./worker_list_page.js";
import { workerPage } from "./worker_page.js";

const ELAPSED_TICK_MS = 200;
const PARTS = {
  failures: fetchedPage,
  monitor: monitorPage,
  queues: fetchedPage,
  schedules: fetchedPage,
  statistics: fetchedPage,
  task: taskPage,
  tasks: taskListPage,
  worker: workerPage,
  workers: workerListPage,
};

class LivePage {
  /** `settings`: the data attributes of <template id="mon-live">. */
  constructor(settings) {
    this.settings = settings;
    this.root = document.querySelector(".mon");
    this.clock = new Clock();
    this.clock.set(settings.at);
    this.cursor = Number(settings.cursor);
    this.at = settings.at;
    this.paused = null;
    this.live = true;
    this.awaitsFull = false;
    this.unsaidFilter = null;
    this.connection = new Connection(() => this.#address(), this);
    this.notice = new Notice(document.getElementById("mon-connection"), () => this.connection.open());
    this.pauseNotice = new Notice(document.getElementById("mon-paused"), () => this.resume());
    this.part = PARTS[settings.page]?.(this) ?? null;
    listenToKeys(this);
    this.#listen();
    this.#tick();
  }

  /** Nothing of the page changes until `resume`, but how much has. */
  pause() {
    this.paused = { at: this.at, changes: 0, before: 0 };
    this.connection.send({ type: "pause" });
    this.#showPause();
    this.part?.pauseChanged?.(true);
    announce(`${words("paused")} ${this.#pausedAt()}`);
  }

  resume() {
    this.paused = null;
    this.pauseNotice.hide();
    this.part?.pauseChanged?.(false);
    this.awaitsFull = this.connection.send({ type: "resume" });
    announce(words("resumed"));
  }

  /** The page shows another filter: what comes before the next full frame belongs to the old one. */
  filter(query) {
    this.awaitsFull = this.connection.send({ type: "filter", query });
    // A connection that is just being made asks for the filter that was in the address before.
    this.unsaidFilter = this.awaitsFull ? null : query;
  }

  /** The page has taken rows that may be older than those of frames: the next one has to hold all of them. */
  refresh() {
    this.awaitsFull = this.connection.send({ type: "refresh" });
  }

  /** Follow what the page shows, or only the status strip. */
  setLive(live) {
    this.live = live;
    this.connection.open();
  }

  // What the connection tells.

  opened() {
    this.clock.forget();
    this.awaitsFull = false;
    if (this.unsaidFilter !== null) {
      this.filter(this.unsaidFilter);
    }
    // The first frame of a paused page is not shown, so that its cursor stays; it says what has been missed.
    this.caughtUp = this.notice.isShown;
  }

  received(message) {
    if (message.type === "frame") {
      this.#frame(message);
      // Only now: a page that cannot keep up gets fewer frames.
      this.connection.send({ type: "ack", seq: message.seq });
    } else if (message.type === "paused" && this.paused) {
      this.paused.changes = this.paused.before + message.changes;
      this.#showPause();
    }
  }

  waiting(until) {
    const isNews = !this.notice.isShown;
    this.waitsUntil = until;
    this.#showWaiting();
    if (isNews) {
      announce(`${this.notice.fact} ${words("asOf", { time: clockTime(this.at) })}`);
    }
  }

  ended(code) {
    this.waitsUntil = null;
    const here = encodeURIComponent(location.pathname + location.search);
    const signIn = { label: words("signIn"), href: `${this.settings.login}?next=${here}` };
    const reload = { label: words("reload"), href: location.href };
    const said = {
      [CODES.SIGNED_OUT]: [words("signedOut"), signIn],
      [CODES.NO_PERMISSION]: [words("notAllowed"), null],
      [CODES.BAD_MESSAGE]: [words("outdated"), reload],
    }[code];
    this.notice.show(said[0], words("asOf", { time: clockTime(this.at) }), said[1]);
    announce(said[0]);
  }

  // Its own affairs.

  #frame(frame) {
    if (this.notice.isShown) {
      this.notice.hide();
      this.waitsUntil = null;
    }
    if (this.paused) {
      // Connected anew while paused: what has passed since the cursor, and from now on the server counts.
      if (frame.missed) {
        this.paused.before = Math.max(this.paused.changes, frame.missed.changes);
        this.paused.changes = this.paused.before;
        this.connection.send({ type: "pause" });
        this.#showPause();
      }
      return;
    }
    if (this.awaitsFull && !frame.full) {
      return;
    }
    this.awaitsFull = false;
    this.clock.set(frame.at);
    // A page of which only the strip is live stays as old as it was.
    if (this.live) {
      this.cursor = frame.cursor;
    }
    this.at = frame.at;
    if (frame.strip) {
      Idiomorph.morph(document.getElementById("mon-strip"), frame.strip.html, { morphStyle: "innerHTML" });
    }
    this.part?.receive(frame);
    this.#tickNow();
    if (this.caughtUp) {
      const changes = frame.missed?.changes;
      announce(changes ? words("caughtUp", { number: number(changes) }) : words("connected"));
      this.caughtUp = false;
    }
  }

  #address() {
    const { url, page, site, language, task, worker } = this.settings;
    const address = new URL(url, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    // The query of the page is its filter; the server takes from it what it knows.
    const query = this.live && this.part?.query ? this.part.query() : new URLSearchParams();
    query.set("page", this.live ? page : "strip");
    query.set("site", site);
    query.set("lang", language);
    query.set("cursor", this.cursor);
    if (task) {
      query.set("task", task);
    }
    if (worker) {
      query.set("worker", worker);
    }
    address.search = query;
    return address.href;
  }

  #listen() {
    // A hidden tab has no connection; on return it asks for what it has missed.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) {
        this.connection.close();
      } else {
        this.connection.open();
      }
    });
    window.addEventListener("pagehide", () => this.connection.close());
    window.addEventListener("pageshow", (event) => event.persisted && this.connection.open());
    window.addEventListener("online", () => document.hidden || this.connection.open());
    if (!document.hidden) {
      this.connection.open();
    }
  }

  #tick() {
    let ticks = 0;
    setInterval(() => {
      if (document.hidden) {
        return;
      }
      ticks += 1;
      const second = ticks % (1000 / ELAPSED_TICK_MS) === 0;
      if (this.waitsUntil && second) {
        this.#showWaiting();
      }
      if (this.paused) {
        return;
      }
      // Without a connection the last figures stay as they are: nobody knows whether a task still runs.
      if (!this.notice.isShown) {
        this.clock.tickElapsed(this.root);
        if (second) {
          this.clock.tickRelative(this.root);
        }
      }
      if (this.live) {
        this.part?.settle?.();
      }
    }, ELAPSED_TICK_MS);
  }

  #tickNow() {
    this.clock.tickElapsed(this.root);
    this.clock.tickRelative(this.root);
  }

  #showWaiting() {
    const seconds = Math.ceil((this.waitsUntil - Date.now()) / 1000);
    const fact = seconds > 0 ? words("disconnected", { wait: `${seconds}\u00a0s` }) : words("connecting");
    this.notice.show(fact, words("asOf", { time: clockTime(this.at) }), { label: words("retry") });
  }

  #showPause() {
    this.pauseNotice.show(words("paused"), this.#pausedAt());
  }

  #pausedAt() {
    return words("pausedAt", { time: clockTime(this.paused.at), number: number(this.paused.changes) });
  }
}

const settings = document.getElementById("mon-live")?.dataset;
document.documentElement.classList.add("mon-scripted");
if (settings?.url) {
  new LivePage(settings);
} else {
  listenToKeys(null);
}
