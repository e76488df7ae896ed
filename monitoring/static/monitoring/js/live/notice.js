// A banner that floats over the end of the page: it pushes nothing. Parts: a fact, more of it, something to do.

export class Notice {
  #element;
  #act;

  /** `retry` is what its button does where no other address is given. */
  constructor(element, retry) {
    this.#element = element;
    this.#act = element.querySelector("[data-part=act]");
    this.#act.addEventListener("click", () => {
      const address = this.#act.dataset.href;
      if (address) {
        location.assign(address);
      } else {
        retry();
      }
    });
  }

  get isShown() {
    return !this.#element.hidden;
  }

  get fact() {
    return this.#element.querySelector("[data-part=fact]").textContent;
  }

  /** `act`: undefined keeps the button as it is, null hides it, else its `label` and, for a link, `href`. */
  show(fact, more, act) {
    write(this.#element.querySelector("[data-part=fact]"), fact);
    write(this.#element.querySelector("[data-part=more]"), more);
    if (act !== undefined) {
      this.#act.hidden = act === null;
      this.#act.dataset.href = act?.href ?? "";
      write(this.#act, act?.label ?? "");
    }
    this.#element.hidden = false;
  }

  hide() {
    this.#element.hidden = true;
  }
}

function write(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}
