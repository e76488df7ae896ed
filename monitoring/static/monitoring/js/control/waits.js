// A button[data-waits] whose form was sent says so, and cannot be pressed again: a worker may take seconds to answer.

export function waits() {
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button?.matches("[data-waits]")) {
      return;
    }
    // After the form has been read: a disabled button sends nothing of its own. By then it is also known whether it is
    // sent at all, or a question comes first.
    setTimeout(() => {
      if (event.defaultPrevented) {
        return;
      }
      button.dataset.words = button.textContent;
      button.disabled = true;
      button.textContent = button.dataset.waits;
    });
  });
  // Back from the next page, as the browser kept this one.
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button[data-words]")) {
      button.disabled = false;
      button.textContent = button.dataset.words;
      delete button.dataset.words;
    }
  });
}
