// The page of one worker: its charts, and questions above the page. What keeps it live is in live/worker_page.js, which
// leaves what a script has drawn alone and says when everything else is new.

import { charts } from "./charts/chart.js";
import { ask } from "./control/ask.js";

charts();
ask();
document.addEventListener("mon-morphed", () => charts());
