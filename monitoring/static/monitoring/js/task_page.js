// The page of one task: parts that change in place, frames that fold together, trees that show their text.

import { frames } from "./task/frames.js";
import { raw } from "./task/raw.js";
import { swap } from "./task/swap.js";

frames();
raw();
swap();
