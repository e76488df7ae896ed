// A task opened from its list knows the list (in=...), for "Previous" and "Next". Rows that the server sent with the page
// have it in their links; those that came later get it here, when they are used.

const PLACES = ["before", "after", "place", "in"];

function remember(event) {
  const link = event.target.closest?.("tr[data-task] a[href]");
  if (!link) {
    return;
  }
  const address = new URL(link.href);
  if (address.searchParams.has("in") || address.origin !== location.origin) {
    return;
  }
  const list = new URLSearchParams(location.search);
  PLACES.forEach((name) => list.delete(name));
  address.searchParams.set("in", list.toString());
  link.href = address.href;
}

for (const kind of ["click", "auxclick", "contextmenu"]) {
  document.addEventListener(kind, remember, { capture: true });
}
