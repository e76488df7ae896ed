// Failures: which groups are selected, and questions above the page. Both work in a plainer way without.

import { ask } from "./control/ask.js";
import { selection } from "./list/selection.js";

ask();
selection({ form: "mon-failure-bulk", table: ".mon-failures", name: "target", key: "failure" });
