// Suggestions while typing: values that exist, with their numbers. The word at the cursor is what is completed.

import { isComposing } from "../live/keys.js";

const TYPING_MS = 150;
const WORD = /^(-?)([A-Za-z_]+):(.*)$/s;

export function suggest() {
  const input = document.getElementById("mon-search");
  const box = document.getElementById("mon-suggest");
  if (!input || !box) {
    return;
  }
  const list = box.querySelector("ul");
  const title = box.querySelector('[data-part="title"]');
  const none = box.querySelector('[data-part="none"]');
  let timer = 0;
  let newest = 0;

  input.setAttribute("role", "combobox");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-autocomplete", "list");
  close();

  function close() {
    clearTimeout(timer);
    newest += 1;
    box.hidden = true;
    input.setAttribute("aria-expanded", "false");
    // What is opened next is not about the same word.
    fill([], "");
  }

  function open() {
    box.hidden = false;
    input.setAttribute("aria-expanded", "true");
  }

  /** Where the word at the cursor is; blanks in quotes are part of it. */
  function word() {
    const text = input.value.slice(0, input.selectionStart);
    let from = 0;
    let quoted = false;
    [...text].forEach((letter, index) => {
      quoted = letter === '"' ? !quoted : quoted;
      if (!quoted && /[\s(]/.test(letter)) {
        from = index + 1;
      }
    });
    return { from, text: text.slice(from) };
  }

  async function ask() {
    newest += 1;
    const mine = newest;
    const found = WORD.exec(word().text);
    open();
    title.textContent = found ? `${found[2]}:` : "";
    if (!found) {
      fill([], "");
      none.hidden = true;
      return;
    }
    const typed = found[3].split(",").at(-1).replaceAll('"', "");
    const query = new URLSearchParams({ field: found[2], typed });
    let values = [];
    try {
      const answer = await fetch(`${input.dataset.suggest}?${query}`, { headers: { Accept: "application/json" } });
      values = answer.ok && !answer.redirected ? (await answer.json()).values : [];
    } catch {
      values = [];
    }
    if (mine === newest) {
      fill(values, typed);
      none.hidden = values.length > 0;
    }
  }

  function fill(values, typed) {
    input.removeAttribute("aria-activedescendant");
    list.replaceChildren(...values.map((value, index) => option(value, index, typed)));
  }

  function option({ value, text, number, at_least: atLeast }, index, typed) {
    const row = document.createElement("li");
    row.id = `mon-suggest-${index}`;
    row.role = "option";
    row.ariaSelected = "false";
    row.dataset.text = text;
    const name = document.createElement("span");
    const at = value.toLowerCase().indexOf(typed.toLowerCase());
    const bold = document.createElement("b");
    bold.textContent = at < 0 ? "" : value.slice(at, at + typed.length);
    name.append(at < 0 ? value : value.slice(0, at), bold, at < 0 ? "" : value.slice(at + typed.length));
    row.append(name);
    if (number !== null) {
      const count = document.createElement("span");
      count.className = "mon-dim";
      count.textContent = `${number.toLocaleString(document.documentElement.lang || undefined)}${atLeast ? "+" : ""}`;
      row.append(count);
    }
    return row;
  }

  function current() {
    return list.querySelector('[aria-selected="true"]');
  }

  function step(by) {
    const rows = [...list.children];
    if (!rows.length) {
      return;
    }
    const at = rows.indexOf(current());
    const next = rows[(at + by + rows.length + (at < 0 && by < 0 ? 1 : 0)) % rows.length];
    rows.forEach((row) => {
      row.ariaSelected = String(row === next);
    });
    input.setAttribute("aria-activedescendant", next.id);
    next.scrollIntoView({ block: "nearest" });
  }

  function complete(row) {
    const { from, text } = word();
    const [, minus, field, typed] = WORD.exec(text);
    const kept = typed.includes(",") ? typed.slice(0, typed.lastIndexOf(",") + 1) : "";
    const written = `${minus}${field}:${kept}${row.dataset.text}`;
    const behind = input.value.slice(input.selectionStart);
    input.value = input.value.slice(0, from) + written + behind;
    input.setSelectionRange(from + written.length, from + written.length);
    close();
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, TYPING_MS);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (isComposing(event)) {
      return;
    }
    if (event.key === "Escape" && !box.hidden) {
      event.preventDefault();
      close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (box.hidden) {
        ask();
      } else {
        step(event.key === "ArrowDown" ? 1 : -1);
      }
    } else if (event.key === "Tab" && !box.hidden && current()) {
      // The focus moves on, and closes the list, as it does from every combobox.
      complete(current());
    } else if (event.key === "Enter" && !box.hidden && current()) {
      event.preventDefault();
      complete(current());
    }
  });
  // Before the box loses the focus to the press.
  box.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const row = event.target.closest("li");
    if (row) {
      complete(row);
    }
  });
}
