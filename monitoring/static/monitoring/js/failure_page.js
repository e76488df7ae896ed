// The page of one group of failures: its chart, and questions above the page.

import { charts } from "./charts/chart.js";
import { ask } from "./control/ask.js";

charts();
ask();
document.addEventListener("mon-morphed", () => {
  charts();
});
