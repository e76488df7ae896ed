// Copy buttons: <button data-copy="text"> or <button data-copy-from="id of an element">.
// One listener for the whole page, so that rows which arrive later work too.

import { copyFrom } from "./clipboard.js";

/** The text that a button copies. */
function textOf(button) {
  const source = button.dataset.copyFrom;
  return source ? document.getElementById(source).textContent : button.dataset.copy;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy], button[data-copy-from]");
  if (button) {
    copyFrom(button, textOf(button));
  }
});
