// <a href data-swap="id">: fetches its page and takes only the part with that id from it, in place. Without a script, or
// where that fails, it is a link. The address follows, so that reload and sharing show the same; not for what is asked
// of another server and would be asked again at each reload (data-swap-stay).

/** By id of the part: the last link to it that was pressed. An answer to an earlier one comes too late. */
const pressed = new Map();

export function swap() {
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-swap]");
    if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) {
      return;
    }
    event.preventDefault();
    const id = link.dataset.swap;
    document.getElementById(id).setAttribute("aria-busy", "true");
    pressed.get(id)?.abort();
    const mine = new AbortController();
    pressed.set(id, mine);
    const fresh = await partOf(link.href, id, mine.signal);
    if (mine.signal.aborted) {
      return;
    }
    if (!fresh) {
      location.assign(link.href);
      return;
    }
    document.getElementById(id).replaceWith(fresh);
    if (!("swapStay" in link.dataset)) {
      history.replaceState(history.state, "", link.href);
    }
    const heading = fresh.querySelector("h2");
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  });
}

async function partOf(address, id, signal) {
  try {
    const response = await fetch(address, { credentials: "same-origin", redirect: "error", signal });
    if (!response.ok) {
      return null;
    }
    return new DOMParser().parseFromString(await response.text(), "text/html").getElementById(id);
  } catch {
    return null;
  }
}
