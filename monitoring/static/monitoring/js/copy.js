// Copy buttons: <button data-copy="text"> or <button data-copy-from="id of an element">.
// One listener for the whole page, so that rows which arrive later work too.

const SHOWN_MS = 1500;

/** The text that a button copies. */
function textOf(button) {
  const source = button.dataset.copyFrom;
  return source ? document.getElementById(source).textContent : button.dataset.copy;
}

/** For pages without the permission, or the secure context, that the clipboard asks for. */
function copyBySelection(text) {
  const field = document.createElement("textarea");
  field.className = "mon-hidden-label";
  field.value = text;
  field.readOnly = true;
  document.querySelector(".mon").append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy], button[data-copy-from]");
  if (!button) {
    return;
  }
  const copied = await copy(textOf(button));
  button.focus();
  if (!copied) {
    return;
  }
  button.classList.add("mon-copied");
  const status = document.getElementById("mon-announcements");
  if (status) {
    status.textContent = button.dataset.copied;
  }
  setTimeout(() => {
    button.classList.remove("mon-copied");
    if (status) {
      status.textContent = "";
    }
  }, SHOWN_MS);
});
