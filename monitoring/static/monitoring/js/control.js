// A page with verbs.

import { ask } from "./control/ask.js";

ask();
