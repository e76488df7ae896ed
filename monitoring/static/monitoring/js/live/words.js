// What scripts say, in the language of the page: the server writes it into <template id="mon-words" data-...>.

const template = document.getElementById("mon-words");

/** The words `name`, with each {part} in it replaced: words("pausedAt", { time: "14:42:18" }). */
export function words(name, parts = {}) {
  return (template?.dataset[name] ?? "").replace(/\{(\w+)\}/g, (_, part) => parts[part] ?? "");
}
