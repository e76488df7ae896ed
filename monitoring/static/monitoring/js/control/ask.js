// What leads to a question (a[data-ask], a form or a button with it) opens it above the page. Without a script, or where
// that fails, it is a page of its own. What the question sends leaves the page in any case, as any form does.

import { parsePage } from "../live/parse.js";
import { argumentRows, showRows } from "./rows.js";
import { lookAgain, unknown } from "./unknown.js";
import { waits } from "./waits.js";

/** How many questions have been asked for: an answer that is not to the last one comes too late. */
let asked = 0;

export function ask() {
  waits();
  unknown();
  argumentRows();
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-ask]");
    if (link && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      open(new Request(link.href), () => location.assign(link.href));
    }
  });
  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (!submitter?.matches("[data-ask]") && !form.matches("[data-ask]")) {
      return;
    }
    event.preventDefault();
    const action = submitter?.getAttribute("formaction") ?? form.getAttribute("action");
    open(requestOf(form, submitter, action), () => {
      form.action = action;
      form.submit();
    });
  });
}

function requestOf(form, submitter, action) {
  const sent = new URLSearchParams(new FormData(form, submitter));
  return form.method === "get"
    ? new Request(`${action}?${sent}`)
    : new Request(action, { method: "POST", body: sent });
}

async function open(request, leave) {
  asked += 1;
  const mine = asked;
  const question = await questionOf(request);
  if (mine !== asked) {
    return;
  }
  if (!question) {
    leave();
    return;
  }
  const dialog = document.createElement("dialog");
  dialog.className = "mon-dialog";
  dialog.setAttribute("aria-labelledby", "mon-question-title");
  dialog.append(document.adoptNode(question));
  const before = document.activeElement;
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-safe]")) {
      event.preventDefault();
      dialog.close();
    }
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    before?.focus();
  });
  // Below .mon, where the styles are.
  document.querySelector(".mon").append(dialog);
  dialog.showModal();
  showRows(dialog);
  lookAgain(dialog);
  (dialog.querySelector(".mon-field-wrong:not([hidden]) :is(input, textarea), .mon-question-body :is(input:not([type=checkbox]), textarea, select):invalid") ?? dialog.querySelector("[data-safe]")).focus({
    focusVisible: true,
  });
}

async function questionOf(request) {
  try {
    const response = await fetch(request, { credentials: "same-origin", redirect: "error" });
    return response.ok ? parsePage(await response.text()).querySelector("form.mon-question") : null;
  } catch {
    return null;
  }
}
