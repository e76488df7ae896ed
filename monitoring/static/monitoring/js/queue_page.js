// The list of queues and the page of one: its chart, and questions above the page.

import { charts } from "./charts/chart.js";
import { ask } from "./control/ask.js";

charts();
ask();
document.addEventListener("mon-morphed", () => {
  charts();
});
