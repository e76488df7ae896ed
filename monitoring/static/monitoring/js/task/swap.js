// <a href data-swap="id">: fetches its page and takes only the part with that id from it, in place. Without a script, or
// where that fails, it is a link. The address follows, so that reload and sharing show the same; not for what is asked
// of another server and would be asked again at each reload (data-swap-stay).

export function swap() {
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-swap]");
    if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) {
      return;
    }
    event.preventDefault();
    const part = document.getElementById(link.dataset.swap);
    part.setAttribute("aria-busy", "true");
    const fresh = await partOf(link.href, part.id);
    if (!fresh) {
      location.assign(link.href);
      return;
    }
    part.replaceWith(fresh);
    if (!("swapStay" in link.dataset)) {
      history.replaceState(history.state, "", link.href);
    }
    const heading = fresh.querySelector("h2");
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  });
}

async function partOf(address, id) {
  try {
    const response = await fetch(address, { credentials: "same-origin", redirect: "error" });
    if (!response.ok) {
      return null;
    }
    return new DOMParser().parseFromString(await response.text(), "text/html").getElementById(id);
  } catch {
    return null;
  }
}
