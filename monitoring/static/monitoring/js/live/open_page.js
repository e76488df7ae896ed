// Rows that lead to a page of their own: Enter on a row goes where its first link does.

export function openPageOnEnter(body) {
  body?.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("tr")) {
      event.target.querySelector("a")?.click();
    }
  });
}
