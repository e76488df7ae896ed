// A list of rows that the server sends: keyed, ordered, bounded. While the reader is at it nothing moves.

import { Idiomorph } from "../../vendor/idiomorph/idiomorph.esm.js";
import { parseRow } from "./parse.js";

/** What belongs to the reader, not to the server. */
const READERS_OWN = new Set(["aria-expanded", "class"]);
const MORPH = {
  morphStyle: "outerHTML",
  callbacks: {
    beforeNodeMorphed: (node) => !(node instanceof HTMLInputElement),
    beforeAttributeUpdated: (name, element) =>
      !(READERS_OWN.has(name) && (element.matches(".mon-open") || element.hasAttribute("tabindex"))),
  },
};

export class RowList {
  #html = new Map();
  #order = null;

  /** `body` holds the rows; `key` is the data attribute that names one; `isHeld()` says whether rows may move. */
  constructor(body, key, isHeld, waiting) {
    this.body = body;
    this.key = key;
    this.isHeld = isHeld;
    this.waiting = waiting;
  }

  /** A `list` of a frame. */
  receive(list) {
    const present = this.#present();
    for (const [key, html] of Object.entries(list.rows)) {
      const row = present.get(key);
      if (row) {
        Idiomorph.morph(row, parseRow(html), MORPH);
      } else {
        this.#html.set(key, html);
      }
    }
    this.#order = list.order;
    const kept = new Set(list.order);
    for (const key of this.#html.keys()) {
      if (!kept.has(key)) {
        this.#html.delete(key);
      }
    }
    this.settle();
  }

  /** Arrange the rows, unless the reader is at them: then only mark what has gone and count what waits. */
  settle() {
    if (this.#order === null) {
      return;
    }
    if (this.isHeld()) {
      this.#mark();
    } else {
      this.arrange();
    }
  }

  /** As the server has it, whoever looks. */
  arrange() {
    if (this.#order === null) {
      return;
    }
    const present = this.#present();
    const kept = new Set(this.#order);
    for (const [key, row] of present) {
      if (!kept.has(key)) {
        belongings(row).forEach((node) => node.remove());
      }
    }
    let place = this.body.firstElementChild;
    for (const key of this.#order) {
      const row = present.get(key) ?? this.#made(key);
      if (!row) {
        continue;
      }
      row.classList.remove("mon-gone");
      const nodes = belongings(row);
      if (row === place) {
        place = nodes.at(-1).nextElementSibling;
      } else {
        this.body.insertBefore(fragment(nodes), place);
      }
    }
    this.#order = null;
    this.waiting(0, false);
  }

  /** The rows of a page that was fetched take the place of these. */
  replace(rows) {
    this.#html.clear();
    this.#order = null;
    this.body.replaceChildren(...rows);
    this.waiting(0, false);
  }

  #mark() {
    const present = this.#present();
    const kept = new Set(this.#order);
    for (const [key, row] of present) {
      row.classList.toggle("mon-gone", !kept.has(key));
    }
    const fresh = this.#order.filter((key) => !present.has(key)).length;
    const gone = present.size - (this.#order.length - fresh);
    this.waiting(fresh, fresh > 0 && fresh === this.#order.length, gone);
  }

  #present() {
    const rows = new Map();
    for (const row of this.body.children) {
      if (row.dataset[this.key] !== undefined) {
        rows.set(row.dataset[this.key], row);
      }
    }
    return rows;
  }

  #made(key) {
    const html = this.#html.get(key);
    this.#html.delete(key);
    return html === undefined ? undefined : parseRow(html);
  }
}

/** A row and what was opened below it. */
function belongings(row) {
  const next = row.nextElementSibling;
  return next?.matches(".mon-peek") ? [row, next] : [row];
}

function fragment(nodes) {
  const made = document.createDocumentFragment();
  made.append(...nodes);
  return made;
}
