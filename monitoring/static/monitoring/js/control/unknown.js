// A question whose textarea[data-unknown] still holds what stands for an unknown value keeps its button[data-answer] back.
// The list has texts to be replaced; the server looks again, and without a script it is the only one who does.

export function unknown() {
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-unknown]")) {
      lookAgain(event.target.form);
    }
  });
  // A browser that comes back restores what was typed after the page has been read.
  window.addEventListener("pageshow", () => lookAgain(document));
  lookAgain(document);
}

/** Looks at the boxes in `part` of the page. */
export function lookAgain(part) {
  const forms = new Set();
  for (const box of part.querySelectorAll("[data-unknown]")) {
    const isKnown = !JSON.parse(box.dataset.unknown).some((text) => box.value.includes(text));
    box.setCustomValidity(isKnown ? "" : box.dataset.words);
    box.setAttribute("aria-invalid", String(!box.checkValidity()));
    box.closest(".mon-field")?.classList.toggle("mon-field-wrong", !box.validity.valid);
    forms.add(box.form);
  }
  for (const form of forms) {
    const box = [...form.querySelectorAll("[data-unknown]")].find((each) => !each.validity.valid);
    const button = form.querySelector("[data-answer]");
    if (button) {
      button.disabled = Boolean(box);
      button.title = box?.dataset.words ?? "";
    }
  }
}
