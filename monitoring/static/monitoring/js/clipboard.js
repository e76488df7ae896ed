// What copies a text, and says so at its button.

const SHOWN_MS = 1500;

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

/** Copy `text`; `button`, which was pressed for it, shows a tick then, and its data-copied is announced. */
export async function copyFrom(button, text) {
  const copied = await copy(text);
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
}
