// The server's clock, and the times on the page that tick by it: a browser's own clock may be wrong.

import { span, ticking } from "./formatting.js";
import { words } from "./words.js";

export class Clock {
  #offset = null;

  /** The server said that it is `iso` now. The message that took the shortest way is the nearest to the truth. */
  set(iso) {
    const offset = Date.parse(iso) - Date.now();
    if (!Number.isNaN(offset)) {
      this.#offset = this.#offset === null ? offset : Math.max(this.#offset, offset);
    }
  }

  /** A new connection: what was known may be old. */
  forget() {
    this.#offset = null;
  }

  /** Milliseconds since the epoch. */
  now() {
    return Date.now() + (this.#offset ?? 0);
  }

  /** Elapsed clocks, several times a second; red beyond what is usual of the task. */
  tickElapsed(root) {
    for (const time of root.querySelectorAll("time.mon-elapsed")) {
      if (!time.closest(".mon-gone")) {
        const seconds = this.#seconds(time);
        write(time, ticking(seconds));
        if (time.dataset.limit) {
          time.classList.toggle("mon-bad", seconds > Number(time.dataset.limit));
        }
      }
    }
  }

  /** "3 min ago" and the like, each second. */
  tickRelative(root) {
    for (const time of root.querySelectorAll("time.mon-ago, time.mon-since")) {
      const seconds = this.#signedSeconds(time);
      if (Math.abs(seconds) < 1) {
        write(time, words("now"));
      } else if (time.classList.contains("mon-since")) {
        write(time, span(Math.max(0, seconds)));
      } else {
        write(time, words(seconds > 0 ? "ago" : "in", { span: span(Math.abs(seconds)) }));
      }
    }
  }

  #signedSeconds(time) {
    return (this.now() - Date.parse(time.dateTime)) / 1000;
  }

  #seconds(time) {
    return Math.max(0, this.#signedSeconds(time));
  }
}

/** Only what differs: an unchanged text keeps the reader's selection. */
function write(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}
