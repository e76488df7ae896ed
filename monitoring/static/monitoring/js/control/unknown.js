// A question whose textarea[data-unknown] still holds what stands for an unknown value keeps its button[data-answer] back.
// The attribute has the texts to be replaced; the server looks again, and without a script it is the only one who does.
// An input[data-argument] (js/control/rows.js) that says what is wrong with it keeps it back as well.

const BOXES = "[data-unknown], [data-known]";

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
  for (const box of part.querySelectorAll("[data-unknown]")) {
    const texts = Object.values(JSON.parse(box.dataset.unknown)).flat();
    const isKnown = !texts.some((text) => box.value.includes(text));
    box.setCustomValidity(isKnown ? "" : box.dataset.words);
    box.setAttribute("aria-invalid", String(!box.checkValidity()));
    box.closest(".mon-field")?.classList.toggle("mon-field-wrong", !box.validity.valid);
  }
  const forms = [...document.forms].filter((form) => part.contains(form) && form.querySelector(BOXES));
  for (const form of forms) {
    // Rows stand above the boxes: theirs are the words that say more.
    const wrong = [...form.querySelectorAll(`[data-argument], ${BOXES}`)].find((each) => !each.validity.valid);
    const button = form.querySelector("[data-answer]");
    if (button) {
      button.disabled = Boolean(wrong);
      button.title = wrong?.dataset.words ?? "";
    }
  }
}
