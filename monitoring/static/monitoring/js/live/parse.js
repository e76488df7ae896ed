// HTML that the server rendered. A <template> takes any element, rows included, and runs nothing.

/** The one element of `html`. */
export function parseRow(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

/** The document of a page that was fetched. */
export function parsePage(html) {
  return new DOMParser().parseFromString(html, "text/html");
}
