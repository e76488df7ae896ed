// The table of a chart, copied with tabs between its cells, or as a CSV file: the numbers that the chart has at the press.
// Its texts come from the server, which leaves none that a spreadsheet takes for a formula.

import { copyFrom } from "../clipboard.js";

/** Some browsers read what they download a little later. */
const KEPT_MS = 10_000;

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-table-copy], [data-table-file]");
  if (!button) {
    return;
  }
  const panel = button.closest("[data-chart], [data-table]");
  const rows = panel.dataset.table ? JSON.parse(panel.dataset.table) : tableOf(JSON.parse(panel.dataset.chart));
  if (button.dataset.tableFile) {
    download(button.dataset.tableFile, csv(rows));
  } else {
    copyFrom(button, tabbed(rows));
  }
});

/** A head, and for each bucket of which something is known its beginning, its values and what stands beside them; newest first. */
function tableOf({ head, notes, series, times }) {
  const rows = times.flatMap((at, index) => {
    const values = series.map((one) => one.values[index]);
    const isShown = index in notes || values.some((value) => value !== null);
    return isShown ? [[moment(at), ...values.map((value) => value ?? ""), notes[index] ?? ""]] : [];
  });
  return [head, ...rows.reverse()];
}

/** Seconds since the epoch in ISO 8601. */
function moment(at) {
  return new Date(at * 1000).toISOString().replace(".000Z", "Z");
}

/** As RFC 4180 has it. */
function csv(rows) {
  const cells = (row) => row.map((cell) => (/[",\r\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : cell));
  return rows.map((row) => `${cells(row).join(",")}\r\n`).join("");
}

/** A tab or a new line within a cell would begin another. */
function tabbed(rows) {
  return rows.map((row) => row.map((cell) => String(cell).replace(/[\t\r\n]+/g, " ")).join("\t")).join("\n");
}

function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
