// The task list: search suggestions, the brush, the selection, the columns. All of it works in a plainer way without.

import { brush } from "./list/brush.js";
import { columns } from "./list/columns.js";
import { selection } from "./list/selection.js";
import { suggest } from "./list/suggest.js";

brush();
columns();
selection({ form: "mon-bulk", table: ".mon-tasks", name: "_selected_action", key: "task" });
suggest();
