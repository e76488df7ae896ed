// The worker list: which are selected, and questions above the page. Both work in a plainer way without.

import { ask } from "./control/ask.js";
import { selection } from "./list/selection.js";

ask();
selection({ form: "mon-worker-bulk", table: ".mon-workers", name: "target", key: "worker" });
