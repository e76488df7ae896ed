// Arguments one by one: a textarea[data-known] of a question, whose JSON is a list or an object, becomes rows of the
// table in [data-arguments]. The box stays what is sent: a row writes its value into it, and everything else in the box
// stays as it is, character by character. What is not known of a value says the server, in the attributes of the box.

import { isJSON, split } from "./split.js";
import { lookAgain } from "./unknown.js";

/** Longest value that stands in one line, characters in a line of a longer one, and its lines. */
const LINE = 60;
const WIDTH = 40;
const MOST_LINES = 6;
/** Of each box that is shown as rows its text when it was split, and the rows. */
const rowsOf = new WeakMap();
/** The row of an input. */
const rowOf = new WeakMap();

export function argumentRows() {
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-as-json]")) {
      show(event.target.closest("[data-arguments]"));
    } else if (event.target.matches("[data-argument]")) {
      typed(event.target);
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-argument]")) {
      tell(rowOf.get(event.target), true);
    }
  });
  // A browser that comes back restores what was typed into the boxes after the page has been read.
  window.addEventListener("pageshow", () => {
    for (const part of document.querySelectorAll("[data-arguments]")) {
      if (boxesOf(part).some((box) => rowsOf.has(box) && written(box) !== box.value)) {
        show(part);
      }
    }
  });
  showRows(document);
}

/** Shows the arguments in `part` of the page one by one, unless the server found a mistake in the JSON. */
export function showRows(part) {
  for (const rows of part.querySelectorAll("[data-arguments]")) {
    const boxes = boxesOf(rows);
    rows.querySelector("[data-as-json]").checked = boxes.some((box) => fieldOf(box).querySelector("[role=alert]"));
    rows.hidden = boxes.length === 0;
    show(rows);
  }
}

function boxesOf(part) {
  return [...part.closest("form").querySelectorAll("textarea[data-known]")];
}

function fieldOf(box) {
  return box.closest(".mon-field");
}

/** Boxes that cannot be split, or into too much, stay boxes. */
function show(part) {
  const asJSON = part.querySelector("[data-as-json]").checked;
  const body = part.querySelector("tbody");
  body.replaceChildren();
  for (const box of boxesOf(part)) {
    const values = asJSON || box.value.length > part.dataset.mostCharacters ? null : split(box.value);
    const fits = values !== null && values.length <= part.dataset.most;
    fieldOf(box).hidden = fits;
    rowsOf.delete(box);
    if (fits) {
      rowsOf.set(box, { text: box.value, rows: values.map((value, index) => made(part, box, value, index)) });
      body.append(...rowsOf.get(box).rows.map((row) => row.element));
    }
  }
  part.querySelector("table").hidden = body.children.length === 0;
  part.querySelector("[data-none]").hidden = body.children.length > 0 || !boxesOf(part).every((box) => rowsOf.has(box));
  lookAgain(part.closest("form"));
}

function made(part, box, { start, end, name }, index) {
  const element = document.importNode(part.querySelector("template").content, true).querySelector("tr");
  const text = box.value.slice(start, end);
  const told = JSON.parse(box.dataset.known);
  const argument = name ?? `args[${index}]`;
  const row = { part, box, element, start, end, name, text, told: told.find((each) => each.name === argument) };
  const isLong = text.length > LINE || /^[[{]/.test(text);
  const input = element.querySelector(isLong ? "textarea" : "input");
  element.querySelector(isLong ? "input" : "textarea").remove();
  if (isLong) {
    input.rows = Math.min(MOST_LINES, Math.max(2, Math.ceil(text.length / WIDTH)));
  }
  const label = element.querySelector("label");
  const mistake = element.querySelector("[data-mistake]");
  input.id = `${box.id}-${index}`;
  label.htmlFor = input.id;
  label.textContent = argument || "…";
  mistake.id = `${input.id}-mistake`;
  row.input = input;
  // A value of which nothing is known is written, not changed. Until then the box keeps what stands for it.
  row.blank = unknownOf(row) === "redacted" ? text : null;
  input.value = row.blank === null ? text : "";
  // No argument has this place: a value in it would be sent under an empty name.
  input.readOnly = unknownOf(row) === "more";
  rowOf.set(input, row);
  tell(row, true);
  return row;
}

function typed(input) {
  const row = rowOf.get(input);
  row.text = row.blank !== null && input.value.trim() === "" ? row.blank : input.value;
  row.box.value = written(row.box);
  tell(row, false);
  lookAgain(input.form);
}

/** The text of a box with what its rows say. */
function written(box) {
  const { text, rows } = rowsOf.get(box);
  let from = 0;
  let whole = "";
  for (const row of rows) {
    whole += text.slice(from, row.start) + row.text;
    from = row.end;
  }
  return whole + text.slice(from);
}

/** Says what is known of a value, and what is wrong with it. While it `isDone` only: nobody writes JSON at once. */
function tell(row, isDone) {
  const { part, element, input } = row;
  const unknown = unknownOf(row);
  const words = unknown ? part.dataset[`words${unknown[0].toUpperCase()}${unknown.slice(1)}`] : "";
  const mistake = words || (isJSON(row.text) ? "" : part.dataset.wordsNoJson);
  const told = element.querySelector("[data-mistake]");
  input.setCustomValidity(mistake);
  input.dataset.words = `${row.element.querySelector("label").textContent}: ${mistake}`;
  if (words || !mistake || isDone) {
    told.textContent = mistake;
    told.hidden = !mistake;
    element.classList.toggle("mon-field-wrong", Boolean(mistake));
    input.setAttribute("aria-invalid", String(Boolean(mistake)));
    input.toggleAttribute("aria-describedby", Boolean(mistake));
    if (mistake) {
      input.setAttribute("aria-describedby", told.id);
    }
  }
  for (const each of element.querySelectorAll("[data-worth]")) {
    each.hidden = each.dataset.worth !== worthOf(row);
  }
}

function worthOf({ told, text }) {
  if (!told) {
    return "added";
  }
  return told.text === text ? told.worth : "edited";
}

/** What is not known of a row, as the words for it are called; empty where nothing is missing. */
function unknownOf({ box, name, text }) {
  const { redacted = [], cut = [] } = JSON.parse(box.dataset.unknown ?? "{}");
  if (name && (redacted.some((mark) => name.includes(mark)) || cut.includes(JSON.stringify(name)))) {
    return "name";
  }
  const mark = redacted.find((each) => text.includes(each));
  if (mark !== undefined) {
    return text === `"${mark}"` ? "redacted" : "redactedPart";
  }
  const end = cut.find((each) => text.includes(each));
  if (end === undefined) {
    return "";
  }
  if (name === "") {
    return "more";
  }
  return text === end ? "cut" : "cutPart";
}
